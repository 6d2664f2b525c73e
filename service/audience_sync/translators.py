"""What a translator in Python is written against: the way out for what the rules file can't say.

A rule names it (`translator: package.module:function`), and says what it may write. The function gets the event
and gives users with their changes; nobody (None, or no user) if the event does nothing. It is called for each
event in the middle of reading, so it computes and never waits. docs/rules.md has an example.
"""

from collections.abc import Callable, Iterable, Mapping

from audience_sync.core.changes import (
    AddTag,
    Change,
    RemoveAllTags,
    RemoveAttribute,
    RemoveTag,
    SetAttribute,
    UserId,
)
from audience_sync.core.event import Event

__all__ = [
    "AddTag",
    "Change",
    "Effects",
    "Event",
    "RemoveAllTags",
    "RemoveAttribute",
    "RemoveTag",
    "SetAttribute",
    "Translate",
    "UnfitError",
    "UserId",
]

Effects = Mapping[UserId, Iterable[Change]]
"""Whom an event concerns, and what happens to each, in order."""

Translate = Callable[[Event], Effects | None]
"""A translator."""


class UnfitError(Exception):
    """An event that a translator can't use: it goes to the dead letters, with this message."""
