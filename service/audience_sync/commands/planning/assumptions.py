"""What is planned with: what settings say of the service, and where Kafka is."""

from audience_sync.assembly import debounce_times, security_of
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.core.planner import READING_SECONDS, Assumed
from audience_sync.events.kafka_admin import KafkaAddress
from audience_sync.events.security import KafkaSecurityError
from audience_sync.settings import Settings, SettingsError


def assumed(
    settings: Settings, *, answer_seconds: float, reading_seconds: float = READING_SECONDS
) -> Assumed:
    """What the settings say of the service, and how long an answer is taken to need."""
    return Assumed(
        times=debounce_times(settings.debounce),
        calls_per_second=settings.chat.calls_per_second,
        calls_per_second_of_app=settings.chat.calls_per_second_of_app,
        most_in_flight=settings.chat.most_in_flight,
        dead_letters_per_minute=settings.dead_letters.most_per_minute,
        answer_seconds=answer_seconds,
        reading_seconds=reading_seconds,
        confirmed_seconds=settings.repeats.known_seconds,
        confirmed_names=settings.repeats.known_names,
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
