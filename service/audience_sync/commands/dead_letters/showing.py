"""`audience-sync dead-letters show`: everything that is known of one letter."""

from base64 import b64decode
from typing import Annotated

import msgspec
import typer

from audience_sync.commands.configuration import settings_or_stop
from audience_sync.commands.dead_letters.listing import at
from audience_sync.commands.dead_letters.topics import (
    Topics,
    letters_in,
    replays_in,
    run,
    topics_of,
)
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.commands.terminal.words import printable
from audience_sync.events.dead_letters import DeadLetter


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A letter, each time that it was given up and replayed. Moments: epoch seconds.

    key_text, value_text: the original bytes as text, if they are UTF-8.
    """

    id: str
    records: list[DeadLetter]
    key_text: str | None
    value_text: str | None
    replayed_at: list[float]


def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show all of one dead letter: each time that it was given up, its original bytes, its replays."""
    topics = topics_of(settings_or_stop())
    shown = run(topics, lambda: _find(topics, letter_id))
    if as_json:
        print(msgspec.json.encode(shown).decode())
        return
    for line in _lines(shown):
        print(printable(line))


async def _find(topics: Topics, letter_id: str) -> Shown:
    async with topics.reader() as reader:
        spans = await reader.whole(await reader.partitions(topics.dead_letters))
        records = [
            found.letter
            async for found in letters_in(reader, spans)
            if found.letter is not None and found.letter.id == letter_id
        ]
        if not records:
            raise Stop(ExitCode.BAD_INPUT, f"There is no dead letter {letter_id!r}; `list` shows their ids.")
        replayed_at = [at async for found, at in replays_in(reader, topics.replays) if found == letter_id]
    return Shown(
        id=letter_id,
        records=records,
        key_text=_text(records[-1].key),
        value_text=_text(records[-1].value),
        replayed_at=replayed_at,
    )


def _lines(shown: Shown) -> list[str]:
    last = shown.records[-1]
    lines = [f"id:        {shown.id}"]
    lines += [f"given up:  {at(each.given_up_at)}  {_why(each)}" for each in shown.records]
    lines += [f"replayed:  {at(moment)}" for moment in shown.replayed_at]
    lines += [
        f"origin:    {each.topic}, partition {each.partition}, position {each.position}, {at(each.timestamp)}"
        for each in last.origins
    ]
    if last.user is not None:
        lines += [f"user:      {last.user}"]
        lines += [f"change:    {' '.join(change)}" for change in last.changes]
    else:
        lines += [f"key:       {_bytes(last.key, shown.key_text)}"]
        for name, *values in last.headers:
            value = values[0] if values else None
            lines.append(f"header:    {name}: {_bytes(value, _text(value))}")
        lines += [f"value:     {_bytes(last.value, shown.value_text)}"]
    return lines


def _why(letter: DeadLetter) -> str:
    return f"{letter.cause if letter.code is None else f'{letter.cause} {letter.code}'}: {letter.info}"


def _bytes(encoded: str | None, text: str | None) -> str:
    if encoded is None:
        return "(none)"
    return f"(no text, in base64) {encoded}" if text is None else text


def _text(encoded: str | None) -> str | None:
    try:
        return None if encoded is None else b64decode(encoded).decode()
    except ValueError:
        return None
