"""FastStream's broker and batch subscriber, set up so that nothing is acknowledged, dropped or decoded for us."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, codec
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER

from audience_sync.events.header_names import read_any_header_name
from audience_sync.events.read_records import ReadRecord, hand_out_only_what_is_used
from audience_sync.events.security_parameters import BrokerParameters

BATCH_TIMEOUT_MILLISECONDS: Final = 50
"""How long a poll waits for records. FastStream sleeps as long again after an empty one, without listening."""

LARGEST_DEAD_LETTER_BYTES: Final = 16 * 1024 * 1024
"""A dead letter has the record's bytes in base64, a third more, before it is compressed."""


class StreamOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the consumer and the producer are told. Durations in seconds."""

    bootstrap_servers: str
    client_id: str
    group_id: str
    instance_id: str | None
    isolation_level: Literal["read_committed", "read_uncommitted"]
    session_timeout_seconds: float
    heartbeat_seconds: float
    rebalance_timeout_seconds: float
    max_batch_records: int


class Stream:
    """The connection to Kafka: batches in through *take*, dead letters out through `publish`.

    take: gets each batch, in the turn of the event loop in which the poll returned it. What it raises goes
    to *failed*, for FastStream would log it and read on.
    """

    def __init__(
        self,
        options: StreamOptions,
        *,
        topics: Sequence[str],
        security: BrokerParameters,
        listener: ConsumerRebalanceListener,
        take: Callable[[Sequence[Any]], Awaitable[None]],
        failed: Callable[[BaseException], None],
        middlewares: Sequence[Any] = (),
    ) -> None:
        read_any_header_name()
        hand_out_only_what_is_used()
        self._failed = failed
        self._take = take
        self.broker = KafkaBroker(
            [server.strip() for server in options.bootstrap_servers.split(",")],
            client_id=options.client_id,
            **security,
            acks="all",
            enable_idempotence=True,
            compression_type="zstd",
            max_request_size=LARGEST_DEAD_LETTER_BYTES,
            request_timeout_ms=10_000,
            allow_auto_create_topics=False,
            apply_types=False,
            graceful_timeout=None,
            middlewares=middlewares,
            logger=logging.getLogger("audience_sync.faststream"),
            log_level=logging.DEBUG,
        )
        self._subscriber = self.broker.subscriber(
            *topics,
            batch=True,
            group_id=options.group_id,
            group_instance_id=options.instance_id,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            isolation_level=options.isolation_level,
            partition_assignment_strategy=[RangePartitionAssignor],
            session_timeout_ms=int(options.session_timeout_seconds * 1000),
            heartbeat_interval_ms=int(options.heartbeat_seconds * 1000),
            rebalance_timeout_ms=int(options.rebalance_timeout_seconds * 1000),
            batch_timeout_ms=BATCH_TIMEOUT_MILLISECONDS,
            max_records=options.max_batch_records,
            listener=listener,
            parser=_untouched,
            decoder=_undecoded,
        )
        self._subscriber(self._handle)
        self._handed_over = True
        self._process = self._subscriber.process_message
        self._subscriber.process_message = self._watched  # type: ignore[method-assign,assignment]  # its answer is not used

    @property
    def kafka(self) -> AIOKafkaConsumer:
        """The consumer of aiokafka below FastStream's subscriber; there once `start` has begun."""
        assert self._subscriber.consumer is not None, "the stream has not been started"
        return self._subscriber.consumer

    async def start(self) -> None:
        """Connect and join the group; returns when partitions were assigned. Raises KafkaError."""
        await self.broker.start()

    async def stop(self) -> None:
        """Leave the group and disconnect. Commits nothing."""
        await self.broker.stop()

    async def publish(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Write a record; returns when all in-sync replicas have it. Raises OSError if they may not have it."""
        try:
            await self.broker.publish(value, topic, key=key)
        except KafkaError as error:
            raise OSError(f"{topic}: {type(error).__name__}: {error}") from error

    async def _watched(self, records: Any) -> Any:
        """Let FastStream process a batch, and see that it reaches the handler.

        What breaks on the way there (a middleware, the library itself) FastStream logs, and reads on.
        """
        self._handed_over = False
        try:
            return await self._process(records)
        except Exception as error:
            self._failed(error)
            raise
        finally:
            if not self._handed_over:
                self._failed(
                    RuntimeError("a batch was lost on its way to the handler; reading must not go on")
                )

    async def _handle(self, records: Sequence[Any]) -> None:
        """Hand the batch on. Nothing is acknowledged here: positions are committed once they are settled."""
        self._handed_over = True
        try:
            await self._take(records)
        except Exception as error:  # whatever it is, consumption ends with it
            self._failed(error)
        # A poll returns at once while anything is buffered, and so would this, again and again. Heartbeats, requests
        # and probes have their turn between two batches.
        await asyncio.sleep(0)


async def _untouched(records: tuple[ReadRecord, ...]) -> KafkaMessage:
    """The batch as it is. FastStream's own parser fails a whole batch on one header that is no UTF-8."""
    return KafkaMessage(raw_message=records, body=b"", consumer=FAKE_CONSUMER)


async def _undecoded(message: KafkaMessage) -> Any:
    """The records themselves: each is decoded alone, so that an unreadable one harms no other."""
    return message.raw_message


def missing_codecs() -> Mapping[str, str]:
    """{codec: package} of Kafka's codecs that can't be read here: FastStream would try such a batch for ever."""
    has = {"snappy": codec.has_snappy, "lz4": codec.has_lz4, "zstd": codec.has_zstd, "gzip": codec.has_gzip}
    return {name: "cramjam" for name, there in has.items() if not there()}
