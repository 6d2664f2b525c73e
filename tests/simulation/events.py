"""What producers write: events of users, as bytes and as what they mean."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import count
from random import Random
from typing import Final
from zlib import crc32

import msgspec

from tests.simulation.log import Entry, Words
from tests.simulation.loop import START
from tests.simulation.plan import Produced

TAGS: Final = ("t:a", "t:b", "t:c", "t:d")
ATTRIBUTES: Final = ("city", "tier")
OF_TAGS: Final = ("follow", "unfollow", "forget")
"""The kinds of events that are about tags."""

UNUSABLE: Final = (b"{", b'{"type":"city","user":"","city":"x"}', b'{"type":"nobody"}')
"""What no rule can do anything with: no JSON, no user, no type that a rule names."""


def partition_of(user: str, partitions: int) -> int:
    """As a producer does it: the same user in the same number, in every topic."""
    return crc32(user.encode()) % partitions


def topic_of(kind: str, topics: Sequence[str]) -> str:
    """Where events of that kind are written: those of attributes in the first topic, those of tags in the last."""
    return topics[-1] if kind in OF_TAGS else topics[0]


def topic_of_the_first(kind: str, topics: Sequence[str]) -> str:
    """The wrong way: of tags, too, one kind stands in the first topic."""
    return topics[0] if kind == "forget" else topic_of(kind, topics)


@cache
def good_users(number: int, partitions: int) -> tuple[str, str]:
    """Two users with whom nothing is ever wrong, in that partition."""
    users = (user for i in count() if partition_of(user := f"good{i}", partitions) == number)
    return next(users), next(users)


def everything_of(
    users: tuple[str, str], topics: Sequence[str], version: int, *, now: float
) -> Iterator[Produced]:
    """Events for each endpoint and each attribute: two users, for who sets or forgets has nothing left to remove."""
    one, other = users
    kinds: tuple[tuple[str, str, dict[str, str], Words], ...] = (
        (one, "city", {"city": f"v~{version}"}, {"city": f"v~{version}"}),
        (one, "tier", {"tier": f"v~{version}"}, {"tier": f"v~{version}"}),
        (other, "no_city", {}, {"city": None}),
        (other, "no_tier", {}, {"tier": None}),
        (one, "forget", {}, {"*": False}),
        (one, "follow", {"tag": "t:a"}, {"t:a": True}),
        (other, "unfollow", {"tag": "t:b"}, {"t:b": False}),
    )
    for user, kind, said, words in kinds:
        value = msgspec.json.encode({"type": kind, "user": user, **said})
        yield Produced(
            now, topic_of(kind, topics), Entry(user, user.encode(), value, round(now * 1000), words)
        )


def an_entry(chance: Random, user: str, *, version: int, of_tags: bool, moment: float, skew: int) -> Entry:
    """What one event says: mostly of the user, sometimes nothing that can be used. *skew*: of its clock, in ms."""
    words: Words = {}
    kind = chance.random()
    if kind < 0.06:
        value = chance.choice((*UNUSABLE, msgspec.json.encode({"type": "seen", "user": user})))
    elif of_tags:
        tag = chance.choice(TAGS)
        doing = chance.choice(("follow", "follow", "unfollow", "forget"))
        words = {"*": False} if doing == "forget" else {tag: doing == "follow"}
        value = msgspec.json.encode({"type": doing, "user": user, "tag": tag})
    else:
        name = chance.choice(ATTRIBUTES)
        value, words = _of_an_attribute(user, name, version, kind)
    return Entry(
        user=user,
        key=user.encode() if chance.random() < 0.95 else None,
        value=value,
        timestamp=round((START + moment) * 1000) + skew if chance.random() < 0.95 else 0,
        words=words,
        unusable=not words,
    )


def _of_an_attribute(user: str, name: str, version: int, kind: float) -> tuple[bytes, Words]:
    if kind < 0.2:
        return msgspec.json.encode({"type": f"no_{name}", "user": user}), {name: None}
    said, text = f"urgent_{name}" if kind < 0.3 else name, f"v~{version}"
    return msgspec.json.encode({"type": said, "user": user, name: text}), {name: text}
