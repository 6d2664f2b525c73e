"""Which letters are meant: by id, user, code, cause, moment, and whether they were replayed."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
import typer

from audience_sync.commands.dead_letters.index import Summary
from audience_sync.commands.stop import ExitCode, Stop

Users = Annotated[list[str] | None, typer.Option("--user", help="Of this user; may be repeated.")]
Codes = Annotated[
    list[int] | None, typer.Option("--code", help="With this code of the API; may be repeated.")
]
Causes = Annotated[
    list[str] | None, typer.Option("--cause", help="With this cause, as the metric has it; may be repeated.")
]
Since = Annotated[
    str | None,
    typer.Option(metavar="MOMENT", help="Given up then or later: 2026-11-22T08:30 (UTC), or 2h, 3d ago."),
]
Until = Annotated[str | None, typer.Option(metavar="MOMENT", help="Given up before that.")]
Replayed = Annotated[
    bool | None,
    typer.Option("--replayed/--not-replayed", help="Replayed since it was given up last, or not."),
]
"""The parameters that say which letters are meant."""

_AGO: Final = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Letters that meet all that is said here; of several values in a field one must fit. Moments: epoch seconds."""

    ids: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    codes: frozenset[int] = frozenset()
    causes: frozenset[str] = frozenset()
    since: float | None = None
    until: float | None = None
    replayed: bool | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing was said."""
        return self == Selection()

    def means(self, letter: Summary) -> bool:
        """Whether *letter* meets it."""
        return (
            (not self.ids or letter.id in self.ids)
            and (not self.users or letter.user in self.users)
            and (not self.codes or letter.code in self.codes)
            and (not self.causes or letter.cause in self.causes)
            and (self.since is None or letter.given_up_at >= self.since)
            and (self.until is None or letter.given_up_at < self.until)
            and (self.replayed is None or (letter.replayed_at is not None) is self.replayed)
        )


def selection(
    *,
    ids: Sequence[str] | None,
    users: Sequence[str] | None,
    codes: Sequence[int] | None,
    causes: Sequence[str] | None,
    since: str | None,
    until: str | None,
    replayed: bool | None,
    now: float,
) -> Selection:
    """What the parameters say. Stop if a moment is none."""
    return Selection(
        ids=frozenset(ids or ()),
        users=frozenset(users or ()),
        codes=frozenset(codes or ()),
        causes=frozenset(causes or ()),
        since=None if since is None else moment(since, now=now, option="--since"),
        until=None if until is None else moment(until, now=now, option="--until"),
        replayed=replayed,
    )


def moment(text: str, *, now: float, option: str) -> float:
    """Epoch seconds of ISO text (UTC, if it does not say otherwise) or of so long ago. Stop if it is neither."""
    if (ago := _AGO.fullmatch(text)) is not None:
        return now - float(ago[1]) * _SECONDS[ago[2]]
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Stop(
            ExitCode.BAD_INPUT,
            f"{option} {text}: that is no moment; write one as 2026-11-22T08:30 (UTC), or as 30m, 2h, 3d ago",
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
