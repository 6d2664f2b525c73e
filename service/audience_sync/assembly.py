"""Builds every object once and connects them; hands everyone the clock and the random source."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import structlog
from aiokafka.errors import KafkaError
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from audience_sync import __version__
from audience_sync.admin.server import AdminServer
from audience_sync.chat_api.client import ChatApi
from audience_sync.chat_api.errors import BY_CODE
from audience_sync.chat_api.signature import Signature
from audience_sync.core.changes import Endpoint, Request, UserId
from audience_sync.core.debouncer import DebounceTimes
from audience_sync.core.event import Unusable
from audience_sync.core.folding import changes_of
from audience_sync.core.halt import Halt
from audience_sync.core.ledger import Mark
from audience_sync.core.ownership import Bounds, Ownership, PartitionKey
from audience_sync.core.pace import Pace
from audience_sync.core.rules import Rules
from audience_sync.core.tenure import Tenure
from audience_sync.core.verdicts import Refusal
from audience_sync.delivery.loop import Delivery
from audience_sync.delivery.sender import Sender
from audience_sync.delivery.shutdown import drain
from audience_sync.events.consumer import Consumer
from audience_sync.events.dead_letters import DeadLetters, Origin, refused_letter, unusable_letter
from audience_sync.events.intake import Intake, Record
from audience_sync.events.kafka_admin import KafkaAddress
from audience_sync.events.positions import Positions
from audience_sync.events.preflight import check_topics, sample_keys
from audience_sync.events.security import KafkaSecurity, Mechanism, Protocol, token_from
from audience_sync.events.security_parameters import faststream_parameters
from audience_sync.events.stream import Stream, StreamOptions, missing_codecs
from audience_sync.events.translator import Translator
from audience_sync.settings import ChatSettings, KafkaSettings, Settings, SettingsError, secret
from audience_sync.telemetry.gauges import keep_gauges
from audience_sync.telemetry.health import State, not_live, not_ready
from audience_sync.telemetry.metrics import REFUSED_BY_NAME, Metrics
from audience_sync.telemetry.watch import Watch

COMMIT_TIMEOUT_SECONDS: Final = 2.0
"""A commit that takes longer is not worth waiting for: the next one says the same, or more."""


class StreamError(Exception):
    """Kafka could not be worked with; the message says what to look at."""


class Clock:
    """Epoch seconds: the wall clock at the start, and monotonic time since. It never goes back."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def __call__(self) -> float:
        """The moment now."""
        return self._offset + time.monotonic()


class Service:
    """The whole service. `run` does its work until it is stopped."""

    def __init__(self, settings: Settings, rules: Rules) -> None:
        self._settings = settings
        self._rules = rules
        self._log: structlog.stdlib.BoundLogger = structlog.get_logger("audience_sync")
        self._clock = Clock()
        self._random = random.Random()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._started = self._draining = False
        self._partitions_of_all = 0

        kafka, debounce = settings.kafka, settings.debounce
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry, topics=rules.topics, codes=BY_CODE)
        watch = Watch(self.metrics, self._log)
        self._security = security_of(kafka)
        self._chat = chat_api(settings.chat, wall_clock=time.time, chance=self._random)
        self._translator = Translator(rules)
        self._times = DebounceTimes(
            quiet_seconds=debounce.quiet_seconds,
            longest_wait_seconds=debounce.longest_wait_seconds,
            fill_seconds=debounce.fill_seconds,
        )
        self._paces = {
            endpoint: Pace(
                calls_per_second=settings.chat.calls_per_second, most_in_flight=settings.chat.most_in_flight
            )
            for endpoint in Endpoint
        }
        self._halt = Halt()
        self._dead_letters = DeadLetters(
            publish=self._publish_dead_letter, watch=watch, chance=self._random.random, sleep=asyncio.sleep
        )
        self._delivery = Delivery(
            send=Sender(self._chat.send).send,
            give_up=self._give_up,
            paces=self._paces,
            halt=self._halt,
            watch=watch,
            clock=self._clock,
            chance=self._random.random,
        )
        self._positions = Positions(
            kafka=lambda: self._stream.kafka,
            timeout_seconds=COMMIT_TIMEOUT_SECONDS,
            clock=self._clock,
            watch=watch,
        )
        bounds = Bounds(
            lease_seconds=kafka.lease_seconds,
            request_timeout_seconds=settings.chat.request_timeout_seconds,
            max_unsettled_records=kafka.max_unsettled_records,
        )
        self._consumer = Consumer(
            intake=Intake(
                translate=self._translator.translate,
                bury=self._bury,
                stopped=lambda: bool(self._halt) or self._dead_letters.full or self._draining,
                max_waiting_users=debounce.max_waiting_users,
                clock=self._clock,
                watch=watch,
            ),
            positions=self._positions,
            begin=self._begin_tenure,
            end=self._end_tenure,
            nudge=self._delivery.nudge,
            topics=rules.topics,
            bounds=bounds,
            commit_interval_seconds=kafka.commit_interval_seconds,
            clock=self._clock,
            watch=watch,
        )
        self._stream = Stream(
            StreamOptions(
                bootstrap_servers=kafka.bootstrap_servers,
                client_id=kafka.client_id,
                group_id=kafka.group_id,
                instance_id=kafka.instance_id,
                isolation_level=kafka.isolation_level,
                session_timeout_seconds=kafka.session_timeout_seconds,
                heartbeat_seconds=kafka.heartbeat_seconds,
                rebalance_timeout_seconds=kafka.rebalance_timeout_seconds,
                max_batch_records=kafka.max_batch_records,
            ),
            topics=rules.topics,
            security=faststream_parameters(self._security),
            listener=self._consumer,
            take=self._consumer.take,
            failed=self._failed,
            middlewares=[KafkaPrometheusMiddleware(registry=self.registry, app_name="audience-sync")],
        )
        self._admin = AdminServer(
            broker=self._stream.broker,
            registry=self.registry,
            state=self._state,
            status=self._status,
            host=settings.admin.bind_host,
            port=settings.admin.bind_port,
        )
        keep_gauges(
            self.metrics,
            tenure=lambda: self._consumer.tenure,
            paces=self._paces,
            unread=self._positions.unread,
            ready=lambda: not_ready(self._state()) is None,
            clock=self._clock,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Work until *stop* is set, then drain and leave.

        Raises KafkaAdminError, PortTakenError or StreamError if the work can't begin or go on.
        """
        if missing := missing_codecs():
            raise StreamError(f"codecs are missing: {', '.join(missing)}; install the package cramjam")
        listener = self._admin.listen()
        async with self._chat, asyncio.TaskGroup() as tasks:
            served = tasks.create_task(self._admin.serve(listener))
            try:
                await self._preflight()
                self._log.info(
                    "starting",
                    version=__version__,
                    topics=list(self._rules.topics),
                    admin_port=listener.getsockname()[1],
                )
                if not stop.is_set():
                    async with self._working():
                        await self._until_stopped(stop)
            finally:
                self._admin.stop()
            await served
        self._log.info("stopped", **self.metrics.totals())

    @contextlib.asynccontextmanager
    async def _working(self) -> AsyncIterator[None]:
        """The parts that wait, for as long as there is something to wait for."""
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(part())
                for part in (self._delivery.run, self._consumer.run, self._dead_letters.run)
            ]
            try:
                yield
            finally:
                for task in running:
                    task.cancel()

    async def _until_stopped(self, stop: asyncio.Event) -> None:
        stopped = asyncio.ensure_future(stop.wait())
        starting = asyncio.ensure_future(self._stream.start())
        try:
            await _first_of(stopped, starting, self._failure)
            if starting.done():
                starting.result()
                self._started = True
                await _first_of(stopped, self._failure)
            if self._failure.done():
                self._failure.result()
            await self._drain()
        except KafkaError as error:
            raise StreamError(f"Kafka: {type(error).__name__}: {error}") from error
        finally:
            stopped.cancel()
            starting.cancel()
            await self._stream.stop()

    async def _drain(self) -> None:
        self._draining = True
        self._log.info("draining", seconds=self._settings.drain_seconds)
        last = self._settings.chat.request_timeout_seconds + COMMIT_TIMEOUT_SECONDS
        left = await drain(
            delivery=self._delivery,
            tenure=lambda: self._consumer.tenure,
            end_tenure=self._consumer.end_tenure,
            seconds=max(0.0, self._settings.drain_seconds - last),
        )
        self._log.info("drained", users_left_to_the_next_owner=left)

    async def _preflight(self) -> None:
        kafka = self._settings.kafka
        address = KafkaAddress(
            bootstrap=kafka.bootstrap_servers,
            security=self._security,
            timeout_seconds=kafka.preflight_seconds,
        )
        checked = await asyncio.to_thread(
            check_topics,
            address,
            sources=self._rules.topics,
            dead_letters=self._settings.dead_letters.topic,
            create_partitions=kafka.create_partitions if kafka.create_topics else None,
            create_replication=kafka.create_replication,
        )
        for warning in checked.warnings:
            self._log.warning("preflight", text=warning)
        self._partitions_of_all = sum(
            count for topic, count in checked.partitions.items() if topic in self._rules.topics
        )
        samples = await asyncio.to_thread(
            sample_keys, address, topics=self._rules.topics, translate=self._translator.translate
        )
        for topic, sample in samples.items():
            if sample.with_other_key:
                self._log.warning(
                    "foreign_keys_in_sample",
                    topic=topic,
                    records=sample.with_changes,
                    with_other_key=sample.with_other_key,
                    way_out="key the topic by the rule's user, or the order of his changes is not certain",
                )

    def _begin_tenure(self, ownership: Ownership) -> Tenure:
        tenure = Tenure(ownership, self._times)
        of_all = max(self._partitions_of_all, len(ownership.partitions))
        self._delivery.begin(tenure, share=len(ownership.partitions) / of_all if of_all else 0.0)
        return tenure

    async def _end_tenure(self, tenure: Tenure) -> None:
        await self._delivery.end(tenure)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(COMMIT_TIMEOUT_SECONDS):
                await self._dead_letters.written()

    def _bury(self, key: PartitionKey, record: Record, event: Unusable, mark: Mark) -> None:
        letter = unusable_letter(
            origin=Origin(key.topic, key.number, record.offset, mark.at),
            key=record.key,
            value=record.value,
            cause=event.cause,
            info=event.info,
            now=self._clock(),
        )
        self._dead_letters.bury(record.key, letter, lambda: self._settled(mark))

    def _settled(self, mark: Mark) -> None:
        mark.settle()
        self._consumer.turn()

    async def _give_up(self, tenure: Tenure, request: Request, user_id: UserId, refusal: Refusal) -> None:
        letter = refused_letter(
            user_id=user_id,
            changes=changes_of(request.endpoint, request.parts[user_id]),
            marks=tenure.debouncer.marks_of(user_id),
            cause=REFUSED_BY_NAME,
            refusal=refusal,
            now=self._clock(),
        )
        await self._dead_letters.bury_and_wait(user_id.encode(), letter)

    async def _publish_dead_letter(self, key: bytes | None, value: bytes) -> None:
        await self._stream.publish(self._settings.dead_letters.topic, key, value)

    def _failed(self, error: BaseException) -> None:
        if not self._failure.done():
            self._failure.set_exception(error)

    def _state(self) -> State:
        now, tenure = self._clock(), self._consumer.tenure
        return State(
            started=self._started,
            draining=self._draining,
            loop_turned_ago=now - self._delivery.turned_at,
            polled_ago=self._consumer.polled_seconds_ago if self._started else 0.0,
            assigned=tenure is not None,
            lease_valid=tenure is not None and tenure.ownership.lease_valid(now),
            held_numbers=len(tenure.ownership.held_numbers) if tenure else 0,
            incomplete_numbers=len(tenure.ownership.incomplete_numbers) if tenure else 0,
            dead_letters_full=self._dead_letters.full,
            stopped=self._halt.reason,
        )

    def _status(self) -> dict[str, Any]:
        """What /status tells. No user is named."""
        now, state, tenure = self._clock(), self._state(), self._consumer.tenure
        status: dict[str, Any] = {
            "version": __version__,
            "live": not_live(state) is None,
            "ready": not_ready(state) is None,
            "reason": not_live(state) or not_ready(state),
            "waiting_users": len(tenure.debouncer) if tenure else 0,
            "endpoints": {
                endpoint: {
                    "ready_users": tenure.debouncer.ready.waiting(endpoint) if tenure else 0,
                    "in_flight": pace.in_flight,
                    "calls_per_second": round(pace.calls_per_second(now), 3),
                }
                for endpoint, pace in self._paces.items()
            },
            "partitions": [],
        }
        if tenure is not None:
            held = set(tenure.ownership.held_numbers)
            status["partitions"] = [
                {
                    "topic": key.topic,
                    "partition": key.number,
                    "read_position": ledger.read_position,
                    "settled_position": ledger.settled_position,
                    "unread": self._positions.unread(key),
                    "held": key.number in held,
                }
                for key, ledger in tenure.ownership.ledgers()
            ]
        return status


async def _first_of(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


def chat_api(settings: ChatSettings, *, wall_clock: Callable[[], float], chance: random.Random) -> ChatApi:
    """The client for the account that the settings name. Raises SettingsError.

    wall_clock: epoch seconds as the host has them now, corrections included: the server compares with its own.
    """
    key = secret(settings.signing_key, settings.signing_key_file, name="AUDIENCE_SYNC_CHAT__SIGNING_KEY_FILE")
    if key is None or not key.get_secret_value():
        raise SettingsError("AUDIENCE_SYNC_CHAT__SIGNING_KEY: the key is empty")
    signature = Signature(
        settings.app_id, settings.admin, key, life_seconds=settings.signature_life_seconds, clock=wall_clock
    )
    return ChatApi(
        base_url=settings.base_url,
        app_id=settings.app_id,
        signature=signature,
        request_timeout_seconds=settings.request_timeout_seconds,
        connections=settings.most_in_flight * len(Endpoint),
        random=chance,
    )


def security_of(settings: KafkaSettings) -> KafkaSecurity:
    """How connections to Kafka are protected. Raises KafkaSecurityError, SettingsError."""
    password: SecretStr | None = secret(
        settings.sasl_password, settings.sasl_password_file, name="AUDIENCE_SYNC_KAFKA__SASL_PASSWORD_FILE"
    )
    return KafkaSecurity(
        protocol=Protocol(settings.security_protocol),
        mechanism=None if settings.sasl_mechanism is None else Mechanism(settings.sasl_mechanism),
        username=settings.sasl_username,
        password=password,
        ca_file=settings.ssl_ca_file,
        cert_file=settings.ssl_certificate_file,
        key_file=settings.ssl_key_file,
        token=None if settings.sasl_token_file is None else token_from(settings.sasl_token_file),
    )
