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

UNUSABLE: Final = (b"{", b'{"type":"city","user":"","city":"x"}', b'{"type":"nobody"}')
"""What no rule can do anything with: no JSON, no user, no type that a rule names."""


def partition_of(user: str, partitions: int) -> int:
    """As a producer does it: the same user in the same number, in every topic."""
    return crc32(user.encode()) % partitions


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
    kinds: tuple[tuple[str, int, str, dict[str, str], Words], ...] = (
        (one, 0, "city", {"city": f"v~{version}"}, {"city": f"v~{version}"}),
        (one, 0, "tier", {"tier": f"v~{version}"}, {"tier": f"v~{version}"}),
        (other, 0, "no_city", {}, {"city": None}),
        (other, 0, "no_tier", {}, {"tier": None}),
        (one, -1, "forget", {}, {"*": False}),
        (one, -1, "follow", {"tag": "t:a"}, {"t:a": True}),
        (other, -1, "unfollow", {"tag": "t:b"}, {"t:b": False}),
    )
    for user, topic, kind, said, words in kinds:
        value = msgspec.json.encode({"type": kind, "user": user, **said})
        yield Produced(now, topics[topic], Entry(user, user.encode(), value, round(now * 1000), words))


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
