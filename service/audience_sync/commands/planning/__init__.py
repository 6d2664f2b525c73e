"""What `plan` and a rehearsal share: what is assumed, records into arrivals, and how figures are shown."""
