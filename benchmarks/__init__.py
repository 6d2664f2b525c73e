"""The same work for us and for others, in one run."""
