"""Records that nobody can use, of every kind and in every codec, among good ones."""

import json
import random
from base64 import b64decode
from pathlib import Path
from typing import Final

import pytest

from tests.support.fleet import Fleet
from tests.support.letters import dead_letters
from tests.support.load import all_in_step, all_settled, show, under_load
from tests.support.product import CITY, LARGEST_RECORD_BYTES, STOCKS, Feed, Product, Truth, rules_for

pytestmark = pytest.mark.broker

CODECS: Final = ("none", "gzip", "snappy", "lz4", "zstd")
PARTITIONS: Final = 8

DEEP: Final = 100_000
NOISE: Final = random.Random(1).randbytes(LARGEST_RECORD_BYTES - 1000)  # less the overhead of a record
"""As large as a broker takes by default, and in base64 larger; noise, so that no codec makes it small."""

POISON: Final[tuple[bytes | None, ...]] = (
    None,
    b"",
    b"\x00",
    b"\xff\xfe no text",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"42",
    b'{"kind": "city-changed", "user_id": "u", "city": "A"} and more',
    b'{"kind": "city-changed", "user_id": "u", "city": "\\ud800"}',
    b'{"kind": "city-changed", "user_id": "u", "city": NaN}',
    b'{"kind": "city-changed", "user_id": "u", "city": 1e999}',
    b"[" * DEEP + b"]" * DEEP,
    b'{"kind": "city-changed", "user_id": "u", "city": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    b'{"city": "A"}',
    b'{"kind": 7, "user_id": "u", "city": "A"}',
    b'{"kind": "city-chnaged", "user_id": "u", "city": "A"}',
    b'{"kind": "city-changed", "city": "A"}',
    b'{"kind": "city-changed", "user_id": null, "city": "A"}',
    b'{"kind": "city-changed", "user_id": "", "city": "A"}',
    b'{"kind": "city-changed", "user_id": ["u"], "city": "A"}',
    b'{"kind": "city-changed", "user_id": "' + b"u" * 33 + b'", "city": "A"}',
    b'{"kind": "city-changed", "user_id": "u"}',
    b'{"kind": "city-changed", "user_id": "u", "city": null}',
    b'{"kind": "city-changed", "user_id": "u", "city": true}',
    b'{"kind": "city-changed", "user_id": "u", "city": {"name": "A"}}',
    b'{"kind": "city-changed", "user_id": "u", "city": "' + b"A" * 51 + b'"}',
    b'{"kind": "city-changed", "user_id": "u", "city": "' + b"A" * (LARGEST_RECORD_BYTES - 1000) + b'"}',
    NOISE,
)
OTHER_TYPE: Final = b'{"specversion": "1.0", "id": "1", "source": "/product", "type": "com.example.other"}'
HEADERS: Final = [("nothing", None), ("no text", b"\xff\xfe"), ("text", b"text"), ("", b"")]
"""What FastStream's own parser fails a whole batch on, and what it does not."""


@pytest.fixture
def rules(topics: str, tmp_path: Path) -> Path:
    """Those by which other types of stock events are ignored."""
    rules = rules_for(topics, tmp_path)
    stocks = f"topic: {topics}{STOCKS}\n    format: cloudevents"
    text = rules.read_text()
    assert text.count(stocks) == 1
    rules.write_text(text.replace(stocks, f"{stocks}\n    other_types: ignore"))
    return rules


def test_poison_of_every_kind_harms_nobody_and_stops_no_partition(
    fleet: Fleet, topics: str, sources: list[str], broker: str
) -> None:
    """Three replicas were sending under load.

    Every partition got records that nobody can use, up to the largest that a broker takes, in every codec of
    Kafka and with headers that are no text, and events that the rules ignore.
    Each of them stands in the dead letters with its bytes, or is counted as ignored; every user was in step, and
    every partition was settled to its end.
    """
    product = Product(users=500, seed=5, topics=topics)
    fleet.start_three()
    sent: dict[bytes, bytes | None] = {}
    ignored = 0
    with under_load(product, broker, events_a_second=200):
        for codec in CODECS:
            out = Feed(broker, compression=codec)
            for number, value in enumerate(POISON):
                key = f"{codec} {number}".encode() + b"\xff"
                sent[key] = value
                out.send(topics + CITY, key, value, partition=number % PARTITIONS, headers=HEADERS)
            out.send(topics + CITY, codec.encode(), good_event(codec), headers=HEADERS)
            for number in range(PARTITIONS):
                ignored += 1
                out.send(topics + STOCKS, None, OTHER_TYPE, partition=number, headers=HEADERS)
            out.flush()
    for codec in CODECS:
        product.truth[codec] = Truth({"city": codec})
    all_in_step(product.truth, fleet.chat)
    all_settled(broker, topics, sources)

    letters = dead_letters(broker, f"{topics}dead-letters")
    show("poison", sent=len(sent), dead_letters=len(letters), ignored=ignored)
    assert {in_bytes(each.key): in_bytes(each.value) for each in letters} == sent
    assert (
        sum(replica.metric("audience_sync_events_total", outcome="ignored") for replica in fleet.all)
        == ignored
    )
    assert all("Traceback" not in replica.text() for replica in fleet.all)


def good_event(user: str) -> bytes:
    """A user moves to a city that is called like himself."""
    return json.dumps({"kind": "city-changed", "user_id": user, "city": user}).encode()


def in_bytes(text: str | None) -> bytes | None:
    """What stood in the record, of what stands in its dead letter."""
    return None if text is None else b64decode(text)
