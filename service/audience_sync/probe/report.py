"""The profile to keep: what was found, what stays open, and the evidence."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from audience_sync.chat_api.profile import Document
from audience_sync.chat_api.wire import Family
from audience_sync.probe.inquiry import Found
from audience_sync.probe.switches import Value


def document_of(result: Found, *, app_id: int, family: Family, asked_at: float) -> Document:
    """The profile of an app that was asked at *asked_at* (unix seconds)."""
    moment = datetime.fromtimestamp(asked_at, UTC)
    return Document(
        family=family,
        app_id=app_id,
        asked_at=moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        switches=dict(sorted(result.switches.items())),
        open=dict(sorted(result.open.items())),
        seen=result.seen,
    )


def rows(result: Found) -> Iterator[tuple[str, str, str]]:
    """(open point, what was found, the evidence or why it stays open), what was found first."""
    for name, value in result.switches.items():
        question = result.decided_by[name]
        codes = dict.fromkeys(f"{one.command} {one.code}" for one in result.seen if one.question == question)
        yield name, told(value), f"{question}: {', '.join(codes)}" if codes else question
    for name, why in result.open.items():
        yield name, "open", why


def told(value: Value) -> str:
    """A switch's value in words."""
    return "no limit" if value is None else str(value)


def write_profile(document: Document, path: Path) -> None:
    """Put *document* at *path*, whole or not at all. Raises OSError."""
    text = msgspec.json.format(msgspec.json.encode(document), indent=2)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("xb") as file:
            file.write(text + b"\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
