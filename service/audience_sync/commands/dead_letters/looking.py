"""What is newer than the letters that are to be replayed: where to look for it, and looking."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from aiokafka.partitioner import murmur2

from audience_sync.commands.dead_letters.topics import bar_of
from audience_sync.core.ownership import PartitionKey
from audience_sync.core.rules import Rules
from audience_sync.events.log_reading import LogReader, Span
from audience_sync.events.replay_evidence import (
    Candidate,
    Evidence,
    Look,
    Translate,
    beginnings_of,
    topics_of,
)

SAMPLED_RECORDS: Final = 50
"""Of the end of each partition, to see how producers choose partitions."""


class Looking:
    """Looks through the log for what is newer than letters, again and again from where it ended.

    rekeyed_topic: where events of sources that are re-keyed are copied to, in the order in which they are applied.
    too_old: ids of letters whose events the log no longer has, so that what came next may be gone with them.
    """

    def __init__(
        self, reader: LogReader, rules: Rules, translate: Translate, *, rekeyed_topic: str | None = None
    ) -> None:
        self._reader = reader
        self._rekeyed_topic = rekeyed_topic
        self._rules = rules
        self._translate = translate
        self._partitions: dict[str, list[PartitionKey]] = {}
        self._beginnings: dict[str, Mapping[PartitionKey, int]] = {}
        self._keyed_by_default: dict[str, bool] = {}
        self.too_old: set[str] = set()
        self._evidence = Evidence([], translate)
        self._read_below: dict[PartitionKey, int] = {}

    async def begin(self, candidates: Sequence[Candidate]) -> None:
        """From now on look for what concerns these."""
        for candidate in candidates:
            await self._place(candidate)
        self._evidence = Evidence(candidates, self._translate)
        self._read_below = dict(self._evidence.starts)

    async def look(self) -> Mapping[PartitionKey, int]:
        """Read on to the end of the log. Returns below which positions it was looked through."""
        whole = await self._reader.whole(self._read_below.keys())
        spans = {
            partition: Span(max(start, whole[partition].start), whole[partition].end)
            for partition, start in self._read_below.items()
        }
        with bar_of("newer events", spans) as advance:
            async for records in self._reader.read(spans):
                for record in records:
                    self._evidence.see(PartitionKey(record.topic, record.partition), record)
                advance(len(records))
        self._read_below = {partition: max(span) for partition, span in spans.items()}
        return self._read_below

    async def number_of(self, candidate: Candidate) -> int:
        """The number whose owner has the letter's user now: it has moved if the topics have grown since."""
        origin = candidate.letter.origins[0]
        topic = self._applied_from(origin.topic)
        partitions = await self._of_topic(topic)
        if not partitions:
            return origin.partition
        if topic != origin.topic:
            return int((murmur2(candidate.user.encode()) & 0x7FFFFFFF) % len(partitions))
        key = candidate.letter.original().key or candidate.user.encode()
        by_default = (murmur2(key) & 0x7FFFFFFF) % len(partitions)
        if by_default != origin.partition and await self._is_keyed_by_default(origin.topic):
            return int(by_default)
        return origin.partition

    async def _place(self, candidate: Candidate) -> None:
        """Say where to look for what is newer than the letter: since its events, and in the order of the log."""
        origins, number = candidate.letter.origins, await self.number_of(candidate)
        since = {
            key: position
            for key, position in beginnings_of(candidate.letter).items()
            if self._applied_from(key.topic) == key.topic
        }
        named = [*(origin.topic for origin in origins), *topics_of(candidate.said, self._rules.rules)]
        topics = dict.fromkeys(map(self._applied_from, named))
        beginnings = {
            partition: start for topic in topics for partition, start in (await self._readable(topic)).items()
        }
        at = min(origin.timestamp for origin in origins)
        others = {PartitionKey(topic, number) for topic in topics} & beginnings.keys() - since.keys()
        found = await self._reader.positions_at(dict.fromkeys(others, at))
        since |= {partition: position for partition, position in found.items() if position is not None}
        for partition, position in since.items():
            if partition in beginnings:
                candidate.looks.append(Look(partition, position))
            if position < beginnings.get(partition, position + 1):
                self.too_old.add(candidate.letter.id)

    async def _readable(self, topic: str) -> Mapping[PartitionKey, int]:
        """The first position of each partition of a topic; none of one that the rules can't read."""
        if topic not in self._beginnings:
            is_read = topic in self._rules.sources or topic == self._rekeyed_topic
            partitions = await self._of_topic(topic) if is_read else []
            whole = await self._reader.whole(partitions)
            self._beginnings[topic] = {partition: span.start for partition, span in whole.items()}
        return self._beginnings[topic]

    def _applied_from(self, topic: str) -> str:
        """The topic whose order counts for what stands in *topic*."""
        if self._rekeyed_topic is not None and topic in self._rules.rekeyed:
            return self._rekeyed_topic
        return topic

    async def _of_topic(self, topic: str) -> list[PartitionKey]:
        if topic not in self._partitions:
            self._partitions[topic] = await self._reader.partitions(topic)
        return self._partitions[topic]

    async def _is_keyed_by_default(self, topic: str) -> bool:
        """Whether the last records of a topic lie where Kafka's own partitioner puts their keys."""
        if topic not in self._keyed_by_default:
            partitions = await self._of_topic(topic)
            whole = await self._reader.whole(partitions)
            spans = {
                partition: Span(max(span.start, span.end - SAMPLED_RECORDS), span.end)
                for partition, span in whole.items()
            }
            keyed: list[bool] = []
            async for records in self._reader.read(spans):
                keyed += _as_by_default(records, len(partitions))
            self._keyed_by_default[topic] = bool(keyed) and all(keyed)
        return self._keyed_by_default[topic]


def _as_by_default(records: Iterable[Any], count: int) -> Iterator[bool]:
    for record in records:
        if record.key is not None:
            yield (murmur2(record.key) & 0x7FFFFFFF) % count == record.partition
