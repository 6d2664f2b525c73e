"""Bytes into an event, or the reason why not: a file a format."""
