"""What is looked at before anything is read: the topics, and whether their keys are the users."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from audience_sync.core.event import Translated, TranslatedMany, Translation
from audience_sync.events.kafka_admin import KafkaAddress, KafkaAdmin, KafkaAdminError, NotSpokenError, ask
from audience_sync.events.keys import is_keyed_by
from audience_sync.events.topics import (
    COPIES_BEFORE_SAFE,
    DEAD_LETTER_TOPIC,
    REPLAY_TOPIC,
    TopicsChecked,
    missing,
    missing_message,
    small_dead_letters,
    uneven,
    uneven_replays,
    unsafe_dead_letters,
    untold_dead_letters,
)
from audience_sync.formats import Record


@dataclass(frozen=True)
class KeySample:
    """Of the records looked at in a topic: how many cause changes, and how many of those have another key."""

    records: int
    with_changes: int
    with_other_key: int


def check_topics(
    address: KafkaAddress,
    *,
    sources: Sequence[str],
    dead_letters: str,
    replays: str | None = None,
    rekeyed: str | None = None,
    rekey_from: Sequence[str] = (),
    create_partitions: int | None = None,
    create_replication: int = -1,
    refuse_unsafe: bool = False,
) -> TopicsChecked:
    """See that all topics are there and fit together; create missing ones if *create_partitions* is given.

    Source topics get that many partitions, the topic of *replays* and the one of *rekeyed* events as many as the
    sources have, the dead letters one; replays and dead letters are kept for ever. Topics to *rekey_from* may have
    any number. All have *create_replication* copies (-1: the broker's default). Blocks, as long as *address* says
    at most; safe to repeat, from several replicas at the same time as well.
    Raises KafkaAdminError for topics that are missing, for sources of different partition counts, and with
    *refuse_unsafe* for dead letters that may be lost. What the broker can't be asked is a warning and no error.
    """
    ours = [topic for topic in (rekeyed, replays) if topic is not None]
    read = [*sources, *([] if rekeyed is None else [rekeyed])]
    wanted = [*sources, *rekey_from, *ours, dead_letters]

    def question(kafka: KafkaAdmin) -> TopicsChecked:
        found = kafka.partitions(wanted)
        lacking = missing(wanted, found)
        if lacking and create_partitions is None:
            raise KafkaAdminError(missing_message(lacking, address.bootstrap))
        created: list[str] = []
        warnings: list[str] = []
        for topic in lacking:
            assert create_partitions is not None, "else the first one missing was an error"
            partitions, configuration = create_partitions, dict[str, str]()
            if topic == dead_letters:
                partitions, configuration = 1, DEAD_LETTER_TOPIC
            elif topic in ours:
                partitions = max((found[source] for source in sources if source in found), default=partitions)
                configuration = REPLAY_TOPIC if topic == replays else {}
            try:
                kafka.create(
                    topic, partitions=partitions, replication=create_replication, configuration=configuration
                )
                created.append(topic)
                if configuration and kafka.copies(topic) >= COPIES_BEFORE_SAFE:
                    in_sync = {"min.insync.replicas": str(COPIES_BEFORE_SAFE)}
                    with suppress(KafkaAdminError):  # where that is not allowed, it is told below
                        kafka.reconfigure(topic, {**configuration, **in_sync})
            except NotSpokenError:
                warnings.append(f"the broker can't be asked to create topic {topic!r}")
        if lacking:
            found = kafka.partitions(wanted)
        if (why := uneven(read, found)) is not None:
            raise KafkaAdminError(f"Kafka at {address.bootstrap}: {why}")
        if replays is not None and (why := uneven_replays(replays, read, found)) is not None:
            warnings.append(why)
        if dead_letters in found:
            warnings += how_dead_letters_are_kept(kafka, dead_letters, refuse_unsafe=refuse_unsafe)
        return TopicsChecked(partitions=found, created=tuple(created), warnings=tuple(warnings))

    return ask(address, question)


def how_dead_letters_are_kept(kafka: KafkaAdmin, topic: str, *, refuse_unsafe: bool) -> list[str]:
    """What a person should know of the topic of dead letters. Raises KafkaAdminError if they may be lost."""
    try:
        configuration, copies = kafka.configuration(topic), kafka.copies(topic)
    except NotSpokenError:
        return [untold_dead_letters(topic)]
    unsafe = unsafe_dead_letters(topic, configuration, copies=copies)
    if unsafe and refuse_unsafe:
        raise KafkaAdminError("; ".join(unsafe) + "; or let the setting dead_letters.unsafe_topic be warn")
    small = small_dead_letters(topic, configuration)
    return [*unsafe, *([] if small is None else [small])]


def topics_there(address: KafkaAddress, *, but: Collection[str]) -> frozenset[str]:
    """The names of the broker's topics, *but* those that are ours to write, for the patterns of sources.

    Blocks, as long as *address* says at most. Raises KafkaAdminError.
    """
    return ask(address, lambda kafka: kafka.topics()) - set(but)


def sample_keys(
    address: KafkaAddress,
    *,
    topics: Sequence[str],
    translate: Callable[[str, Record], Translation],
    records_per_topic: int = 100,
) -> dict[str, KeySample]:
    """Compare keys with users in the last records of each topic, at most *records_per_topic* of it.

    Blocks, as long as *address* says at most. Reads outside of any group and commits nothing.
    Raises KafkaAdminError.
    """

    def question(kafka: KafkaAdmin) -> dict[str, KeySample]:
        samples: dict[str, KeySample] = {}
        for topic in topics:
            records = kafka.last_records(topic, records_per_topic)
            events = [(record.key, translate(topic, record)) for record in records]
            keyed = [
                (key, {part.user for part in event.parts})
                for key, event in events
                if isinstance(event, Translated | TranslatedMany)
            ]
            samples[topic] = KeySample(
                len(events),
                len(keyed),
                sum(not all(is_keyed_by(key, user) for user in users) for key, users in keyed),
            )
        return samples

    return ask(address, question)
