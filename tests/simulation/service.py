"""The real service, put together by its own `assembly`, with doubles where it would touch the real world."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from random import Random
from types import SimpleNamespace
from typing import Any, Final

import structlog

from audience_sync import assembly
from audience_sync.core.ownership import PartitionKey
from audience_sync.core.rules import Rules
from audience_sync.core.tenure import Tenure
from audience_sync.events import consumer
from audience_sync.events.intake import Intake, Record
from audience_sync.events.kafka_admin import KafkaAdminError
from audience_sync.events.topics import TopicsChecked, uneven
from audience_sync.rules.file import parse_rules
from audience_sync.service import Service
from audience_sync.settings import Settings, load
from tests.simulation.chat import ChatClient
from tests.simulation.events import ATTRIBUTES, topic_of
from tests.simulation.plan import Knobs
from tests.simulation.stream import SimulatedStream

_SOURCE: Final = "  - {{topic: {topic}, format: json, type_field: type}}\n"
_OF_TAGS: Final = (
    ("follow", 'add_tag: "{tag}"'),
    ("unfollow", 'remove_tag: "{tag}"'),
    ("forget", "remove_all_tags: true"),
)


@cache
def rules_of(topics: tuple[str, ...]) -> Rules:
    """The rules for one topic of everything, or one of attributes and one of tags."""
    sources = "".join(_SOURCE.format(topic=topic) for topic in topics)
    rules = [
        _rule(
            prefix + name,
            topics[0],
            f'set_attribute: {{name: {name}, value: "{{{name}}}"}}',
            urgent=bool(prefix),
        )
        for name in ATTRIBUTES
        for prefix in ("", "urgent_")
    ]
    rules += [_rule(f"no_{name}", topics[0], f"remove_attribute: {name}") for name in ATTRIBUTES]
    rules += [_rule(event, topic_of(event, topics), change) for event, change in _OF_TAGS]
    return parse_rules(f"sources:\n{sources}rules:\n{''.join(rules)}", file="simulation.yaml")


def _rule(event: str, topic: str, change: str, *, urgent: bool = False) -> str:
    flag = "    urgent: true\n" if urgent else ""
    return (
        f'  - name: {event}\n    event: {event}\n    topic: {topic}\n    user: "{{user}}"\n{flag}'
        f"    changes:\n      - {change}\n"
    )


KEY: Final = "the-key-that-signs-everything"
"""The one secret of a history: nothing that an operator gets to see may have it."""


@cache
def _defaults() -> Settings:
    return load({}, chat={"app_id": 1, "signing_key": KEY, "base_url": "http://127.0.0.1:1"})


@cache
def settings_of(knobs: Knobs, instance: str | None, *, uncommitted: bool) -> Settings:
    """The service's settings. Validated where a history's are in the range of real ones: sizes are smaller here."""
    given = _defaults()
    kafka = given.kafka.model_copy(
        update={
            "instance_id": instance,
            "isolation_level": "read_uncommitted" if uncommitted else "read_committed",
            "session_timeout_seconds": knobs.session,
            "heartbeat_seconds": knobs.heartbeat,
            "rebalance_timeout_seconds": knobs.rebalance,
            "lease_seconds": knobs.lease,
            "commit_interval_seconds": knobs.commit_interval,
            "max_batch_records": knobs.max_batch_records,
            "max_unsettled_records": knobs.max_unsettled_records,
        }
    )
    assert knobs.lease + knobs.request_timeout <= min(knobs.session, knobs.rebalance), (
        "as the settings demand"
    )
    assert knobs.commit_interval <= knobs.lease / 3, "as the settings demand"
    chat = given.chat.model_copy(
        update={
            "calls_per_second": knobs.calls_per_second,
            "request_timeout_seconds": knobs.request_timeout,
            "calls_per_second_of_app": knobs.calls_per_second_of_app,
            "most_in_flight": knobs.most_in_flight,
            "attribute_names": "off",  # all are defined when a process starts; later some may not be
            "unknown_accounts": knobs.unknown_accounts,
        }
    )
    letters = given.dead_letters.model_copy(update={"most_per_minute": knobs.most_letters_per_minute})
    debounce = given.debounce.model_copy(
        update={
            "quiet_seconds": knobs.quiet,
            "longest_wait_seconds": knobs.longest_wait,
            "fill_seconds": knobs.fill,
            "max_waiting_users": knobs.max_waiting_users,
        }
    )
    repeats = given.repeats.model_copy(update={"known_seconds": knobs.known, "known_names": 30})
    return given.model_copy(
        update={
            "kafka": kafka,
            "chat": chat,
            "debounce": debounce,
            "dead_letters": letters,
            "repeats": repeats,
            "drain_seconds": knobs.drain,
        }
    )


class Outside:
    """What one process has instead of the real world.

    clock: seconds since some moment, which nobody corrects; wall_clock: epoch seconds, which somebody may.
    stream: makes its stream from what `assembly` gives. seen: is told what an operator would get to see. taken: is
    told of each batch that was taken in, with what may be asked about it.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        chance: Random,
        chat: ChatClient,
        stream: Callable[..., SimulatedStream],
        partitions: Callable[[], Mapping[str, int] | None],
        seen: Callable[..., None],
        taken: Callable[[Tenure, Sequence[Record], int], None],
    ) -> None:
        self.clock = clock
        self.wall_clock = wall_clock
        self.chance = chance
        self.chat = chat
        self.stream = stream
        self.partitions = partitions
        self.seen = seen
        self.taken = taken


def assembled(settings: Settings, rules: Rules, outside: Outside) -> Service:
    """The service as `assembly` makes it, for the process that calls; below `doubled`."""
    _OUTSIDE.set(outside)
    return assembly.assemble(settings, rules)


@contextmanager
def doubled(*, turn_seconds: float, but: Mapping[str, object] | None = None) -> Iterator[None]:
    """Meanwhile `assembly` finds doubles under these names. KeyError for one that it does not have.

    but: what it finds instead of some of them.
    """
    names, real_turn_seconds = vars(assembly), consumer.TURN_SECONDS
    doubles = {**_DOUBLES, **(but or {})}
    originals = {name: names[name] for name in doubles}
    names.update(doubles)
    vars(consumer)["TURN_SECONDS"] = turn_seconds
    try:
        yield
    finally:
        names.update(originals)
        vars(consumer)["TURN_SECONDS"] = real_turn_seconds


_OUTSIDE: Final[ContextVar[Outside]] = ContextVar("outside")


def _looked_around(*_: object) -> TopicsChecked:
    partitions = _OUTSIDE.get().partitions()
    if partitions is None:
        raise KafkaAdminError("no broker answers")
    if (why := uneven(list(partitions), partitions)) is not None:
        raise KafkaAdminError(why)
    return TopicsChecked(partitions=partitions)


class _WatchedIntake(Intake):
    """The real one; the world looks at what it has taken in."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self._taken = _OUTSIDE.get().taken

    def take(self, tenure: Tenure, key: PartitionKey, records: Sequence[Record]) -> int:
        settled = tenure.ownership.partitions[key].ledger.settled_position
        count = super().take(tenure, key, records)
        if count:
            self._taken(tenure, records[:count], settled)
        return count


class _Seen:
    """A watch and a log in one: tells whatever is told to it."""

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell = tell

    def bind(self, **_: object) -> "_Seen":
        """A log line's fields are not looked at."""
        return self

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(name)
        told = partial(self._tell, name)
        setattr(self, name, told)
        return told


class _NoAdmin:
    """Nobody asks."""

    def __init__(self, **_: object) -> None:
        self._stopped = asyncio.Event()

    def listen(self) -> Any:
        return SimpleNamespace(getsockname=lambda: ("", 0))

    async def serve(self, _: object) -> None:
        await self._stopped.wait()

    def stop(self) -> None:
        self._stopped.set()


_DOUBLES: Final[Mapping[str, object]] = {
    "time": SimpleNamespace(
        time=lambda: _OUTSIDE.get().wall_clock(), monotonic=lambda: _OUTSIDE.get().clock()
    ),
    "random": SimpleNamespace(Random=lambda: _OUTSIDE.get().chance),
    "structlog": SimpleNamespace(get_logger=lambda _: _Seen(_OUTSIDE.get().seen), stdlib=structlog.stdlib),
    "CollectorRegistry": lambda: None,
    "Metrics": lambda *_, **__: SimpleNamespace(totals=dict),
    "keep_gauges": lambda *_, **__: None,
    "KafkaPrometheusMiddleware": lambda **_: None,
    "Watch": lambda *_: _Seen(_OUTSIDE.get().seen),
    "Intake": _WatchedIntake,
    "Stream": lambda *given, **parts: _OUTSIDE.get().stream(*given, **parts),
    "AdminServer": _NoAdmin,
    "chat_api": lambda *_, **__: _OUTSIDE.get().chat,
    "security_of": lambda _: None,
    "Protection": lambda _: SimpleNamespace(security=None),
    "faststream_parameters": lambda _: {},
    "_look_around": _looked_around,
}
"""What stands in for the world outside, by its name in `assembly`."""
