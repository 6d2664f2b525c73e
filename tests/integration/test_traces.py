"""Spans of a real replica, as a collector gets them."""

import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.fleet import FAST_TAKEOVER, EmulatedChat, Fleet, emulated_chat, eventually
from tests.support.product import CITY, STOCKS, rules_for
from tests.support.secrecy import KEYS, secrets_in

pytestmark = pytest.mark.broker

COLLECTORS_KEY: Final = "a collector's key of tests"
KEYS.add(COLLECTORS_KEY)

REKEYED: Final = """
sources:
  - {{topic: {topics}orders, format: json, type: ordered, rekey: true}}
rules:
  - name: ordered
    event: ordered
    user: "{{user}}"
    changes: [{{set_attribute: {{name: city, value: "{{city}}"}}}}]
"""


class Collector:
    """Takes spans over OTLP, as protobuf over HTTP."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                collector.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                collector.headers.append({name.lower(): value for name, value in self.headers.items()})
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        """Take no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def taken(self) -> Iterator[Any]:
        """What came, each with a resource and its spans."""
        for body in self.bodies:
            yield from ExportTraceServiceRequest.FromString(body).resource_spans

    def spans(self, name: str) -> list[Span]:
        """The spans of this name."""
        return [
            span
            for taken in self.taken()
            for scope in taken.scope_spans
            for span in scope.spans
            if span.name == name
        ]


@pytest.fixture
def topics() -> str:
    """What the names of this test's topics begin with: a broker that is given may have those of another run."""
    return f"{uuid4().hex[:8]}-"


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector on a free port."""
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[EmulatedChat]:
    """An emulator."""
    with emulated_chat(tmp_path) as emulator:
        yield emulator


@pytest.fixture
def environment(topics: str, collector: Collector, tmp_path: Path) -> dict[str, str]:
    """Settings of the replica, and OpenTelemetry's own."""
    return FAST_TAKEOVER | {
        "AUDIENCE_SYNC_KAFKA__GROUP_ID": topics,
        "AUDIENCE_SYNC_KAFKA__REKEYED_TOPIC": f"{topics}rekeyed",
        "AUDIENCE_SYNC_DEAD_LETTERS__TOPIC": f"{topics}dead-letters",
        "AUDIENCE_SYNC_RULES_FILE": str(rules_for(topics, tmp_path)),
        "AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": "1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20" + COLLECTORS_KEY.replace(" ", "%20"),
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=staging",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }


def send(broker: str, topic: str, key: str, value: str, trace: int, *, sampled: bool = True) -> None:
    """One event, as a producer writes it who traces."""
    header = f"00-{trace:032x}-{trace:016x}-{int(sampled):02x}".encode()
    producer = Producer({"bootstrap.servers": broker})
    producer.produce(topic, key=key.encode(), value=value.encode(), headers=[("traceparent", header)])
    assert producer.flush(30) == 0


def city(user: str, city: str) -> str:
    """An event of the shipped rules."""
    return f'{{"kind": "city-changed", "user_id": "{user}", "city": "{city}"}}'


def linked(span: Span) -> list[int]:
    """The producers' traces that a span links to."""
    return [int.from_bytes(link.trace_id) for link in span.links]


def told(attributes: Any) -> dict[str, Any]:
    """Attributes as a dict."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


def test_an_event_can_be_followed_to_its_request(
    broker: str,
    topics: str,
    environment: dict[str, str],
    chat: EmulatedChat,
    collector: Collector,
    tmp_path: Path,
) -> None:
    """Two sampled events of two users leave in one request, an unsampled one beside them; all in standard OTLP.

    The last spans come with the stop, and no byte of it all names a user, a value, a key or a signature.
    """
    with Fleet(tmp_path, broker=broker, chat=chat, environment=environment) as fleet:
        replica = fleet.start()
        fleet.wait_until_ready()
        for trace, user in enumerate(("user-alice", "user-bob", "user-carol"), 1):
            send(broker, topics + CITY, user, city(user, "Shenzhen~1"), trace, sampled=trace < 3)
        eventually(lambda: len(chat.state()) == 3, "all are in step")
        eventually(lambda: collector.spans("set_attr"), "the request's span has come")
        send(broker, topics + CITY, "user-alice", "no JSON", 4)
        eventually(lambda: replica.metric("audience_sync_dead_letters_total") == 1, "it is a dead letter")
        replica.signal(signal.SIGTERM)
        assert replica.wait() == 0

    processed = collector.spans(f"process {topics}{CITY}")
    requests = [span for span in collector.spans("set_attr") if span.links]
    assert sorted(int.from_bytes(span.trace_id) for span in processed) == [1, 2, 4]
    assert sorted(number for span in requests for number in linked(span)) == [1, 2]
    for span in requests:
        own = [each for each in processed if each.span_id == span.parent_span_id]
        assert [each.trace_id for each in own] == [span.trace_id]
        assert span.kind == Span.SPAN_KIND_CLIENT
        assert told(span.attributes)["audience_sync.outcome"] == "confirmed"
    [bad] = [span for span in processed if int.from_bytes(span.trace_id) == 4]
    assert told(bad.attributes)["error.type"] == "unreadable"

    resources = [told(taken.resource.attributes) for taken in collector.taken()]
    assert {each["service.name"] for each in resources} == {"audience-sync"}
    assert {each["deployment.environment.name"] for each in resources} == {"staging"}
    assert {each["authorization"] for each in collector.headers} == {f"Bearer {COLLECTORS_KEY}"}
    text = b"".join(collector.bodies).decode("latin-1")
    assert list(secrets_in(text)) == []
    for word in ("usersig", "user-", "Shenzhen", COLLECTORS_KEY):
        assert word not in text


def test_a_rekeyed_event_keeps_its_trace(
    broker: str,
    topics: str,
    environment: dict[str, str],
    chat: EmulatedChat,
    collector: Collector,
    tmp_path: Path,
) -> None:
    """Its copy carries what its producer said."""
    rules = tmp_path / "rekeyed.yaml"
    rules.write_text(REKEYED.format(topics=topics))
    with Fleet(tmp_path, broker=broker, chat=chat, environment=environment) as fleet:
        fleet.start(AUDIENCE_SYNC_RULES_FILE=str(rules), AUDIENCE_SYNC_CHAT__ATTRIBUTE_NAMES="off")
        fleet.wait_until_ready()
        send(broker, f"{topics}orders", "order-1", '{"user": "alice", "city": "Shenzhen~1"}', 7)
        eventually(lambda: [7] in map(linked, collector.spans("set_attr")), "the request's span has come")
    assert len(collector.spans(f"process {topics}rekeyed")) == 1


def test_a_collector_that_is_away_stops_nothing_and_ends_in_time(
    broker: str, topics: str, environment: dict[str, str], chat: EmulatedChat, tmp_path: Path
) -> None:
    """Spans are lost, and users are in step."""
    environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:1"
    with Fleet(tmp_path, broker=broker, chat=chat, environment=environment) as fleet:
        replica = fleet.start()
        fleet.wait_until_ready()
        send(broker, topics + STOCKS, "a", '{"kind": "x"}', 1)
        send(broker, topics + CITY, "a", city("a", "Shenzhen~1"), 2)
        eventually(lambda: chat.state(), "the user is in step")
        replica.signal(signal.SIGTERM)
        assert replica.wait(30) == 0
        assert "Traceback" not in replica.text()
