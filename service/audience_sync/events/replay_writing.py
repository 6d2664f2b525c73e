"""Replays into their topic."""

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from audience_sync.events.kafka_admin import KafkaAddress, KafkaAdminError
from audience_sync.events.protection import Protection
from audience_sync.events.replays import Replay
from audience_sync.events.security_parameters import aiokafka_parameters
from audience_sync.events.stream import LARGEST_DEAD_LETTER_BYTES


class ReplayWriter:
    """Writes replays; a context manager. Raises KafkaAdminError where Kafka fails."""

    def __init__(self, address: KafkaAddress, *, topic: str) -> None:
        self._address = address
        self._topic = topic
        self._producer: Any = AIOKafkaProducer(
            bootstrap_servers=[each.strip() for each in address.bootstrap.split(",")],
            client_id="audience-sync",
            acks="all",
            enable_idempotence=True,
            compression_type="zstd",
            max_request_size=LARGEST_DEAD_LETTER_BYTES,
            **aiokafka_parameters(Protection(address.security)),
        )

    async def __aenter__(self) -> Self:
        try:
            await self._producer.start()
        except KafkaError as error:
            await self._producer.stop()
            raise self._failed(error) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._producer.stop()

    async def write(self, replays: Iterable[tuple[int, Replay]]) -> list[int]:
        """Write each to the partition of its number; returns when all in-sync replicas have them.

        Returns, for each, one past its position: what is committed once it is settled.
        """
        try:
            sent = [
                await self._producer.send(
                    self._topic, msgspec.json.encode(replay), key=replay.user.encode(), partition=number
                )
                for number, replay in replays
            ]
            return [record.offset + 1 for record in await asyncio.gather(*sent)]
        except (KafkaError, AssertionError) as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> KafkaAdminError:
        return KafkaAdminError(f"Kafka at {self._address.bootstrap}: {type(error).__name__}: {error}")
