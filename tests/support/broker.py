"""A real broker for the tests that need one. Started by hand, too: `python -m tests.support.broker`."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.engine import docker_answers
from tests.support.local_kafka import BrokerUnavailableError, local_kafka


@contextmanager
def real_broker() -> Iterator[str]:
    """Address of a broker: a given one, a container, or Apache Kafka on the local Java.

    Raises BrokerUnavailableError.
    """
    if address := os.environ.get("AUDIENCE_SYNC_TEST_BROKER"):
        yield address
    elif docker_answers():
        with _kafka_container() as address:
            yield address
    else:
        with local_kafka(silent_seconds=30.0) as kafka:  # nobody kills it
            yield kafka.bootstrap


@contextmanager
def _kafka_container() -> Iterator[str]:
    from testcontainers.community.kafka import KafkaContainer  # here: it reads the environment when imported

    kafka = KafkaContainer("confluentinc/cp-kafka:7.9.2").with_kraft()
    kafka.with_env("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")
    kafka.with_env("KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS", "1000")
    kafka.with_env("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "1")
    kafka.with_env("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1")
    with kafka:
        yield str(kafka.get_bootstrap_server())


@contextmanager
def needed(what: str, wants: str = "Java and Maven") -> Iterator[None]:
    """Where *what* can't be had, a test is skipped with the reason, or fails if it must not be skipped."""
    try:
        yield
    except BrokerUnavailableError as error:
        if os.environ.get("AUDIENCE_SYNC_TEST_REQUIRE_BROKER") == "1":
            pytest.fail(f"{what} is required here: {error}")
        pytest.skip(f"needs {what} ({wants}): {error}")


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    """Address of a real broker, one a session; each test makes its own topics and groups."""
    with (
        needed("a real broker", "AUDIENCE_SYNC_TEST_BROKER, Docker, or Java and Maven"),
        real_broker() as address,
    ):
        yield address


def main() -> None:
    """Run a broker until SIGINT or SIGTERM; its address is the one line on standard output."""
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # from the start, so that none leaves a broker behind
    with real_broker() as address:
        print(address, flush=True)
        signal.sigwait(ends)


if __name__ == "__main__":
    main()
