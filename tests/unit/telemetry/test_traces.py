"""Spans of events and requests: who is whose child, what links to what, and what stands in none of them."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, DEFAULT_ON, Sampler
from opentelemetry.trace import SpanKind

from audience_sync.chat_api.exchange import always
from audience_sync.core.changes import (
    AddTag,
    Change,
    Endpoint,
    Part,
    RemoveAllTags,
    RemoveTag,
    Request,
    SetAttribute,
    UserId,
)
from audience_sync.core.event import (
    Cause,
    Ignored,
    Translated,
    TranslatedMany,
    Translation,
    Unusable,
    Wanting,
)
from audience_sync.core.verdicts import Outcome, Refusal, Verdict
from audience_sync.formats import Headers
from audience_sync.telemetry.traces import LINKS_PER_REQUEST, MOST_WAITING, Traces

ALICE, BOB = UserId("alice"), UserId("bob")
CITY: Final = SetAttribute("city", "Shenzhen")
CONFIRMED: Final = Verdict(outcome=Outcome.CONFIRMED)


class Record(msgspec.Struct):
    """What is used of a consumer's record."""

    offset: int
    headers: Headers = ()
    partition: int = 3


def traced(number: int, *, sampled: bool = True) -> Headers:
    """What a producer writes who traces an event: trace and span are told apart by *number*."""
    text = f"00-{number:032x}-{number:016x}-{int(sampled):02x}"
    return (("other", None), ("traceparent", text.encode()), ("tracestate", b"vendor=1"))


def does(user: UserId, *changes: Change) -> Translated:
    """What an event does."""
    return Translated(user, changes, False, None)


class Tracing:
    """Traces whose spans are kept in memory."""

    def __init__(self, sampler: Sampler = DEFAULT_ON) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.traces = Traces(provider, group_id="group", version="0")

    def read(self, record: Record, event: Translation) -> Translation:
        """One record of the topic is read."""
        return self.traces.translation("cities", lambda _: event)(record)

    async def send(
        self, endpoint: Endpoint, parts: Mapping[UserId, Part], verdict: Verdict = CONFIRMED
    ) -> ReadableSpan:
        """One request is sent; returns its span."""

        async def send(_: Request, __: Callable[[], bool]) -> Verdict:
            return verdict

        assert await self.traces.sending(send)(Request(endpoint, parts), always) is verdict
        return self.spans[-1]

    @property
    def spans(self) -> list[ReadableSpan]:
        """Those that have ended, the last one last."""
        return list(self.exporter.get_finished_spans())


@pytest.fixture
def tracing() -> Tracing:
    """Traces as the variables make them by default."""
    return Tracing()


def linked(span: ReadableSpan) -> list[int]:
    """The numbers of the producers' traces that a span links to."""
    return [link.context.trace_id for link in span.links]


def test_a_traced_event_has_a_span_in_its_producers_trace(tracing: Tracing) -> None:
    """And it says where the event stands."""
    event = does(ALICE, CITY)

    assert tracing.read(Record(17, traced(7)), event) is event

    [span] = tracing.spans
    assert span.parent is not None
    assert (span.name, span.kind) == ("process cities", SpanKind.CONSUMER)
    assert (span.context.trace_id, span.parent.span_id, span.parent.is_remote) == (7, 7, True)
    assert dict(span.attributes or {}) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": "group",
        "messaging.destination.name": "cities",
        "messaging.destination.partition.id": "3",
        "messaging.kafka.offset": 17,
        "audience_sync.outcome": "translated",
    }


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("other", b"x"),),
        (("traceparent", None),),
        (("traceparent", b"no trace"),),
        (("traceparent", bytes(range(128, 200))),),
        (("traceparent", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01"),),
        traced(7, sampled=False),
    ],
    ids=["none", "others", "null", "no-context", "no-ascii", "zeros", "not-sampled"],
)
async def test_an_event_that_nobody_samples_costs_no_span_and_no_link(
    tracing: Tracing, headers: Headers
) -> None:
    """Who is asked whether it is sampled is its producer."""
    tracing.read(Record(1, headers), does(ALICE, CITY))
    assert tracing.spans == []

    span = await tracing.send(Endpoint.SET_ATTRIBUTES, {ALICE: {"city": "Shenzhen"}})

    assert (linked(span), span.parent) == ([], None)


async def test_a_sampler_that_drops_everything_leaves_no_span_and_no_link() -> None:
    """As `OTEL_TRACES_SAMPLER=always_off` says."""
    tracing = Tracing(ALWAYS_OFF)
    tracing.read(Record(1, traced(7)), does(ALICE, CITY))

    async def send(_: Request, __: Callable[[], bool]) -> Verdict:
        return CONFIRMED

    await tracing.traces.sending(send)(Request(Endpoint.SET_ATTRIBUTES, {ALICE: {"city": "x"}}), always)

    assert tracing.spans == []


async def test_a_request_links_to_the_events_whose_names_it_carries(tracing: Tracing) -> None:
    """It stands in the trace of the first. An event on another name, or another user, is not among them."""
    tracing.read(Record(1, traced(1)), does(ALICE, CITY))
    tracing.read(Record(2, traced(2)), does(ALICE, SetAttribute("city", "Beijing"), AddTag("stock")))
    tracing.read(Record(3, traced(3)), does(ALICE, SetAttribute("membership", "gold")))
    tracing.read(Record(4, traced(4)), does(BOB, CITY))
    tracing.read(Record(5, traced(5)), does(UserId("carol"), CITY))

    span = await tracing.send(
        Endpoint.SET_ATTRIBUTES, {ALICE: {"city": "Beijing"}, BOB: {"city": "Shenzhen"}}
    )

    assert linked(span) == [1, 2, 4]
    assert span.parent is not None
    assert (span.context.trace_id, span.parent.span_id) == (1, tracing.spans[0].context.span_id)
    assert [dict(link.attributes or {})["messaging.kafka.offset"] for link in span.links] == [1, 2, 4]
    assert (span.name, span.kind) == ("set_attr", SpanKind.CLIENT)
    assert dict(span.attributes or {}) == {
        "audience_sync.command": "set_attr",
        "audience_sync.users": 2,
        "audience_sync.traced_events": 3,
        "audience_sync.outcome": "confirmed",
        "audience_sync.refused_users": 0,
    }
    assert linked(await tracing.send(Endpoint.ADD_TAGS, {ALICE: ["stock"]})) == [2]
    assert linked(await tracing.send(Endpoint.SET_ATTRIBUTES, {ALICE: {"city": "Beijing"}})) == []


async def test_what_was_folded_away_is_among_the_links_of_what_it_was_folded_into(tracing: Tracing) -> None:
    """A tag that was added and removed leaves with the removal; the removal of all tags takes single ones along."""
    tracing.read(Record(1, traced(1)), does(ALICE, AddTag("a")))
    tracing.read(Record(2, traced(2)), does(ALICE, RemoveTag("a")))
    assert linked(await tracing.send(Endpoint.REMOVE_TAGS, {ALICE: ["a"]})) == [1, 2]

    tracing.read(Record(3, traced(3)), does(ALICE, AddTag("b")))
    tracing.read(Record(4, traced(4)), does(ALICE, RemoveAllTags()))
    tracing.read(Record(5, traced(5)), does(ALICE, AddTag("c")))

    assert linked(await tracing.send(Endpoint.REMOVE_ALL_TAGS, {ALICE: ()})) == [3, 4]
    assert linked(await tracing.send(Endpoint.ADD_TAGS, {ALICE: ["c"]})) == [5]


async def test_an_event_of_several_users_is_linked_once_a_request(tracing: Tracing) -> None:
    parts = (does(ALICE, CITY), does(BOB, CITY))
    tracing.read(Record(1, traced(1)), TranslatedMany(parts))

    span = await tracing.send(Endpoint.SET_ATTRIBUTES, {ALICE: {"city": "x"}, BOB: {"city": "x"}})

    assert linked(span) == [1]


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [
        (Verdict(outcome=Outcome.TRY_AGAIN, code=60008, reason="alice's request"), "60008"),
        (Verdict(outcome=Outcome.REFUSED, code=40601, reason="alice is bad"), "40601"),
        (Verdict(outcome=Outcome.UNTRIED), "untried"),
    ],
)
async def test_what_comes_back_is_linked_again_before_what_came_meanwhile(
    tracing: Tracing, verdict: Verdict, reason: str
) -> None:
    """The span of the failed request is an error, and has the code but not the API's words: they may name a user."""
    tracing.read(Record(1, traced(1)), does(ALICE, CITY))

    failed = await tracing.send(Endpoint.SET_ATTRIBUTES, {ALICE: {"city": "x"}}, verdict)
    tracing.read(Record(2, traced(2)), does(ALICE, CITY))
    again = await tracing.send(Endpoint.SET_ATTRIBUTES, {ALICE: {"city": "x"}})

    assert not failed.status.is_ok
    assert (failed.attributes or {})["error.type"] == reason
    assert "alice" not in failed.to_json()
    assert (linked(failed), linked(again)) == ([1], [1, 2])


async def test_of_refused_users_only_those_come_back_who_are_sent_again(tracing: Tracing) -> None:
    refused = {ALICE: Refusal(60008, "", again=True), BOB: Refusal(40601, "", again=False)}
    tracing.read(Record(1, traced(1)), does(ALICE, CITY))
    tracing.read(Record(2, traced(2)), does(BOB, CITY))
    parts = {ALICE: {"city": "x"}, BOB: {"city": "x"}}

    span = await tracing.send(
        Endpoint.SET_ATTRIBUTES, parts, Verdict(outcome=Outcome.CONFIRMED, refused=refused)
    )

    assert (span.attributes or {})["audience_sync.refused_users"] == 2
    assert linked(await tracing.send(Endpoint.SET_ATTRIBUTES, parts)) == [1]


async def test_a_request_that_is_cancelled_ends_its_span(tracing: Tracing) -> None:
    async def send(_: Request, __: Callable[[], bool]) -> Verdict:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await tracing.traces.sending(send)(Request(Endpoint.ADD_TAGS, {ALICE: ["a"]}), always)

    [span] = tracing.spans
    assert (span.attributes or {})["error.type"] == "cancelled"


@pytest.mark.parametrize(
    ("event", "outcome"),
    [(Unusable(Cause.UNREADABLE, "alice's bytes"), "unusable"), (Ignored("nobody minds"), "ignored")],
)
def test_an_event_that_causes_nothing_has_a_span_too(
    tracing: Tracing, event: Translation, outcome: str
) -> None:
    """One that goes to the dead letters is an error, and tells its cause, not its content."""
    tracing.read(Record(1, traced(1)), event)

    [span] = tracing.spans
    assert (span.attributes or {})["audience_sync.outcome"] == outcome
    assert (span.attributes or {}).get("error.type") == ("unreadable" if outcome == "unusable" else None)
    assert "alice" not in span.to_json()


def test_a_record_that_waits_is_told_once(tracing: Tracing) -> None:
    """It is translated at each look: while a schema is missing, or while too much goes to the dead letters."""
    bad = Unusable(Cause.UNREADABLE, "")
    for event in (Wanting(7), Wanting(7), bad, bad):
        assert tracing.read(Record(1, traced(1)), event) is event

    assert len(tracing.spans) == 1


async def test_what_is_forgotten_is_linked_no_more_and_told_again(tracing: Tracing) -> None:
    """After a rebalance the next owner reads it again; it may be this one."""
    tracing.read(Record(1, traced(1)), does(ALICE, CITY))
    tracing.traces.forget()

    assert linked(await tracing.send(Endpoint.SET_ATTRIBUTES, {ALICE: {"city": "x"}})) == []
    tracing.read(Record(1, traced(1)), does(ALICE, CITY))
    assert linked(await tracing.send(Endpoint.SET_ATTRIBUTES, {ALICE: {"city": "x"}})) == [1]


async def test_a_request_has_so_many_links_and_no_more(tracing: Tracing) -> None:
    """It tells how many there would be."""
    for number in range(1, LINKS_PER_REQUEST + 20):
        tracing.read(Record(number, traced(number)), does(ALICE, CITY))

    span = await tracing.send(Endpoint.SET_ATTRIBUTES, {ALICE: {"city": "x"}})

    assert linked(span) == list(range(1, LINKS_PER_REQUEST + 1))
    assert (span.attributes or {})["audience_sync.traced_events"] == LINKS_PER_REQUEST + 19


async def test_of_too_many_that_wait_the_first_are_forgotten() -> None:
    """Whatever producers write, memory stays bounded."""
    tracing = Tracing()
    for number in range(1, MOST_WAITING + 2):
        tracing.read(Record(number, traced(number)), does(UserId(f"user-{number}"), CITY))

    async def of(number: int) -> Any:
        return linked(await tracing.send(Endpoint.SET_ATTRIBUTES, {UserId(f"user-{number}"): {"city": "x"}}))

    assert (await of(1), await of(2), await of(MOST_WAITING + 1)) == ([], [2], [MOST_WAITING + 1])
