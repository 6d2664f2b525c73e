"""`audience-sync plan`: what the service would do with events of a file, of standard input, or of a topic."""

import asyncio
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from typer import Argument, Option

from audience_sync.commands.configuration import (
    kafka_or_stop,
    read_settings_and_rules,
    with_topics_of_the_broker,
)
from audience_sync.commands.planning.arrivals import SchemaMissingError, arrivals
from audience_sync.commands.planning.assumptions import assumed
from audience_sync.commands.planning.told import bounds, told
from audience_sync.commands.planning.view import show
from audience_sync.commands.schemas import finding
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.core.plan_figures import Figures
from audience_sync.core.planner import ANSWER_SECONDS, Arrival, Planner, in_order
from audience_sync.core.rules import Rules
from audience_sync.events.kafka_admin import KafkaAdminError
from audience_sync.events.onlooker import Reading, onlooker
from audience_sync.events.recorded import LineError, Recorded, recorded
from audience_sync.events.schemas import RegistryError
from audience_sync.events.translator import Translator
from audience_sync.formats import FormatError
from audience_sync.rules.problems import RulesError
from audience_sync.settings import Settings, SettingsError

RulesFile = Annotated[
    Path | None, Option("--rules", help="The rules (YAML).", show_default="those of the settings")
]
AnswerSeconds = Annotated[
    float, Option("--answer-seconds", min=0.0, help="How long an answer of the Chat API is assumed to take.")
]


def plan(
    file: Annotated[
        Path | None,
        Argument(help="Events, one a line; `-` for standard input. Left out: from Kafka, with --last."),
    ] = None,
    topic: Annotated[
        list[str] | None,
        Option(
            "--topic",
            help="Of a file: the topic of all its events. From Kafka: what to read; may be repeated.",
        ),
    ] = None,
    last: Annotated[
        int | None,
        Option(
            "--last",
            min=1,
            help="Read so many of the newest records, of all topics of the rules or of --topic.",
        ),
    ] = None,
    rules: RulesFile = None,
    answer_seconds: AnswerSeconds = ANSWER_SECONDS,
    events_per_second: Annotated[
        float | None,
        Option("--events-per-second", min=0.001, help="Events come so evenly, whatever time was recorded."),
    ] = None,
    shown: Annotated[
        int, Option("--show", min=0, help="So many changes and requests are shown one by one.")
    ] = 10,
    as_json: Annotated[bool, Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show what events would cause: changes, requests, limits, dead letters. Sends and commits nothing."""
    settings, known = read_settings_and_rules(account=False, rules_file=rules)
    if (file is None) == (last is None):
        raise Stop(
            ExitCode.BAD_INPUT, "Give a file of events, or `-` for standard input, or --last for Kafka."
        )
    try:
        if file is None:
            known = with_topics_of_the_broker(settings, known, rules)
        records = _kept(file, topic) if file else _newest(settings, known, topic, last or 0)
        translator = Translator(known, finding(settings.registry))
        came = in_order(
            arrivals(
                records,
                lambda record: translator.translate(record.partition.topic, record),
                events_per_second=events_per_second,
                rekeyed=known.rekeyed,
            )
        )
    except (FormatError, RulesError, SettingsError) as error:
        raise Stop(ExitCode.BAD_INPUT, str(error)) from error
    except LineError as error:
        raise Stop(ExitCode.BAD_INPUT, f"{file}, {error}") from error
    except OSError as error:
        raise Stop(ExitCode.BAD_INPUT, f"{file}: {error.strerror or error}; give a readable file") from error
    except (KafkaAdminError, RegistryError, SchemaMissingError) as error:
        raise Stop(ExitCode.UNAVAILABLE, str(error)) from error
    if last is not None:
        came = came[-last:]
    _tell(came, settings, answer_seconds=answer_seconds, shown=shown, as_json=as_json)


def _tell(
    came: Iterable[Arrival], settings: Settings, *, answer_seconds: float, shown: int, as_json: bool
) -> None:
    figures, assumptions = Figures(shown=shown), assumed(settings, answer_seconds=answer_seconds)
    planner = Planner(assumptions, watch=figures)
    for arrival in came:
        planner.take(arrival)
    planner.finish()
    found = told(figures, assumptions, bounds(planner, settings))
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
    else:
        show(found)


def _kept(file: Path, topics: list[str] | None) -> list[Recorded]:
    if topics and len(topics) > 1:
        raise Stop(
            ExitCode.BAD_INPUT, "A file of bare events is of one topic; give --topic once, or on each line."
        )
    topic = topics[0] if topics else None
    if str(file) == "-":
        return list(recorded(sys.stdin.buffer, topic=topic))
    with file.open("rb") as lines:
        return list(recorded(lines, topic=topic))


def _newest(settings: Settings, rules: Rules, topics: list[str] | None, most: int) -> list[Recorded]:
    if unknown := [topic for topic in topics or () if topic not in rules.topics]:
        raise Stop(
            ExitCode.BAD_INPUT,
            f"The rules do not read {', '.join(map(repr, unknown))}; they read {', '.join(rules.topics)}.",
        )
    reading = Reading(
        address=kafka_or_stop(settings),
        topics=topics or rules.topics,
        isolation_level=settings.kafka.isolation_level,
        client_id=f"{settings.kafka.client_id}-plan",
    )

    async def read() -> list[Recorded]:
        async with onlooker(reading) as kafka:
            ends = await kafka.ends()
            return await kafka.read(await kafka.starts_of_last(most, ends=ends), ends)

    return asyncio.run(read())
