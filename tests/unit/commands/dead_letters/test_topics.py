"""Which records of the topic are letters."""

import pytest

from audience_sync.commands.dead_letters import topics

FIELDS = b'"id": "t/0/1", "cause": "unreadable", "info": "", "origins": [], "given_up_at": 1.0'


@pytest.mark.parametrize(
    ("value", "is_letter"),
    [
        (b'{"v": 1, %s}' % FIELDS, True),
        (b"{%s}" % FIELDS, True),
        (b'{"v": 2, %s}' % FIELDS, False),
        (b"no letter", False),
        (None, False),
    ],
)
def test_a_letter_of_another_version_is_none(value: bytes | None, is_letter: bool) -> None:
    """What it means by the same fields is not known, so it is left where it is, and counted."""
    assert (topics._letter(value) is not None) is is_letter
