"""A change that breaks a limit of the API is told apart, with the limit."""

import pytest

from audience_sync.core.changes import (
    AddTag,
    Change,
    RemoveAllTags,
    RemoveAttribute,
    RemoveTag,
    SetAttribute,
)
from audience_sync.core.limits import broken_limit

LONGEST = "深" * 16 + "ab"
"""50 bytes of UTF-8 in 18 characters: limits count bytes."""


@pytest.mark.parametrize(
    "change",
    [
        SetAttribute(LONGEST, LONGEST),
        RemoveAttribute(LONGEST),
        AddTag(LONGEST),
        RemoveTag(LONGEST),
        RemoveAllTags(),
    ],
)
def test_what_just_fits_is_sent(change: Change) -> None:
    assert broken_limit("u" * 32, change) is None


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (SetAttribute(LONGEST + "c", "v"), "the attribute name"),
        (SetAttribute("city", LONGEST + "c"), "the value of attribute 'city'"),
        (SetAttribute("city", ""), "the value of attribute 'city'"),
        (SetAttribute("", "v"), "the attribute name"),
        (RemoveAttribute(LONGEST + "c"), "the attribute name"),
        (AddTag(LONGEST + "c"), "the tag"),
        (AddTag(""), "the tag"),
        (RemoveTag(LONGEST + "c"), "the tag"),
    ],
)
def test_what_does_not_fit_is_told_with_its_size(change: Change, named: str) -> None:
    info = broken_limit("alice", change)

    assert info is not None
    assert info.startswith(named)
    assert "bytes of UTF-8; the Chat API takes 1 to 50" in info


@pytest.mark.parametrize("user", ["", "u" * 33, "深" * 11])
def test_a_user_whose_name_does_not_fit_is_told(user: str) -> None:
    info = broken_limit(user, RemoveAllTags())

    assert info is not None
    assert info.startswith("the user ")
