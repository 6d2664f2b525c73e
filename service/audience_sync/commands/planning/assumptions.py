"""What is planned with: settings and rules without an account, for a plan calls nobody."""

from pathlib import Path

from audience_sync.assembly import debounce_times, security_of
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.core.planner import Assumed
from audience_sync.core.rules import Rules
from audience_sync.events.kafka_admin import KafkaAddress
from audience_sync.events.security import KafkaSecurityError
from audience_sync.rules.file import DEFAULT_RULES, load_rules
from audience_sync.rules.problems import RulesError
from audience_sync.settings import Settings, SettingsError, load


def settings_and_rules(file: Path | None) -> tuple[Settings, Rules]:
    """The settings, of which the account may be missing, and the rules of *file* or of the settings."""
    problems: list[str] = []
    settings = None
    try:
        settings = load(account=False)
    except SettingsError as error:
        problems.append(str(error))
    try:
        rules = load_rules(file or (settings.rules_file if settings else None) or DEFAULT_RULES)
    except RulesError as error:
        problems += error.problems
    if problems or settings is None:
        raise Stop(ExitCode.BAD_INPUT, "\n".join(problems))
    return settings, rules


def assumed(settings: Settings, *, answer_seconds: float) -> Assumed:
    """What the settings say of the service, and how long an answer is taken to need."""
    return Assumed(
        times=debounce_times(settings.debounce),
        calls_per_second=settings.chat.calls_per_second,
        calls_per_second_of_app=settings.chat.calls_per_second_of_app,
        most_in_flight=settings.chat.most_in_flight,
        dead_letters_per_minute=settings.dead_letters.most_per_minute,
        answer_seconds=answer_seconds,
    )


def kafka_address(settings: Settings) -> KafkaAddress:
    """Where Kafka is. Stop where its security can't be used."""
    kafka = settings.kafka
    try:
        security = security_of(kafka)
    except (SettingsError, KafkaSecurityError) as error:
        raise Stop(ExitCode.BAD_INPUT, str(error)) from error
    return KafkaAddress(
        bootstrap=kafka.bootstrap_servers, security=security, timeout_seconds=kafka.preflight_seconds
    )
