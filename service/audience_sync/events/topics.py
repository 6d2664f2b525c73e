"""What must hold of the topics before anything is read, decided from what the broker says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

KEPT_FOR_EVER: Final = "-1"
"""Kafka's value of `retention.ms` for a topic that deletes nothing by age."""

DEAD_LETTER_BYTES: Final = 2 * 1024 * 1024
"""What a dead letter of a record of Kafka's default largest size (1 MiB) may need: its bytes in base64, and words."""

DEAD_LETTER_TOPIC: Final = {"retention.ms": KEPT_FOR_EVER, "max.message.bytes": str(8 * DEAD_LETTER_BYTES)}
"""How a topic for dead letters is created; topics of larger records than Kafka's default may feed it."""

REPLAY_TOPIC: Final = DEAD_LETTER_TOPIC | {"message.timestamp.type": "LogAppendTime"}
"""How a topic for replays is created: they hold what letters hold, and their age is told by the brokers' clock."""

COPIES_BEFORE_SAFE: Final = 2
"""Replicas that must have a dead letter before it counts as written: one broker may be lost, and none with it."""


@dataclass(frozen=True, kw_only=True)
class TopicsChecked:
    """What was found: partitions of each topic, topics that were created, and what a person should know."""

    partitions: Mapping[str, int]
    created: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def missing(wanted: Sequence[str], found: Mapping[str, int]) -> tuple[str, ...]:
    """The topics that are not there, each once, in the order of *wanted*."""
    return tuple(dict.fromkeys(topic for topic in wanted if topic not in found))


def missing_message(topics: Sequence[str], address: str) -> str:
    """Why the service can't start without *topics*, and the way out."""
    names = ", ".join(repr(topic) for topic in topics)
    return (
        f"Kafka at {address} has no topic {names}, or does not show it to this user; create it, correct its "
        f"name in the rules, or let the service create topics (create_topics, create_partitions)"
    )


def uneven(sources: Sequence[str], partitions: Mapping[str, int]) -> str | None:
    """Why source topics of different partition counts can't be read together; None if the counts are equal.

    One user's events are in partition `hash(user) % count` of each topic. Only with equal counts is that the
    same number everywhere, and one replica the owner of all of it.
    """
    counts = {topic: partitions[topic] for topic in dict.fromkeys(sources) if topic in partitions}
    if len(set(counts.values())) <= 1:
        return None
    named = ", ".join(f"{topic}: {count}" for topic, count in counts.items())
    return (
        f"the source topics have different numbers of partitions ({named}); events of one user would be "
        f"read by two replicas, and sent in two requests at the same time and in no order. Give all of them "
        f"{max(counts.values())} partitions, or read them with services of their own"
    )


def uneven_replays(topic: str, sources: Sequence[str], partitions: Mapping[str, int]) -> str | None:
    """Why replays of some users would wait for ever; None if they would not, or the topics are not there."""
    counts = {partitions[source] for source in sources if source in partitions}
    if topic not in partitions or len(counts) != 1 or counts == {partitions[topic]}:
        return None
    return (
        f"topic {topic!r} has {partitions[topic]} partitions and the topics of the rules have {min(counts)}, so "
        f"letters can't be replayed to all users. Give it {min(counts)} partitions"
    )


def unsafe_dead_letters(
    topic: str, configuration: Mapping[str, str | None], *, copies: int
) -> tuple[str, ...]:
    """How dead letters may be lost that the broker has acknowledged; empty if they are kept, whole and for ever.

    *copies*: how many replicas the topic has.
    """
    reasons: list[str] = []
    retention = configuration.get("retention.ms")
    if retention != KEPT_FOR_EVER:
        reasons.append(
            f"topic {topic!r} deletes dead letters after retention.ms={retention}; what is not replayed by "
            f"then is lost. Set retention.ms=-1"
        )
    if (size := configuration.get("retention.bytes") or KEPT_FOR_EVER) != KEPT_FOR_EVER:
        reasons.append(
            f"topic {topic!r} deletes the oldest dead letters above retention.bytes={size}. Set retention.bytes=-1"
        )
    if "compact" in (configuration.get("cleanup.policy") or ""):
        reasons.append(
            f"topic {topic!r} is compacted, so of one user's dead letters only the last one stays. "
            f"Set cleanup.policy=delete"
        )
    in_sync = int(configuration.get("min.insync.replicas") or 1)
    if in_sync < COPIES_BEFORE_SAFE <= copies:
        reasons.append(
            f"topic {topic!r} takes a dead letter with min.insync.replicas={in_sync} of its {copies} replicas; "
            f"if that broker is lost, so is the letter, and its position is committed. Set "
            f"min.insync.replicas={COPIES_BEFORE_SAFE}"
        )
    return tuple(reasons)


def small_dead_letters(topic: str, configuration: Mapping[str, str | None]) -> str | None:
    """Why a large record that can't be used would hold its partition back; None if it would not."""
    if int(configuration.get("max.message.bytes") or DEAD_LETTER_BYTES) >= DEAD_LETTER_BYTES:
        return None
    return (
        f"topic {topic!r} takes no records above max.message.bytes={configuration['max.message.bytes']}; a large "
        f"record that can't be used would hold its partition back. Set max.message.bytes={DEAD_LETTER_BYTES}"
    )


def untold_dead_letters(topic: str) -> str:
    """What a person should look at where the broker can't be asked."""
    return (
        f"the broker does not tell how long {topic!r} keeps dead letters; see that retention.ms is -1, and "
        f"min.insync.replicas at least {COPIES_BEFORE_SAFE}"
    )
