"""What most commands read first: settings, rules and the way to Kafka; or a stop that names all that is wrong."""

from pathlib import Path

from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.core.rules import Rules
from audience_sync.events.kafka_admin import KafkaAddress
from audience_sync.events.security import KafkaSecurityError
from audience_sync.events.translator import format_problems
from audience_sync.outside.kafka import kafka_address, security_of, topics_to_match
from audience_sync.rules.file import DEFAULT_RULES, load_rules
from audience_sync.rules.problems import RulesError
from audience_sync.settings import Settings, SettingsError, load


def settings_or_stop() -> Settings:
    """The settings. Stop with all that is wrong with them."""
    try:
        return load()
    except SettingsError as error:
        raise Stop(ExitCode.BAD_INPUT, str(error)) from error


def read_settings_and_rules(
    *, account: bool = True, rules_file: Path | None = None
) -> tuple[Settings, Rules]:
    """The settings of the environment and the rules they name; everything wrong with either, at once.

    account: whether one must be named. rules_file: other rules than those of the settings.
    """
    problems: list[str] = []
    settings = None
    try:
        settings = load(account=account)
    except SettingsError as error:
        problems.append(str(error))
    file: Path = rules_file or (settings.rules_file if settings else None) or DEFAULT_RULES
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


def kafka_or_stop(settings: Settings) -> KafkaAddress:
    """Where Kafka is. Stop if files that secure the way there can't be used."""
    try:
        return kafka_address(settings, security_of(settings.kafka))
    except (SettingsError, KafkaSecurityError) as error:
        raise Stop(ExitCode.BAD_INPUT, str(error)) from error
