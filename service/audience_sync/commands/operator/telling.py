"""What a replica says, for people: moments, changes, places in the log."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from audience_sync.commands.terminal.words import printable


def show(lines: Iterable[str]) -> None:
    """Print them, whatever is in them."""
    for line in lines:
        print(printable(line))


def show_json(at: str, content: Mapping[str, object]) -> None:
    """Print what the replica at this address said, on one line."""
    print(msgspec.json.encode({"at": at, **content}).decode())


def moment(seconds: float) -> str:
    """As people read it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def changes(told: Iterable[list[str]]) -> str:
    """On one line."""
    return ", ".join(" ".join(change) for change in told) or "-"


def places(told: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Topic, partition and position of events, a line each."""
    for each in told:
        where = f"{each['topic']}/{each['partition']} at {each['position']}"
        yield f"    {where} ({moment(each['timestamp'])})"
