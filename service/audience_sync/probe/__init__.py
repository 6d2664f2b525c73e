"""Questions to a real app that the documentation leaves open, asked one by one, cautiously.

switches      the open points, and what the answer to each can be
question      what a question is, what it needs, and what it finds
questions/    all of them
plan          what would be asked, and what it costs
calling       one call after the other: spaced, counted, repeated or given up
ground        the accounts and attribute names as they were, and how they become so again
inquiry       asks them all
report        the profile to keep
"""
