"""`audience-sync run --shadow`: a dress rehearsal. Reads what the service would read, sends and commits nothing."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import structlog
from prometheus_client import CollectorRegistry, start_http_server

from audience_sync.admin.server import PortTakenError
from audience_sync.assembly import Clock
from audience_sync.chat_api.errors import BY_CODE
from audience_sync.commands.configuration import kafka_or_stop
from audience_sync.commands.planning.assumptions import assumed
from audience_sync.commands.planning.rehearsal import Rehearsal
from audience_sync.commands.planning.told import Bounds
from audience_sync.commands.schemas import finding
from audience_sync.core.planner import ANSWER_SECONDS
from audience_sync.core.rules import Rules
from audience_sync.events.kafka_admin import ask
from audience_sync.events.onlooker import Onlooker, Positions, Reading, onlooker
from audience_sync.events.translator import Translator
from audience_sync.settings import AdminSettings, Settings
from audience_sync.telemetry.metrics import Metrics


class Begin(StrEnum):
    """Where a rehearsal begins to read."""

    END = "end"
    """At the newest records."""
    GROUP = "group"
    """Where the service's group stands, which is looked up and not changed."""


async def rehearse(
    settings: Settings, rules: Rules, *, begin: Begin, report_seconds: float, stop: asyncio.Event
) -> None:
    """Rehearse until *stop* is set. Raises KafkaAdminError, PortTakenError, SettingsError, FormatError."""
    log: structlog.stdlib.BoundLogger = structlog.get_logger("audience_sync")
    registry = CollectorRegistry()
    metrics = Metrics(registry, topics=rules.topics, codes=BY_CODE)
    kafka = settings.kafka
    reading = Reading(
        address=kafka_or_stop(settings),
        topics=rules.topics,
        isolation_level=kafka.isolation_level,
        client_id=f"{kafka.client_id}-shadow",
    )
    with _served(registry, settings.admin) as port:
        translator = Translator(rules, finding(settings.registry))
        async with onlooker(reading) as looking:
            rehearsal = Rehearsal(
                kafka=looking,
                translate=lambda record: translator.translate(record.partition.topic, record),
                rekeyed=rules.rekeyed,
                assumed=assumed(settings, answer_seconds=ANSWER_SECONDS, reading_seconds=0.0),
                bounds=Bounds(
                    max_waiting_users=settings.debounce.max_waiting_users,
                    max_unsettled_records=kafka.max_unsettled_records,
                ),
                report_seconds=report_seconds,
                metrics=metrics,
                log=log,
                clock=Clock(),
            )
            starts = await _starts(looking, reading, kafka.group_id, begin)
            await rehearsal.run(stop, starts, admin_port=port)


async def _starts(looking: Onlooker, reading: Reading, group: str, begin: Begin) -> Positions:
    """Where to begin: a partition of which the group has committed nothing at its beginning, as the group would."""
    if begin is Begin.END:
        return await looking.ends()
    committed = await asyncio.to_thread(ask, reading.address, lambda kafka: kafka.committed(group))
    return {key: max(first, committed.get(key, first)) for key, first in (await looking.beginnings()).items()}


@contextmanager
def _served(registry: CollectorRegistry, admin: AdminSettings) -> Iterator[int]:
    """Metrics on the admin port, for the block. There are no probes: nobody waits for a rehearsal."""
    try:
        server, thread = start_http_server(admin.bind_port, admin.bind_host, registry)
    except OSError as error:
        raise PortTakenError(
            f"the admin port {admin.bind_host}:{admin.bind_port} can't be listened on: {error.strerror}; "
            "set AUDIENCE_SYNC_ADMIN__BIND_PORT to a free one for the rehearsal"
        ) from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
