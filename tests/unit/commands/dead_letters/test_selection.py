"""Which letters are meant."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import pytest

from audience_sync.commands.dead_letters.index import Summary
from audience_sync.commands.dead_letters.selection import Selection, moment, selection
from audience_sync.commands.stop import ExitCode, Stop

NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
LETTER: Final = Summary(
    id="alice@events/3/17#AddTag:a",
    user="alice",
    cause="refused_user",
    code=70107,
    info="unknown",
    changes=[["AddTag", "a"]],
    origins=[],
    first_given_up_at=NOW - 7200,
    given_up_at=NOW - 3600,
    times=2,
    replayed_at=None,
)


@pytest.mark.parametrize(
    ("given", "means"),
    [
        ({}, True),
        ({"ids": [LETTER.id, "other"]}, True),
        ({"ids": ["other"]}, False),
        ({"users": ["bob", "alice"]}, True),
        ({"users": ["bob"]}, False),
        ({"codes": [70107]}, True),
        ({"codes": [1]}, False),
        ({"causes": ["refused_user"]}, True),
        ({"causes": ["unreadable"]}, False),
        ({"users": ["alice"], "codes": [1]}, False),
        ({"since": "1h"}, True),
        ({"since": "59m"}, False),
        ({"until": "1h"}, False),
        ({"until": "59m"}, True),
        ({"replayed": False}, True),
        ({"replayed": True}, False),
    ],
)
def test_a_letter_is_meant_that_meets_all_that_was_said(given: dict[str, Any], means: bool) -> None:
    """Of several values of one kind one must fit; the last time that it was given up counts."""
    wanted = selection_of(**given)

    assert wanted.means(LETTER) is means
    assert wanted.is_everything is (given == {})


def selection_of(**given: Any) -> Selection:
    """A selection in which nothing else was said."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("ids", "users", "codes", "causes", "since", "until", "replayed"), None
    )
    return selection(**nothing | given, now=NOW)


def test_a_replayed_letter_is_known_as_such() -> None:
    replayed = msgspec.structs.replace(LETTER, replayed_at=NOW)

    assert selection_of(replayed=True).means(replayed)
    assert not selection_of(replayed=False).means(replayed)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", NOW - 90),
        ("1.5h", NOW - 5400),
        ("2d", NOW - 172_800),
        ("1w", NOW - 604_800),
        ("2026-11-22", NOW - 43_200),
        ("2026-11-22T12:00", NOW),
        ("2026-11-22 12:00:00Z", NOW),
        ("2026-11-22T20:00+08:00", NOW),
    ],
)
def test_a_moment_is_a_date_or_so_long_ago(text: str, seconds: float) -> None:
    """Without an offset it is UTC: letters are listed so, and a shell's zone is nobody's business."""
    assert moment(text, now=NOW, option="--since") == seconds


@pytest.mark.parametrize("text", ["", "yesterday", "2x", "-2h", "2026-13-01", "12:00"])
def test_what_is_no_moment_is_told_with_what_would_be_one(text: str) -> None:
    with pytest.raises(Stop, match=r"--since.*2026-11-22T08:30") as stopped:
        moment(text, now=NOW, option="--since")
    assert stopped.value.code is ExitCode.BAD_INPUT
