"""Records that no producer should write: valid events, spoilt a little or a lot."""

import json
import random
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from audience_sync.core.changes import AddTag, Change, RemoveAllTags, SetAttribute
from audience_sync.core.ledger import Origin
from audience_sync.events.dead_letters import told_changes
from audience_sync.events.formats.wire import PREFIX_BYTES
from audience_sync.events.replays import LookedBelow, Replay
from audience_sync.formats import Headers
from tests.fuzz.framed import IDS, MADE
from tests.support.schemas import framed

RULES: Final = """
sources:
  - {topic: cloud, format: cloudevents}
  - {topic: plain, format: json, type_field: meta.kind, time_field: meta.at}
  - {topic: single, format: json, type: moved}
  - {topic: picky, format: json, type_field: kind, other_types: ignore}
  - {topic: rich, format: json, type_field: kind, tombstones: {event: gone-at-all}}
  - {topic: changes, format: debezium}
  - {topic: avro, format: avro}
  - {topic: protobuf, format: protobuf, type: Tier}
rules:
  - name: row
    event: [create, update]
    topic: changes
    user: "{$key}"
    changes: [set_attribute: {name: c, value: "{after.tier}"}]
  - {name: no row, event: delete, topic: changes, user: "{before.id}", changes: [remove_attribute: c]}
  - name: avro tier
    event: Tier
    topic: avro
    user: "{user_id}"
    changes: [set_attribute: {name: a, value: "{tier}", if_null: remove}]
  - name: protobuf tier
    event: Tier
    topic: protobuf
    user: "{user_id}"
    changes: [set_attribute: {name: p, value: "{tier}{n}"}]
  - name: tier
    event: tier.changed
    topic: cloud
    user: "{data.user.id}"
    changes:
      - set_attribute: {name: tier, value: "{data.tier}"}
  - name: trial
    event: tier.changed
    topic: cloud
    user: "{data.user.id}"
    changes: [set_attribute: {name: region, value: "r-{data.region}"}]
  - {name: follow, event: follow, topic: plain, user: "{who}", changes: [add_tag: "s:{symbol}"]}
  - name: skills
    event: follow
    topic: plain
    user: "{who}"
    changes: [add_tag: {tag: "skill:{item}", for_each: skills, if_missing: ignore, if_null: ignore}]
  - {name: unfollow, event: unfollow, topic: plain, user: "{who}", changes: [remove_tag: "s:{symbol}"], urgent: true}
  - {name: gone, event: gone, topic: plain, user: "{who}", changes: [remove_all_tags: true]}
  - name: moved
    event: moved
    topic: single
    user: "u-{id}"
    changes: [set_attribute: {name: city, value: "{city}"}]
  - name: rated
    event: rated
    topic: picky
    user: "{id}"
    changes: [set_attribute: {name: stars, value: "{stars}"}]
  - name: member
    event: member
    topic: rich
    user: "{id}"
    changes: [set_attribute: {name: level, value: "{level}", map: {"1": silver, "2": gold, "true": "yes"}}]
  - name: big
    event: member
    topic: rich
    when: points >= 10
    user: "{id}"
    changes: [set_attribute: {name: team, value: big}]
  - name: small
    event: member
    topic: rich
    when: points < 12
    user: "{id}"
    changes: [remove_attribute: team]
  - name: team
    event: team
    topic: rich
    for_each: members
    when: item.active == true
    user: "{item.id}"
    changes:
      - set_attribute: {name: team, value: "{$headers.team}", if_missing: ignore}
  - {name: gone at all, event: gone-at-all, topic: rich, user: "{$key}", changes: [remove_attribute: level]}
  - name: points
    event: points
    topic: rich
    translator: tests.fuzz.translating:translate
    writes: {attributes: [points]}
"""
REPLAYS: Final = "replays"
TOPICS: Final = ("cloud", "plain", "single", "picky", "rich", "changes", "avro", "protobuf", REPLAYS)

_USERS: Final = ("alice", "bob", "深圳", "u" * 32, "u" * 33, "", "a b", "\x00", "🙂" * 8, "🙂" * 9)
_TEXTS: Final = (
    "gold",
    "",
    "x" * 50,
    "x" * 51,
    "深" * 17,
    "\u0000",
    "\ufeff",
    "é",
    "1",
    "null",
    "~",
    "\x7f" * 9,
)
_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 7, 2**63, -(2**64), 10**400, 1.5, 1e308, -0.0),
    *("", "text", "x" * 5000, "\ud800", "深圳", "\x00", [], [1, [2, [3]]], {}, {"a": {"b": {}}}, {"": ""}),
)


def an_event(topic: str, chance: random.Random) -> bytes:
    """A valid one, as producers write it."""
    if topic in MADE:
        return MADE[topic](chance, chance.choice(_USERS), chance.choice(_TEXTS))
    return json.dumps(_valid(topic, chance), ensure_ascii=chance.random() < 0.5).encode(
        errors="surrogatepass"
    )


def _valid(topic: str, chance: random.Random) -> Any:
    user, text = chance.choice(_USERS), chance.choice(_TEXTS)
    match topic:
        case "cloud":
            data = {"user": {"id": user}, "tier": text, "region": chance.randrange(-3, 1000)}
            envelope = {"specversion": "1.0", "id": "1", "source": "/p", "time": "2026-11-22T08:30:00Z"}
            return envelope | {"type": chance.choice(["tier.changed", "tier.lost"]), "data": data}
        case "plain":
            kind = chance.choice(["follow", "unfollow", "gone", "fled"])
            return {
                "meta": {"kind": kind, "at": "2026-11-22T08:30:00+08:00"},
                "who": user,
                "symbol": text,
            } | ({"skills": [text, "go", None][: chance.randrange(4)]} if chance.random() < 0.3 else {})
        case "single":
            return {"id": chance.randrange(10), "city": text}
        case "picky":
            return {"kind": chance.choice(["rated", "seen"]), "id": user, "stars": chance.randrange(6)}
        case "rich":
            return _rich(chance, user, text)
        case "changes":
            return _a_change(chance, user, text)
    return msgspec.to_builtins(_replay(chance, user, text))


def _a_change(chance: random.Random, user: str, text: str) -> Any:
    row = {"id": user, "tier": text}
    change = {
        "before": row,
        "after": row,
        "source": {"ts_ms": 1_795_305_600_000},
        "op": chance.choice("cudrtmx"),
    }
    match chance.randrange(4):
        case 0:
            return {"schema": {"type": "struct"}, "payload": change}
        case 1:
            return row | {
                "__deleted": chance.choice(["true", "false", True, None]),
                "__op": chance.choice("cud"),
            }
    return change


def _rich(chance: random.Random, user: str, text: str) -> Any:
    points = chance.randrange(25)
    match chance.randrange(3):
        case 0:
            level = chance.choice([1, 2, "2", True, 3, text])
            return {"kind": "member", "id": user, "level": level, "points": points}
        case 1:
            member = {"id": user, "active": True, "role": chance.choice([text, None])}
            return {"kind": "team", "members": [member, {"id": "bob", "active": False}] * chance.randrange(4)}
    return {"kind": "points", "id": user, "points": points}


def _replay(chance: random.Random, user: str, text: str) -> Replay:
    changes: list[Change] = [SetAttribute("tier", text), AddTag(text), RemoveAllTags()]
    return Replay(
        id="b",
        user=user,
        changes=told_changes(changes[chance.randrange(3) :]),
        origins=[Origin(chance.choice(TOPICS), chance.randrange(3), chance.randrange(99), chance.random())],
        looked_below=[LookedBelow("plain", 0, chance.randrange(100_000))] * chance.randrange(2),
    )


def a_record(topic: str, chance: random.Random) -> bytes | None:
    """A valid event, one that is spoilt, or anything."""
    return chance.choice(_SPOILT)(topic, chance)


def _structured(topic: str, chance: random.Random) -> bytes:
    """Valid JSON with one to three parts replaced, taken away, or doubled under another name.

    Of what is no JSON, the schema is another.
    """
    if topic in MADE:
        return framed(chance.choice(IDS), an_event(topic, chance)[PREFIX_BYTES:])
    event = _valid(topic, chance)
    for _ in range(chance.randrange(1, 4)):
        event = _with_another_part(event, chance)
    return json.dumps(event, ensure_ascii=chance.random() < 0.5).encode(errors="surrogatepass")


def _with_another_part(event: Any, chance: random.Random) -> Any:
    if not isinstance(event, dict) or not event or chance.random() < 0.1:
        return chance.choice(_VALUES)
    key = chance.choice(list(event))
    match chance.randrange(4):
        case 0:
            return {name: value for name, value in event.items() if name != key}
        case 1:
            return event | {chance.choice(_TEXTS): event[key]}
        case 2:
            return event | {key: chance.choice(_VALUES)}
    return event | {key: _with_another_part(event[key], chance)}


def _bytewise(topic: str, chance: random.Random) -> bytes:
    """Some bytes flipped, cut out, doubled, put in, or the end cut off."""
    event = bytearray(an_event(topic, chance))
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(event) + 1)
        match chance.randrange(5):
            case 0 if at < len(event):
                event[at] ^= 1 << chance.randrange(8)
            case 1:
                del event[at : at + chance.randrange(1, 20)]
            case 2:
                event[at:at] = event[at : at + chance.randrange(1, 50)]
            case 3:
                event[at:at] = chance.choice(_TOKENS)
            case 4:
                del event[at:]
    return bytes(event)


def _spliced(topic: str, chance: random.Random) -> bytes:
    """The beginning of one event and the end of another, maybe of another topic."""
    one, other = an_event(topic, chance), an_event(chance.choice(TOPICS), chance)
    return one[: chance.randrange(len(one) + 1)] + other[chance.randrange(len(other) + 1) :]


_TOKENS: Final = (
    *(
        b"\x00",
        b"\xff",
        b"\xed\xa0\x80",
        b"\\ud800",
        b'"',
        b"{",
        b"}",
        b"[" * 1500,
        b":",
        b",",
        b"null",
        b"1e999",
    ),
    *(b"\xef\xbb\xbf", b"NaN", b"-", b"\\u0000", b'{"a":' * 600, b"//", b" " * 99, b"9" * 400),
)
_SPOILT: Final[tuple[Callable[[str, random.Random], bytes | None], ...]] = (
    *([an_event] * 3),
    *([_structured] * 4),
    *([_bytewise] * 4),
    _spliced,
    lambda _, chance: chance.randbytes(chance.randrange(200)),
    lambda _, chance: chance.choice(_TOKENS) * chance.randrange(3),
    lambda _topic, _chance: None,
)

HEADERS: Final[tuple[Headers, ...]] = (
    (),
    (("team", b"red"),),
    (("team", b"\xff"), ("", None)),
    (("team", b"x" * 99), ("team", None)),
    (("ce_type", b"tier.changed"), ("content-type", b"application/json")),
    (("ce_type", b"\xff"), ("content-type", b"application/cloudevents-batch+json")),
)
KEYS: Final[Mapping[str, bytes | None]] = {
    "user": b"alice",
    "none": None,
    "no text": b"\xff\xfe",
    "empty": b"",
}
TIMESTAMPS: Final = (-1, 0, 1, 1_795_305_600_000, 2**62)
