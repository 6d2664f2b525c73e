"""What Kafka is asked outside of consuming: topics and records. The only module that knows kafka-python-ng.

The library has no types, logs each try to connect, and waits without end in places; none of that leaves here.
"""

import logging
import math
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import (
    AuthenticationFailedError,
    CorruptRecordException,
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    IncompatibleBrokerVersion,
    KafkaError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
    UnsupportedVersionError,
)

from audience_sync.events.reachability import unreachable
from audience_sync.events.security import KafkaSecurity, KafkaSecurityError, Mechanism
from audience_sync.events.security_parameters import kafka_python_parameters
from audience_sync.formats import RawRecord

Answer = TypeVar("Answer")

_NOT_SPOKEN: Final = (IncompatibleBrokerVersion, UnsupportedVersionError, NotImplementedError)
_GREETING_SHARE: Final = 0.8
"""Part of the time that the first answer may take, so that a silent broker is told from a slow question."""
_LOOK_AGAIN_SECONDS: Final = 0.1


class KafkaAdminError(Exception):
    """Kafka can't be asked, or is not as it must be: the message names the address and the way out."""


class NotSpokenError(Exception):
    """The broker has no such call, which says nothing about what was asked for (an embedded broker, say)."""


@dataclass(frozen=True, kw_only=True)
class KafkaAddress:
    """Where Kafka is, how the connection is protected, and how long one `ask` may take."""

    bootstrap: str
    """One or more `host:port`, joined by commas."""
    security: KafkaSecurity
    timeout_seconds: float = 10.0


def ask(address: KafkaAddress, question: Callable[["KafkaAdmin"], Answer]) -> Answer:
    """What *question* finds, within the time allowed; blocks for it. Nothing stays open.

    Raises KafkaAdminError, and nothing of the library's own; what *question* raises otherwise comes through.
    """
    where = f"Kafka at {address.bootstrap}"
    deadline = time.monotonic() + address.timeout_seconds
    answers: SimpleQueue[Callable[[], Answer]] = SimpleQueue()

    def work() -> None:
        """Runs in a thread of its own, which can be left behind where the library waits without end."""
        try:
            answer = question(kafka)
        except BaseException as error:  # crosses the thread and is raised again below
            answers.put(_raiser(error))
        else:
            answers.put(lambda: answer)
        finally:
            kafka.close()

    try:
        if (why := unreachable(address.bootstrap, address.security, address.timeout_seconds)) is not None:
            raise KafkaAdminError(why)
        kafka = KafkaAdmin(address, deadline)
        with _quiet():
            threading.Thread(target=work, name="kafka-admin", daemon=True).start()
            return answers.get(timeout=max(0.0, deadline - time.monotonic()))()
    except KafkaSecurityError as error:
        raise KafkaAdminError(f"{where}: {error}") from None
    except (
        KafkaError,
        AssertionError,
        OSError,
        ValueError,
        struct.error,
    ) as error:  # what the library raises
        raise KafkaAdminError(f"{where}: {_meaning(error, address.security)}") from None
    except Empty:
        kafka.close()
        raise KafkaAdminError(
            f"{where} gave no answer within {address.timeout_seconds:g} s; {_see(address.security)}"
        ) from None


class KafkaAdmin:
    """Questions to one Kafka. Made by `ask` and used in its thread; a client is opened when first needed."""

    def __init__(self, address: KafkaAddress, deadline: float) -> None:
        self._deadline = deadline
        self._parameters: dict[str, object] = {
            "bootstrap_servers": [each.strip() for each in address.bootstrap.split(",")],
            "client_id": "audience-sync",
            "api_version_auto_timeout_ms": math.ceil(address.timeout_seconds * _GREETING_SHARE * 1000),
            **kafka_python_parameters(address.security),
        }
        self._clients: dict[type, Any] = {}  # by class; the library has no types
        self._closed = False
        self._lock = threading.Lock()

    def partitions(self, topics: Sequence[str]) -> dict[str, int]:
        """How many partitions each of *topics* has; one that is not there, or not shown to us, is left out.

        Asks for all topics there are: asking for one by its name may create it.
        """
        consumer = self._consumer()
        there = consumer.topics()
        return {topic: len(consumer.partitions_for_topic(topic)) for topic in topics if topic in there}

    def topics(self) -> frozenset[str]:
        """The names of all topics that are there, as far as they are shown to us; Kafka's own are among them."""
        return frozenset(self._consumer().topics())

    def create(
        self, topic: str, *, partitions: int, replication: int, configuration: Mapping[str, str]
    ) -> None:
        """Create a topic and wait until it shows. Safe to repeat. A *replication* of -1 is the broker's default.

        Raises NotSpokenError, and KafkaAdminError if the broker refuses.
        """
        new = NewTopic(
            topic, num_partitions=partitions, replication_factor=1, topic_configs=dict(configuration)
        )
        new.replication_factor = replication  # the constructor refuses -1, which the protocol allows
        try:
            self._admin().create_topics([new])
        except TopicAlreadyExistsError:
            pass  # another replica was quicker, and asked for the same
        except _NOT_SPOKEN as error:
            raise NotSpokenError(type(error).__name__) from None
        except KafkaError as error:
            why = type(error).__name__
            raise KafkaAdminError(
                f"topic {topic!r} can't be created: {why}; allow it to this user, or create the topic by hand"
            ) from None
        while time.monotonic() < self._deadline and not self.partitions([topic]):
            time.sleep(_LOOK_AGAIN_SECONDS)

    def configuration(self, topic: str) -> dict[str, str | None]:
        """A topic's configuration. Raises NotSpokenError, also when it is not told to this user."""
        try:
            [answer] = self._admin().describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        except _NOT_SPOKEN as error:
            raise NotSpokenError(type(error).__name__) from None
        [(error_code, _, _, _, entries)] = answer.resources
        if error_code:
            raise NotSpokenError(f"error {error_code}")
        return {entry[0]: entry[1] for entry in entries}

    def reconfigure(self, topic: str, configuration: Mapping[str, str]) -> None:
        """Give a topic all of this configuration; what is not in it is the broker's default again.

        Raises NotSpokenError, and KafkaAdminError if the broker refuses.
        """
        change = ConfigResource(ConfigResourceType.TOPIC, topic, configs=dict(configuration))
        try:
            [(error_code, message, *_)] = self._admin().alter_configs([change]).resources
        except _NOT_SPOKEN as error:
            raise NotSpokenError(type(error).__name__) from None
        if error_code:
            raise KafkaAdminError(
                f"topic {topic!r} can't be configured: {message or error_code}; allow it, or do it by hand"
            )

    def copies(self, topic: str) -> int:
        """How many replicas each partition of a topic has, at least. Raises NotSpokenError."""
        try:
            [answer] = self._admin().describe_topics([topic])
        except _NOT_SPOKEN as error:
            raise NotSpokenError(type(error).__name__) from None
        return min((len(partition["replicas"]) for partition in answer["partitions"]), default=0)

    def last_records(self, topic: str, most: int) -> list[RawRecord]:
        """The last records, equally many of each partition, *most* in all.

        Reads outside of any group and commits nothing; what a transaction took back is among them (the library
        can't tell). Ends early rather than late when time is short.
        """
        consumer = self._consumer()
        there = [
            TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        if not there:
            return []
        ends, starts = consumer.end_offsets(there), consumer.beginning_offsets(there)
        each = max(1, most // len(there))
        consumer.assign(there)
        for partition in there:
            consumer.seek(partition, max(starts[partition], ends[partition] - each))
        records: list[RawRecord] = []
        unread = set(there)
        while unread and len(records) < most and time.monotonic() + 2 * _LOOK_AGAIN_SECONDS < self._deadline:
            try:
                polled = consumer.poll(timeout_ms=math.ceil(_LOOK_AGAIN_SECONDS * 1000))
            except CorruptRecordException:
                break  # a header's name is no UTF-8: the library can't read on, and a sample may be smaller
            for batch in polled.values():
                records += [RawRecord(record.value, record.key, record.headers) for record in batch]
            unread = {partition for partition in there if consumer.position(partition) < ends[partition]}
        return records[:most]

    def committed(self, group: str) -> dict[tuple[str, int], int]:
        """{(topic, partition): position} that *group* has committed. Joins nothing. Raises NotSpokenError."""
        try:
            found = self._admin().list_consumer_group_offsets(group)
        except GroupCoordinatorNotAvailableError:
            return {}  # where no group has ever committed
        except _NOT_SPOKEN as error:
            raise NotSpokenError(type(error).__name__) from None
        return {(each.topic, each.partition): at.offset for each, at in found.items() if at.offset >= 0}

    def close(self) -> None:
        """Close what is open; what is opened later is closed at once. Safe to repeat, from any thread."""
        with self._lock:
            self._closed = True
            clients = list(self._clients.values())
            self._clients.clear()
        for client in clients:
            client.close()

    def _consumer(self) -> Any:
        return self._client(KafkaConsumer, group_id=None)

    def _admin(self) -> Any:
        return self._client(KafkaAdminClient)

    def _client(self, kind: type, **parameters: object) -> Any:
        if kind not in self._clients:
            client = kind(**self._parameters, **parameters)
            with self._lock:
                if not self._closed:
                    self._clients[kind] = client
            if self._closed:
                client.close()
                raise KafkaAdminError("the time for this question is over")
        return self._clients[kind]


def _raiser(error: BaseException) -> Callable[[], Any]:
    def raise_it() -> Any:
        raise error

    return raise_it


def _meaning(error: Exception, security: KafkaSecurity) -> str:
    """A library's error as a sentence. Its own text is left out, as it may quote what is secret."""
    kind = type(error).__name__
    mechanism = security.mechanism
    match error:
        case UnsupportedSaslMechanismError():
            return f"the broker does not accept {mechanism}; correct sasl_mechanism"
        case AuthenticationFailedError() if mechanism is Mechanism.OAUTHBEARER:
            return "the broker refuses the token; see sasl_token_file"
        case AuthenticationFailedError():
            return (
                f"the broker refuses the credentials for {mechanism}; correct sasl_username or sasl_password"
            )
        case TopicAuthorizationFailedError():
            return "this user may not read the topic; grant Read and Describe on it"
        case GroupAuthorizationFailedError():
            return "this user may not use the group of group_id; grant Read on it"
        case _ if security.uses_sasl:
            secret = (
                "sasl_token_file" if mechanism is Mechanism.OAUTHBEARER else "sasl_username and sasl_password"
            )
            return (
                f"it takes connections, but no session over {security.protocol} with {mechanism} ({kind}); "
                f"correct security_protocol, sasl_mechanism, or {secret}"
            )
        case _:
            return f"it takes connections, but does not answer as Kafka ({kind}); {_see(security)}"


def _see(security: KafkaSecurity) -> str:
    return (
        f"see whether that port speaks {security.protocol} (security_protocol), whether the broker is healthy, and "
        f"whether the addresses that it advertises can be reached from here"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """No log lines of the library: each try to connect is one, with tracebacks, and at DEBUG its settings.

    Its SCRAM code writes to the root logger, where only a filter tells its lines from others.
    """
    logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)
    root = logging.getLogger()
    root.addFilter(_is_not_of_the_library)
    try:
        yield
    finally:
        root.removeFilter(_is_not_of_the_library)


def _is_not_of_the_library(record: logging.LogRecord) -> bool:
    return "kafka/sasl/" not in record.pathname
