"""Random and mutated bytes as events, as many as asked for: `make fuzz`. A few thousand run with the properties."""
