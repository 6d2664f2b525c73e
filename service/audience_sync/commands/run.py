"""`audience-sync run`: the service itself."""

import asyncio
import signal
from collections.abc import Collection
from pathlib import Path

import uvloop

from audience_sync.admin.server import PortTakenError
from audience_sync.assembly import assemble, topics_to_match
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.core.attribute_slots import NamesDoNotFitError
from audience_sync.core.rules import Rules
from audience_sync.events.kafka_admin import KafkaAdminError
from audience_sync.events.security import KafkaSecurityError
from audience_sync.events.translator import format_problems
from audience_sync.rules.file import DEFAULT_RULES, load_rules
from audience_sync.rules.problems import RulesError
from audience_sync.service import StreamError
from audience_sync.settings import Settings, SettingsError, load
from audience_sync.telemetry.logs import set_up


def run() -> None:
    """Keep users in step with the events in Kafka, until SIGTERM or SIGINT. Settings: the environment, or a file."""
    settings, rules = read_settings_and_rules()
    set_up(level=settings.log.level, shape=settings.log.shape)
    try:
        topics = topics_to_match(settings) if rules.patterns else None
        uvloop.run(_serve(settings, rules, topics))
    except* (SettingsError, KafkaSecurityError, NamesDoNotFitError, RulesError) as errors:
        raise Stop(ExitCode.BAD_INPUT, _first(errors)) from errors
    except* (KafkaAdminError, PortTakenError, StreamError) as errors:
        raise Stop(ExitCode.UNAVAILABLE, _first(errors)) from errors


def read_settings_and_rules() -> tuple[Settings, Rules]:
    """The settings of the environment and the rules they name; everything wrong with either, at once."""
    problems: list[str] = []
    settings = None
    try:
        settings = load()
    except SettingsError as error:
        problems.append(str(error))
    file: Path = (settings.rules_file if settings else None) or DEFAULT_RULES
    try:
        rules = load_rules(file)
    except RulesError as error:
        problems += error.problems
    else:
        problems += format_problems(rules, has_registry=settings is None or settings.registry.url is not None)
    if problems or settings is None:
        raise Stop(ExitCode.BAD_INPUT, "\n".join(problems))
    return settings, rules


def with_topics_of_the_broker(settings: Settings, rules: Rules, file: Path | None = None) -> Rules:
    """*rules*, their patterns compared with the topics that are there. Blocks.

    Raises RulesError for a pattern that matches none, and KafkaAdminError.
    """
    if not rules.patterns:
        return rules
    return load_rules(file or settings.rules_file or DEFAULT_RULES, topics=topics_to_match(settings))


async def _serve(settings: Settings, rules: Rules, topics: Collection[str] | None) -> None:
    """Run the service. *topics* are those that patterns of the rules are compared with, also when rules change."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    file = settings.rules_file or DEFAULT_RULES
    if topics is not None:
        rules = load_rules(file, topics=topics)
    await assemble(settings, rules, load=lambda: load_rules(file, topics=topics)).run(stop)


def _first(errors: BaseExceptionGroup[Exception]) -> str:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)
