"""Who does the work: a file each. What they have in common is `Contestant`."""
