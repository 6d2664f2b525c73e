"""Builds every object once and connects them; hands everyone the clock and the random source."""

import asyncio
import os
import random
import socket
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress

import structlog
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from audience_sync import __version__
from audience_sync.admin.server import AdminServer
from audience_sync.admin.status import Status
from audience_sync.chat_api.accounts import Account
from audience_sync.chat_api.client import ChatApi
from audience_sync.chat_api.errors import BY_CODE
from audience_sync.core.changes import Endpoint
from audience_sync.core.guard import Guard
from audience_sync.core.halt import Halt
from audience_sync.core.ownership import Bounds, Ownership, PartitionKey
from audience_sync.core.pace import Pace
from audience_sync.core.pauses import Pauses, topics_of_rules
from audience_sync.core.rules import Rules
from audience_sync.core.shares import Shares
from audience_sync.core.tenure import Memory, Tenure
from audience_sync.core.verdicts import UnknownAccounts
from audience_sync.delivery.accounts import Accounts
from audience_sync.delivery.attribute_names import AttributeNames
from audience_sync.delivery.loop import Delivery
from audience_sync.delivery.sender import Sender
from audience_sync.delivery.shutdown import drain
from audience_sync.events.burial import Burial
from audience_sync.events.consumer import Consumer
from audience_sync.events.copies import CopyMaker
from audience_sync.events.dead_letters import DeadLetters
from audience_sync.events.intake import Intake
from audience_sync.events.positions import Positions
from audience_sync.events.preflight import check_topics, sample_keys
from audience_sync.events.protection import Protection
from audience_sync.events.rekeying import Rekeying, Targets
from audience_sync.events.replays import Replays
from audience_sync.events.schemas import Described, Schemas, UnknownSchemaError
from audience_sync.events.security import KafkaSecurity
from audience_sync.events.security_parameters import aiokafka_parameters, faststream_parameters
from audience_sync.events.stream import Stream, StreamOptions
from audience_sync.events.topics import TopicsChecked
from audience_sync.events.translator import Translator
from audience_sync.operators_page import OperatorsPage
from audience_sync.outside.chat import chat_api, signature_of, signing_key
from audience_sync.outside.kafka import kafka_address, login_files, security_of
from audience_sync.outside.registry import schema_registry
from audience_sync.rotation import Rotated, Rotation
from audience_sync.rules.reload import Reload
from audience_sync.service import COMMIT_TIMEOUT_SECONDS, Service, StreamError
from audience_sync.settings import (
    KafkaSettings,
    RegistrySettings,
    Settings,
    SettingsError,
)
from audience_sync.telemetry.gauges import keep_gauges
from audience_sync.telemetry.metrics import Credential, Metrics
from audience_sync.telemetry.watch import Watch
from audience_sync.tracing import traces


class Clock:
    """Epoch seconds: the wall clock at the start, and monotonic time since. It never goes back."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def __call__(self) -> float:
        """The moment now."""
        return self._offset + time.monotonic()


def assemble(settings: Settings, rules: Rules, *, load: Callable[[], Rules] | None = None) -> Service:
    """The service that *settings* and *rules* describe, ready to run in the running event loop.

    load: reads the rules file again, when it has changed; None: the rules stay as they are.
    Nothing is connected yet. Raises SettingsError and KafkaSecurityError for files that can't be used.
    """
    log: structlog.stdlib.BoundLogger = structlog.get_logger("audience_sync")
    clock, chance = Clock(), random.Random()
    registry = CollectorRegistry()
    rekeyed = (settings.kafka.rekeyed_topic,) if rules.rekeyed else ()
    if rekeyed and settings.kafka.isolation_level != "read_committed":
        raise SettingsError(
            "AUDIENCE_SYNC_KAFKA__ISOLATION_LEVEL: with sources that are re-keyed it has to be read_committed, or "
            "copies that were taken back would count"
        )
    topics = (
        *(each for each in rules.topics if each not in rules.rekeyed),
        *rekeyed,
        settings.dead_letters.replays,
    )
    metrics = Metrics(registry, topics=(*rules.rekeyed, *topics), codes=BY_CODE)
    stops = settings.kafka.lost_records == "stop"
    watch = _WatchThatStops(metrics, log, stop=lambda error: failed(error)) if stops else Watch(metrics, log)
    kafka, request_timeout = settings.kafka, settings.chat.request_timeout_seconds
    protection = Protection(security_of(kafka))
    schemas, fetch_schemas = _schemas(
        settings.registry, watch=watch, fetched=lambda: consumer.turn(), clock=clock, chance=chance
    )
    find = None if settings.registry.url is None else schemas.find
    translator = Translator(rules, find, rekeyed_topic=kafka.rekeyed_topic, all_times=False)
    spans = traces(os.environ, group_id=kafka.group_id, replica=kafka.instance_id or socket.gethostname())
    shares = Shares()
    failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    signature = signature_of(settings.chat, wall_clock=time.time)
    chat = chat_api(settings.chat, signature=signature, chance=chance)
    halt, of_app = Halt(), settings.chat.calls_per_second_of_app
    pauses = Pauses(topics_of_rules(rules))
    operators_page = OperatorsPage.of(settings, lambda: kafka_address(settings, protection.security))
    paces = {
        endpoint: Pace(
            calls_per_second=settings.chat.calls_per_second, most_in_flight=settings.chat.most_in_flight
        )
        for endpoint in Endpoint
    }
    dead_letters = DeadLetters(
        publish=lambda key, value: stream.publish(settings.dead_letters.topic, key, value),
        watch=watch,
        chance=chance.random,
        sleep=asyncio.sleep,
    )
    guard = Guard(most_per_minute=settings.dead_letters.most_per_minute)
    burial = Burial(
        dead_letters, guard=guard, settled=lambda: consumer.turn(), clock=clock, sleep=asyncio.sleep
    )
    delivery = Delivery(
        send=Sender(chat.send).send if spans is None else spans.sending(Sender(chat.send).send),
        give_up=burial.refused,
        accounts=Accounts(
            check=lambda users: _existing(chat, users),
            create=lambda user: chat.import_account(Account(user)),
            unknown=UnknownAccounts(settings.chat.unknown_accounts),
            codes=chat.profile.unknown_account_codes,
        ),
        paces=paces,
        halt=halt,
        watch=watch,
        clock=clock,
        chance=chance.random,
        pace_of_all=None
        if of_app is None
        else Pace(calls_per_second=of_app, most_in_flight=settings.chat.most_in_flight * len(Endpoint)),
        paused=lambda endpoint: not pauses.sends_to(endpoint),
        remember=None if operators_page is None else operators_page.last_confirmed.confirmed,
    )
    times = settings.debounce.times

    memory = Memory(
        confirmed_seconds=settings.repeats.known_seconds,
        confirmed_names=settings.repeats.known_names,
        timed_names=settings.event_time.known_names,
    )

    def begin(ownership: Ownership) -> Tenure:
        if spans is not None:
            spans.forget()
        tenure = Tenure(ownership, times, memory)
        delivery.begin(
            tenure,
            share=shares.of(ownership.partitions, settings.chat.calls_per_second),
            share_of_all=1.0 if of_app is None else shares.of(ownership.partitions, of_app),
        )
        return tenure

    async def end(tenure: Tenure) -> None:
        await delivery.end(tenure)
        with suppress(TimeoutError):
            async with asyncio.timeout(COMMIT_TIMEOUT_SECONDS):
                await dead_letters.written()

    def failed(error: BaseException) -> None:
        consumer.abandon()
        if not failure.done():
            failure.set_exception(error)

    positions = Positions(
        kafka=lambda: stream.kafka, timeout_seconds=COMMIT_TIMEOUT_SECONDS, clock=clock, watch=watch
    )
    consumer = Consumer(
        intake=Intake(
            translation=translator.translation
            if spans is None
            else lambda topic: spans.translation(topic, translator.translation(topic)),
            by_event_time=translator.by_event_time,
            want=schemas.want,
            bury=burial.unusable,
            stopped=lambda: (bool(halt) and not halt.wants_others) or dead_letters.full or status.draining,
            guard=guard,
            max_waiting_users=settings.debounce.max_waiting_users,
            clock=clock,
            watch=watch,
            replays=Replays(
                settings.dead_letters.replays,
                bury=burial.unusable,
                give_back=burial.give_back,
                watch=watch,
            ),
            paused=lambda topic: not pauses.reads(topic),
        ),
        positions=positions,
        begin=begin,
        end=end,
        nudge=delivery.nudge,
        topics=topics,
        replay_topic=settings.dead_letters.replays,
        bounds=Bounds(
            lease_seconds=kafka.lease_seconds,
            request_timeout_seconds=request_timeout,
            max_unsettled_records=kafka.max_unsettled_records,
        ),
        commit_interval_seconds=kafka.commit_interval_seconds,
        clock=clock,
        watch=watch,
    )
    stream = Stream(
        _stream_options(kafka),
        topics=topics,
        security=faststream_parameters(protection),
        listener=consumer,
        take=consumer.take,
        failed=failed,
        middlewares=[KafkaPrometheusMiddleware(registry=registry, app_name="audience-sync")],
    )
    status = Status(
        version=__version__,
        tenure=lambda: consumer.tenure,
        paces=paces,
        halt=halt,
        guard=guard,
        pauses=pauses,
        dead_letters_full=lambda: dead_letters.full,
        loop_turned_at=lambda: delivery.turned_at,
        polled_seconds_ago=lambda: consumer.polled_seconds_ago,
        unread=positions.unread,
        clock=clock,
    )
    keep_gauges(
        metrics,
        tenure=lambda: consumer.tenure,
        paces=paces,
        unread=positions.unread,
        waiting=lambda: consumer.waiting_partitions,
        ready=status.ready,
        pauses=pauses,
        clock=clock,
    )

    def waiting(what: str | None) -> None:
        status.waits_for = what

    def names(waiting: Callable[[str | None], None]) -> AttributeNames:
        return AttributeNames(
            chat,
            may_add=settings.chat.attribute_names == "add",
            watch=watch,
            waiting=waiting,
            sleep=asyncio.sleep,
            chance=chance.random,
        )

    async def take(changed: Rules) -> None:
        if settings.chat.attribute_names != "off" and changed.attribute_names:
            await names(lambda _: None).see_to(changed.attribute_names)  # the work goes on meanwhile
        translator.take(changed)
        pauses.take(topics_of_rules(changed))

    async def preflight() -> None:
        checked = await asyncio.to_thread(
            _look_around, settings, protection.security, rules, translator, watch
        )
        shares.learn({topic: checked.partitions.get(topic, 0) for topic in topics})
        if settings.chat.attribute_names != "off" and rules.attribute_names:
            await names(waiting).see_to(rules.attribute_names)

    more: list[Callable[[], Awaitable[None]]] = []
    if rules.rekeyed:
        rekeying = Rekeying(
            _stream_options(kafka),
            topics=rules.rekeyed,
            targets=Targets(kafka.rekeyed_topic, settings.dead_letters.topic),
            parameters=aiokafka_parameters(protection),
            copies=CopyMaker(
                translate=translator.translate,
                want=schemas.want,
                may_bury=guard.may_bury,
                clock=clock,
            ),
            stopped=lambda: status.draining,
            clock=clock,
            sleep=asyncio.sleep,
            watch=watch,
            paused=lambda topic: not pauses.reads(topic),
        )
        metrics.rekeying_unread_records.set_function(rekeying.unread)
        more.append(rekeying.run)
    if settings.rules_file is not None and settings.rules_reload_seconds and load is not None:
        reload = Reload(
            settings.rules_file,
            rules,
            load=load,
            take=take,
            every_seconds=settings.rules_reload_seconds,
            sleep=asyncio.sleep,
            watch=watch,
        )
        more.append(reload.run)

    def take_signing_key(key: SecretStr) -> None:
        signature.take(key)
        halt.look_now(clock())
        delivery.nudge()

    rotated: list[Rotated] = []
    if (key_file := settings.chat.signing_key_file) is not None:
        rotated.append(
            Rotated(
                Credential.SIGNING_KEY,
                [key_file],
                load=lambda: signing_key(settings.chat),
                take=take_signing_key,
            )
        )
    if kafka_files := login_files(kafka):
        rotated.append(
            Rotated(
                Credential.KAFKA,
                kafka_files,
                load=lambda: Protection(security_of(kafka)),
                take=protection.take,
            )
        )
    if rotated:
        more.append(Rotation(rotated, sleep=asyncio.sleep, watch=watch).run)

    if spans is not None:

        async def end_traces() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.to_thread(spans.end)

        more.append(end_traces)

    operator = None
    if operators_page is not None:
        operator, parts = operators_page.open(
            status=status,
            tenure=lambda: consumer.tenure,
            pauses=pauses,
            resumed=delivery.resumed,
            totals=metrics.totals,
            clock=clock,
            watch=watch,
        )
        more += parts

    return Service(
        chat=chat,
        admin=AdminServer(
            broker=stream.broker,
            registry=registry,
            status=status,
            host=settings.admin.bind_host,
            port=settings.admin.bind_port,
            operator=operator,
        ),
        status=status,
        preflight=preflight,
        stream=stream,
        parts=(delivery.run, consumer.run, dead_letters.run, fetch_schemas, *more),
        drain=lambda: drain(
            delivery=delivery,
            tenure=lambda: consumer.tenure,
            leave=consumer.leave,
            seconds=max(0.0, settings.drain_seconds - request_timeout - COMMIT_TIMEOUT_SECONDS),
        ),
        failure=failure,
        totals=metrics.totals,
        log=log.bind(version=__version__),
    )


def _schemas(
    settings: RegistrySettings,
    *,
    watch: Watch,
    fetched: Callable[[], None],
    clock: Callable[[], float],
    chance: random.Random,
) -> tuple[Schemas, Callable[[], Awaitable[None]]]:
    """What is known of schemas, and what fetches them until it is cancelled. Raises SettingsError."""
    registry = None if settings.url is None else schema_registry(settings)

    async def fetch(schema_id: int) -> Described:
        if registry is None:
            raise UnknownSchemaError  # nothing asks: without a registry no decoder wants a schema
        return await registry.fetch(schema_id)

    schemas = Schemas(
        fetch, fetched=fetched, watch=watch, clock=clock, chance=chance.random, sleep=asyncio.sleep
    )

    async def run() -> None:
        try:
            await schemas.run()
        finally:
            if registry is not None:
                await registry.close()

    return schemas, run


class _WatchThatStops(Watch):
    """Ends the service when records are lost, so that nobody can overlook it."""

    def __init__(
        self, metrics: Metrics, log: structlog.stdlib.BoundLogger, *, stop: Callable[[BaseException], None]
    ) -> None:
        super().__init__(metrics, log)
        self._stop = stop

    def records_lost(self, key: PartitionKey, *, committed: int, beginning: int) -> None:
        """Retention has deleted records before they were read."""
        super().records_lost(key, committed=committed, beginning=beginning)
        self._stop(
            StreamError(
                f"{key.topic}, partition {key.number}: records {committed} to {beginning - 1} were deleted before "
                "they were read. Read them from another copy, or accept the loss: "
                "AUDIENCE_SYNC_KAFKA__LOST_RECORDS=go_on"
            )
        )


async def _existing(chat: ChatApi, users: Collection[str]) -> Mapping[str, bool]:
    return (await chat.check_accounts(users)).of


def _look_around(
    settings: Settings, security: KafkaSecurity, rules: Rules, translator: Translator, watch: Watch
) -> TopicsChecked:
    """Check topics and sample keys before anything is read. Blocks. Raises KafkaAdminError."""
    kafka = settings.kafka
    topics = [topic for topic in rules.topics if topic not in rules.rekeyed]
    address = kafka_address(settings, security)
    checked = check_topics(
        address,
        sources=topics,
        dead_letters=settings.dead_letters.topic,
        replays=settings.dead_letters.replays,
        rekeyed=kafka.rekeyed_topic if rules.rekeyed else None,
        rekey_from=rules.rekeyed,
        refuse_unsafe=settings.dead_letters.unsafe_topic == "refuse",
        create_partitions=kafka.create_partitions if kafka.create_topics else None,
        create_replication=kafka.create_replication,
    )
    for warning in checked.warnings:
        watch.preflight(warning)
    for topic, sample in sample_keys(address, topics=topics, translate=translator.translate).items():
        if sample.with_other_key:
            watch.foreign_keys_in_sample(topic, records=sample.with_changes, foreign=sample.with_other_key)
    return checked


def _stream_options(kafka: KafkaSettings) -> StreamOptions:
    return StreamOptions(
        bootstrap_servers=kafka.bootstrap_servers,
        client_id=kafka.client_id,
        group_id=kafka.group_id,
        instance_id=kafka.instance_id,
        isolation_level=kafka.isolation_level,
        session_timeout_seconds=kafka.session_timeout_seconds,
        heartbeat_seconds=kafka.heartbeat_seconds,
        rebalance_timeout_seconds=kafka.rebalance_timeout_seconds,
        max_batch_records=kafka.max_batch_records,
    )
