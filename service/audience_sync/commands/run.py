"""`audience-sync run`: the service itself."""

import asyncio
import signal
from collections.abc import Collection
from typing import Annotated

import uvloop
from typer import Option

from audience_sync.admin.server import PortTakenError
from audience_sync.assembly import assemble
from audience_sync.commands.configuration import read_settings_and_rules, with_topics_of_the_broker
from audience_sync.commands.shadow import Begin, rehearse
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.core.attribute_slots import NamesDoNotFitError
from audience_sync.core.rules import Rules
from audience_sync.events.kafka_admin import KafkaAdminError
from audience_sync.events.security import KafkaSecurityError
from audience_sync.garbage import collect_garbage_rarely
from audience_sync.outside.kafka import topics_to_match
from audience_sync.rules.file import DEFAULT_RULES, load_rules
from audience_sync.rules.problems import RulesError
from audience_sync.service import StreamError
from audience_sync.settings import Settings, SettingsError
from audience_sync.telemetry.logs import set_up


def run(
    is_shadow: Annotated[
        bool,
        Option("--shadow", help="Rehearse: read and plan, send nothing, commit nothing. Needs no account."),
    ] = False,
    begin: Annotated[
        Begin, Option("--from", help="Where a rehearsal begins: at the end, or where the group stands.")
    ] = Begin.END,
    report_seconds: Annotated[
        float, Option("--every", min=1.0, help="How often a rehearsal tells what it would have done.")
    ] = 60.0,
) -> None:
    """Keep users in step with the events in Kafka, until SIGTERM or SIGINT. Settings: the environment, or a file."""
    if begin is not Begin.END and not is_shadow:
        raise Stop(
            ExitCode.BAD_INPUT, "--from belongs to --shadow; the service begins where its group stands."
        )
    settings, rules = read_settings_and_rules(account=not is_shadow)
    set_up(level=settings.log.level, shape=settings.log.shape)
    stop: Stop | None = None
    try:
        if is_shadow:
            uvloop.run(_rehearse(settings, rules, begin=begin, report_seconds=report_seconds))
            return
        topics = topics_to_match(settings) if rules.patterns else None
        uvloop.run(_serve(settings, rules, topics))
    except* (SettingsError, KafkaSecurityError, NamesDoNotFitError, RulesError) as errors:
        stop = Stop(ExitCode.BAD_INPUT, _first(errors))
    except* (KafkaAdminError, PortTakenError, StreamError) as errors:
        stop = stop or Stop(ExitCode.UNAVAILABLE, _first(errors))
    # Raised above, it would come out in a group: before Python 3.11.4, and where both were met.
    if stop is not None:
        raise stop


async def _serve(settings: Settings, rules: Rules, topics: Collection[str] | None) -> None:
    """Run the service. *topics* are those that patterns of the rules are compared with, also when rules change."""
    stop = _stopped_by_signals()
    file = settings.rules_file or DEFAULT_RULES
    if topics is not None:
        rules = load_rules(file, topics=topics)
    service = assemble(settings, rules, load=lambda: load_rules(file, topics=topics))
    collect_garbage_rarely()
    await service.run(stop)


async def _rehearse(settings: Settings, rules: Rules, *, begin: Begin, report_seconds: float) -> None:
    rules = await asyncio.to_thread(with_topics_of_the_broker, settings, rules)
    await rehearse(settings, rules, begin=begin, report_seconds=report_seconds, stop=_stopped_by_signals())


def _stopped_by_signals() -> asyncio.Event:
    """What is set when the process is told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _first(errors: BaseExceptionGroup[Exception]) -> str:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)
