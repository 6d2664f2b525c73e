"""What is decided. No input or output, no clock, no logging, no framework."""
