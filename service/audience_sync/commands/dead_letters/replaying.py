"""`audience-sync dead-letters replay`: letters once more through the running service."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, Final

import msgspec
import typer

from audience_sync.commands.configuration import read_settings_and_rules, with_topics_of_the_broker
from audience_sync.commands.dead_letters.asked import End, Told
from audience_sync.commands.dead_letters.index import Index
from audience_sync.commands.dead_letters.looking import Looking
from audience_sync.commands.dead_letters.replay_run import NotSettledError, Run
from audience_sync.commands.dead_letters.selection import (
    Causes,
    Codes,
    Replayed,
    Selection,
    Since,
    Until,
    Users,
    selection,
)
from audience_sync.commands.dead_letters.topics import Topics, fill, keep_selected, run, topics_of
from audience_sync.commands.schemas import finding
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.commands.terminal.confirmation import Yes, confirm
from audience_sync.commands.terminal.output import Output, View, output
from audience_sync.commands.terminal.words import counted, say
from audience_sync.core.event import Ignored, Translated, TranslatedMany, Unusable, Wanting
from audience_sync.core.rules import Rules
from audience_sync.events.formats.wire import Find
from audience_sync.events.log_reading import LogReader
from audience_sync.events.replay_evidence import Translate
from audience_sync.events.replay_writing import ReplayWriter
from audience_sync.events.schemas import RegistryError
from audience_sync.events.topics import uneven_replays
from audience_sync.events.translator import Translator
from audience_sync.formats import Record
from audience_sync.rules.problems import RulesError
from audience_sync.settings import DebounceSettings, Settings

PATIENCE_SECONDS: Final = 60.0
"""Beside what users wait for quiet, twice: takeovers and waits after ambiguous ends are over by then. Ours."""

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="As `list` shows them.")]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """How letters are to be replayed."""

    wanted: Selection
    dry_run: bool
    yes: bool
    checked: bool
    wait_seconds: float | None
    as_json: bool


def replay(
    ids: Ids = None,
    users: Users = None,
    codes: Codes = None,
    causes: Causes = None,
    since: Since = None,
    until: Until = None,
    replayed: Replayed = None,
    everything: Annotated[bool, typer.Option("--all", help="All letters there are.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would go out, and write nothing.")
    ] = False,
    yes: Yes = False,
    unchecked: Annotated[
        bool,
        typer.Option(
            "--unchecked", help="Do not look for newer events in the log: where it is too long to read."
        ),
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until all is settled, and tell what became of it.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Let the running service apply letters again. Newer changes win; a repeat changes nothing more."""
    settings, rules = read_settings_and_rules()
    wanted = selection(
        ids=ids,
        users=users,
        codes=codes,
        causes=causes,
        since=since,
        until=until,
        replayed=replayed,
        now=time.time(),
    )
    if wanted.is_everything and not everything:
        raise Stop(
            ExitCode.BAD_INPUT, "Which letters? Name ids, say which by --user, --code and the like, or --all."
        )
    topics = topics_of(settings)
    wish = Wish(
        wanted=wanted,
        dry_run=dry_run,
        yes=yes or dry_run,
        checked=not unchecked,
        wait_seconds=_patience(settings.debounce) if wait else None,
        as_json=as_json,
    )

    async def main() -> Counter[End]:
        known = await asyncio.to_thread(_of_topics_there, settings, rules)
        return await _replay(topics, known, wish, finding(settings.registry))

    ends = run(topics, main)
    if ends[End.GIVEN_UP_AGAIN]:
        raise Stop(ExitCode.REFUSED, _summary(ends))
    say(_summary(ends))


def _patience(debounce: DebounceSettings) -> float:
    return PATIENCE_SECONDS + 2 * debounce.longest_wait_seconds


def _of_topics_there(settings: Settings, rules: Rules) -> Rules:
    """The rules with their patterns of topics looked up. Blocks."""
    try:
        return with_topics_of_the_broker(settings, rules)
    except RulesError as error:
        raise Stop(ExitCode.BAD_INPUT, "\n".join(error.problems)) from error


async def _replay(topics: Topics, rules: Rules, wish: Wish, find: Find | None) -> Counter[End]:
    rekeyed = topics.rekeyed if rules.rekeyed else None
    translate = translate_by(rules, find, rekeyed_topic=rekeyed)
    async with AsyncExitStack() as stack:
        reader = await stack.enter_async_context(topics.reader())
        index = stack.enter_context(Index())
        spans = await fill(index, reader, topics)
        number = index.select(wish.wanted.means)
        if wish.wanted.ids and (unknown := wish.wanted.ids - index.selected_ids()):
            names = ", ".join(sorted(unknown))
            raise Stop(ExitCode.BAD_INPUT, f"No such dead letter, or other options leave it out: {names}")
        if not number:
            return Counter()
        confirm(f"{counted(number, 'letter')} will be replayed by the group {topics.group!r}.", yes=wish.yes)
        await keep_selected(index, reader, spans)
        looking = Looking(reader, rules, translate, rekeyed_topic=rekeyed) if wish.checked else None
        replaying = Run(
            topics,
            index,
            reader,
            looking=looking,
            translate=translate,
            wait_seconds=wish.wait_seconds,
        )
        if wish.dry_run:
            told = replaying.dry()
        else:
            await _see_that_replays_are_read(reader, topics, rules)
            told = replaying.write(
                await stack.enter_async_context(ReplayWriter(topics.address, topic=topics.replays))
            )
        ends = await _show(told, output(as_json=wish.as_json, as_lines=True))
        if looking is not None and looking.too_old:
            say(_TOO_OLD.format(counted(len(looking.too_old), "letter")))
        if (left := number - ends.total()) > 0:
            say(f"{counted(left, 'letter')} not tried, since most of the last ones were given up again.")
        return ends


_TOO_OLD: Final = (
    "Of {} the log no longer has the events, so newer ones that are gone with them are not known."
)


def translate_by(rules: Rules, find: Find | None = None, *, rekeyed_topic: str | None = None) -> Translate:
    """What a record does by *rules*; *find* looks schemas up. Stop where one is needed that can't be had."""
    translator = Translator(rules, find or (lambda _: None), rekeyed_topic=rekeyed_topic)

    def translate(topic: str, record: Record) -> Translated | TranslatedMany | Ignored | Unusable:
        try:
            event = translator.translate(topic, record)
        except RegistryError as error:
            raise Stop(ExitCode.UNAVAILABLE, f"topic {topic!r}: {error}") from error
        if isinstance(event, Wanting):
            raise Stop(
                ExitCode.UNAVAILABLE,
                f"topic {topic!r}: a record needs schema {event.schema_id}, and no schema registry is known; set "
                "AUDIENCE_SYNC_REGISTRY__URL. Letters that name a user can be replayed with --unchecked",
            )
        return event

    return translate


async def _see_that_replays_are_read(reader: LogReader, topics: Topics, rules: Rules) -> None:
    """Stop where replays would wait for ever: without their topic, or without its partition for some user."""
    applied = [
        *(topic for topic in rules.topics if topic not in rules.rekeyed),
        *([topics.rekeyed] if rules.rekeyed else []),
    ]
    counts = {topic: len(await reader.partitions(topic)) for topic in (topics.replays, *applied)}
    there = {topic: count for topic, count in counts.items() if count}
    if topics.replays not in there:
        raise Stop(
            ExitCode.UNAVAILABLE,
            f"Kafka at {topics.address.bootstrap} has no topic {topics.replays!r}, so no service reads replays "
            f"there; start one of this version, which needs the topic, with the same settings",
        )
    if (why := uneven_replays(topics.replays, applied, there)) is not None:
        raise Stop(
            ExitCode.UNAVAILABLE, f"Kafka at {topics.address.bootstrap}: {why}, and restart the service"
        )


async def _show(told: AsyncIterator[Told], shown: Output) -> Counter[End]:
    """Show what became of each letter, as soon as it is known. Stop if it was not settled in time."""
    ends: Counter[End] = Counter()
    try:
        async for one in told:
            ends[one.end] += 1
            shown.show(_TOLD, [one])
    except NotSettledError as error:
        raise Stop(ExitCode.UNAVAILABLE, f"{error}\n{_summary(ends)}") from error
    return ends


_WORDS: Final = {
    End.REPLAYED: "replayed",
    End.WRITTEN: "to be replayed",
    End.NEWER_KNOWN: "left alone, since all of it was said otherwise since",
    End.NOT_USABLE: "left alone, since the rules can't use them",
    End.GIVEN_UP_AGAIN: "given up again",
}


def _summary(ends: Counter[End]) -> str:
    if not ends:
        return "Nothing to replay."
    return "; ".join(f"{ends[end]:,} {words}" for end, words in _WORDS.items() if ends[end]) + "."


_TOLD: Final[View[Told]] = View(
    columns=("end", "user", "id", "changes", "info"),
    rows=lambda told: [
        (
            told.end.value,
            told.user or "-",
            told.id,
            ", ".join(" ".join(change) for change in told.changes) or "-",
            told.info or "-",
        )
    ],
    fields=msgspec.structs.asdict,
)
