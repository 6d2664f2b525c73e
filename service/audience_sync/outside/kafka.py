"""Kafka: where it is, how connections to it are protected, and what it has for us."""

from pathlib import Path

from audience_sync.events.kafka_admin import KafkaAddress
from audience_sync.events.preflight import topics_there
from audience_sync.events.security import KafkaSecurity, Mechanism, Protocol, token_from
from audience_sync.settings import KafkaSettings, Settings, secret


def security_of(settings: KafkaSettings) -> KafkaSecurity:
    """How connections to Kafka are protected. Raises KafkaSecurityError, SettingsError."""
    username = secret(None, settings.sasl_username_file, name="AUDIENCE_SYNC_KAFKA__SASL_USERNAME_FILE")
    password = secret(
        settings.sasl_password, settings.sasl_password_file, name="AUDIENCE_SYNC_KAFKA__SASL_PASSWORD_FILE"
    )
    return KafkaSecurity(
        protocol=Protocol(settings.security_protocol),
        mechanism=None if settings.sasl_mechanism is None else Mechanism(settings.sasl_mechanism),
        username=settings.sasl_username if username is None else username.get_secret_value(),
        password=password,
        ca_file=settings.ssl_ca_file,
        cert_file=settings.ssl_certificate_file,
        key_file=settings.ssl_key_file,
        token=None if settings.sasl_token_file is None else token_from(settings.sasl_token_file),
    )


def login_files(settings: KafkaSettings) -> list[Path]:
    """Where login and certificates for Kafka stand. A token's file is read for each connection anyway."""
    files = (
        settings.sasl_username_file,
        settings.sasl_password_file,
        settings.ssl_ca_file,
        settings.ssl_certificate_file,
        settings.ssl_key_file,
    )
    return [file for file in files if file is not None]


def kafka_address(settings: Settings, security: KafkaSecurity) -> KafkaAddress:
    """Where Kafka is asked about topics, groups and records, and how long."""
    kafka = settings.kafka
    return KafkaAddress(
        bootstrap=kafka.bootstrap_servers, security=security, timeout_seconds=kafka.preflight_seconds
    )


def topics_to_match(settings: Settings) -> frozenset[str]:
    """The topics that patterns of sources are compared with: all but our own. Blocks.

    Raises KafkaAdminError, KafkaSecurityError, SettingsError.
    """
    ours = [settings.dead_letters.topic, settings.dead_letters.replays, settings.kafka.rekeyed_topic]
    return topics_there(kafka_address(settings, security_of(settings.kafka)), but=ours)
