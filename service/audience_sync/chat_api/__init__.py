"""The way out: the Chat API over HTTP."""
