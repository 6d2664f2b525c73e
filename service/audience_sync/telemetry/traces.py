"""Spans of OpenTelemetry: one for each event whose producer traces it, one for each request, with links between them.

Imported only where traces are wanted, and the only module that knows the library. No span names a user, a tag or a
value, and none has an address: a request's holds the signature.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain, islice
from typing import Any, Final, Protocol

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanKind, StatusCode, set_span_in_context
from opentelemetry.trace.propagation import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from audience_sync.core.changes import (
    AddTag,
    Change,
    Endpoint,
    Part,
    RemoveAllTags,
    RemoveTag,
    Request,
    UserId,
)
from audience_sync.core.event import Ignored, Translated, Translation, Unusable, Wanting
from audience_sync.core.folding import changes_of
from audience_sync.core.verdicts import Outcome, Verdict

LINKS_PER_REQUEST: Final = 100
"""So many events a request's span links to; beyond, only their number is told. Ours: a full request with one event a
user, below the 128 that OpenTelemetry allows by default."""

MOST_WAITING: Final = 10_000
"""So many links are kept for changes that wait, 1.3 KB of memory each; beyond, those of the user who waits longest
are forgotten. Ours."""

END_SECONDS: Final = 3.0
"""So long the end waits for a collector to take the last spans."""

Headers = Sequence[tuple[str, bytes | None]]
Subject = tuple[str, str]
"""What a change speaks of: a tag, all of them, or an attribute."""

_ALL_TAGS: Final[Subject] = ("tag", "")
_PROPAGATOR: Final = TraceContextTextMapPropagator()
_TRACE_HEADERS: Final = frozenset({"traceparent", "tracestate"})
_FLAG: Final = slice(54, 55)
_SAMPLED: Final = frozenset(bytes([each]) for each in b"13579bdf")
"""The digit of `traceparent` that says whether a trace is sampled, looked at before the rest: most are not."""


class Record(Protocol):
    """What is used of a consumer's record."""

    @property
    def partition(self) -> int: ...  # noqa: D102
    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def headers(self) -> Headers: ...  # noqa: D102


Translate = Callable[[Any], Translation]
"""What the records of one topic do to whom."""

Send = Callable[[Request, Callable[[], bool]], Awaitable[Verdict]]
"""Sends one request once, to its end."""


class Traces:
    """What events and requests leave behind as spans, and what they have to do with each other.

    An event's span is a child of what its producer says in the record's headers, and exists only if that is sampled.
    A request's span links to the spans of the events that spoke of what it carries; it stands in the trace of the
    first of them, so that whoever decides what is sampled has decided it for the request, too.
    """

    def __init__(self, provider: TracerProvider, *, group_id: str, version: str) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("audience_sync", version)
        self._group_id = group_id
        self._waiting: OrderedDict[UserId, dict[Subject, list[Link]]] = OrderedDict()
        self._kept = 0
        self._told: dict[tuple[str, int], int] = {}

    def translation(self, topic: str, translate: Translate) -> Translate:
        """*translate*, and a span for each event of *topic* whose producer traces it."""

        def traced(record: Record) -> Translation:
            context = _context(record.headers) if record.headers else None
            if context is None or record.offset <= self._told.get((topic, record.partition), -1):
                return translate(record)  # a record that has to wait is looked at again, and is told once
            return self._processed(topic, record, context, translate)

        return traced

    def sending(self, send: Send) -> Send:
        """*send*, and a span for each request."""

        async def traced(request: Request, may_leave: Callable[[], bool]) -> Verdict:
            carried = {user: self._take(user, request.endpoint, part) for user, part in request.parts.items()}
            span = self._begun(request, carried)
            verdict = None
            try:
                verdict = await send(request, may_leave)
            finally:
                self._ended(span, verdict)
                for user, links in carried.items():
                    if links and (verdict is None or _is_unsettled(verdict, user)):
                        self._put_back(user, links)
            return verdict

        return traced

    def forget(self) -> None:
        """What waits is no longer ours, or is read again."""
        self._waiting.clear()
        self._told.clear()
        self._kept = 0

    def end(self) -> None:
        """Hand over the last spans, for three seconds at most. It blocks; nothing is traced afterwards."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        ending.join(END_SECONDS)

    def _processed(self, topic: str, record: Record, context: Context, translate: Translate) -> Translation:
        began = time.time_ns()
        event = translate(record)
        if isinstance(event, Wanting):
            return event
        self._told[topic, record.partition] = record.offset
        place: dict[str, str | int] = {
            "messaging.destination.name": topic,
            "messaging.destination.partition.id": str(record.partition),
            "messaging.kafka.offset": record.offset,
        }
        kind: dict[str, str | int] = {
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.consumer.group.name": self._group_id,
        }
        span = self._tracer.start_span(
            f"process {topic}", context, kind=SpanKind.CONSUMER, attributes=kind | place, start_time=began
        )
        if isinstance(event, Unusable):
            span.set_attribute("error.type", event.cause)
            span.set_status(StatusCode.ERROR)
        elif not isinstance(event, Ignored) and span.is_recording():
            link = Link(span.get_span_context(), place)
            for part in event.parts:
                self._keep(part.user, _links(part, link))
        span.set_attribute("audience_sync.outcome", type(event).__name__.removesuffix("Many").lower())
        span.end()
        return event

    def _begun(self, request: Request, carried: dict[UserId, dict[Subject, list[Link]]]) -> Span:
        found = {
            link.context.span_id: link
            for links in carried.values()
            for link in chain.from_iterable(links.values())
        }
        links = list(islice(found.values(), LINKS_PER_REQUEST))
        first = set_span_in_context(NonRecordingSpan(links[0].context), Context()) if links else Context()
        told: dict[str, str | int] = {
            "audience_sync.command": request.endpoint,
            "audience_sync.users": len(request.parts),
            "audience_sync.traced_events": len(found),
        }
        return self._tracer.start_span(
            request.endpoint, first, kind=SpanKind.CLIENT, attributes=told, links=links
        )

    @staticmethod
    def _ended(span: Span, verdict: Verdict | None) -> None:
        """Close the span of a request; *verdict* is None for one that was cancelled."""
        if verdict is not None:
            span.set_attribute("audience_sync.outcome", verdict.outcome)
            span.set_attribute("audience_sync.refused_users", len(verdict.refused))
        if verdict is not None and verdict.code:
            span.set_attribute("audience_sync.error_code", verdict.code)
        if verdict is None or verdict.outcome is not Outcome.CONFIRMED:
            reason = "cancelled" if verdict is None else str(verdict.code or verdict.outcome)
            span.set_attribute("error.type", reason)
            span.set_status(StatusCode.ERROR)
        span.end()

    def _keep(self, user: UserId, links: dict[Subject, list[Link]]) -> None:
        """Keep *links* for what waits of the user, behind those that are kept."""
        kept = self._waiting.setdefault(user, {})
        for subject, more in links.items():
            if subject == _ALL_TAGS:  # what was said of single tags before has no effect of its own any more
                for tag in [each for each in kept if each[0] == "tag" and each != _ALL_TAGS]:
                    kept.setdefault(_ALL_TAGS, []).extend(kept.pop(tag))
            kept.setdefault(subject, []).extend(more)
            self._kept += len(more)
        while self._kept > MOST_WAITING:
            _, forgotten = self._waiting.popitem(last=False)
            self._kept -= sum(map(len, forgotten.values()))

    def _put_back(self, user: UserId, links: dict[Subject, list[Link]]) -> None:
        """Keep *links* again, before those that came meanwhile."""
        kept = self._waiting.setdefault(user, {})
        for subject, earlier in links.items():
            kept[subject] = [*earlier, *kept.get(subject, ())]
            self._kept += len(earlier)

    def _take(self, user: UserId, endpoint: Endpoint, part: Part) -> dict[Subject, list[Link]]:
        """The links kept for what a request says of the user; they are kept no longer."""
        if (kept := self._waiting.get(user)) is None:
            return {}
        subjects = map(_subject, changes_of(endpoint, part))
        taken = {subject: kept.pop(subject) for subject in subjects if subject in kept}
        self._kept -= sum(map(len, taken.values()))
        if not kept:
            del self._waiting[user]
        return taken


def provider_of(*, version: str, replica: str) -> TracerProvider:
    """Spans to the collector that OpenTelemetry's variables name, sampled as they say. Raises ValueError."""
    resource = Resource.create()
    ours = {SERVICE_VERSION: version, SERVICE_INSTANCE_ID: replica}
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        ours[SERVICE_NAME] = "audience-sync"
    missing = {name: value for name, value in ours.items() if name not in resource.attributes}
    named = Resource(missing | ({SERVICE_NAME: ours[SERVICE_NAME]} if SERVICE_NAME in ours else {}))
    provider = TracerProvider(resource=resource.merge(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _context(headers: Headers) -> Context | None:
    """What the producer says of its trace, if it is sampled; else None."""
    said = {name: value for name, value in headers if value is not None and name in _TRACE_HEADERS}
    if said.get("traceparent", b"")[_FLAG] not in _SAMPLED:
        return None
    carrier = {name: value.decode("ascii", "replace") for name, value in said.items()}
    context = _PROPAGATOR.extract(carrier, Context())
    return context if get_current_span(context).get_span_context().trace_flags.sampled else None


def _is_unsettled(verdict: Verdict, user: UserId) -> bool:
    """Whether what a request said of the user is to be sent again, as far as its answer tells."""
    refusal = verdict.refused.get(user)
    return verdict.outcome is not Outcome.CONFIRMED or (refusal is not None and refusal.again)


def _links(event: Translated, link: Link) -> dict[Subject, list[Link]]:
    return {_subject(change): [link] for change in event.changes}


def _subject(change: Change) -> Subject:
    if isinstance(change, RemoveAllTags):
        return _ALL_TAGS
    if isinstance(change, AddTag | RemoveTag):
        return ("tag", change.tag)
    return ("attribute", change.name)
