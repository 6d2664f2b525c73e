"""What is looked at before anything is read: the topics, and whether their keys are the users."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from audience_sync.core.event import Translated, TranslatedMany, Translation
from audience_sync.events.kafka_admin import KafkaAddress, KafkaAdmin, KafkaAdminError, NotSpokenError, ask
from audience_sync.events.topics import (
    DEAD_LETTER_TOPIC,
    TopicsChecked,
    dead_letters_warning,
    missing,
    missing_message,
    uneven,
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
    create_partitions: int | None = None,
    create_replication: int = -1,
) -> TopicsChecked:
    """See that all topics are there and fit together; create missing ones if *create_partitions* is given.

    Source topics get that many partitions, the dead letters one, kept for ever, all of them
    *create_replication* copies (-1: the broker's default). Blocks, as long as *address*
    says at most; safe to repeat, from several replicas at the same time as well.
    Raises KafkaAdminError for topics that are missing and for sources of different partition counts. What
    the broker can't be asked is a warning and no error.
    """
    wanted = [*sources, dead_letters]

    def question(kafka: KafkaAdmin) -> TopicsChecked:
        found = kafka.partitions(wanted)
        lacking = missing(wanted, found)
        if lacking and create_partitions is None:
            raise KafkaAdminError(missing_message(lacking, address.bootstrap))
        created: tuple[str, ...] = ()
        warnings: list[str] = []
        if lacking and create_partitions is not None:
            try:
                for topic in lacking:
                    kept = topic == dead_letters
                    kafka.create(
                        topic,
                        partitions=1 if kept else create_partitions,
                        replication=create_replication,
                        configuration=DEAD_LETTER_TOPIC if kept else {},
                    )
                created = lacking
            except NotSpokenError:
                warnings += [f"the broker can't be asked to create topic {topic!r}" for topic in lacking]
            found = kafka.partitions(wanted)
        if (why := uneven(sources, found)) is not None:
            raise KafkaAdminError(f"Kafka at {address.bootstrap}: {why}")
        if dead_letters in found and (warning := _retention(kafka, dead_letters)) is not None:
            warnings.append(warning)
        return TopicsChecked(partitions=found, created=created, warnings=tuple(warnings))

    return ask(address, question)


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
                (key, {part.user.encode() for part in event.parts})
                for key, event in events
                if isinstance(event, Translated | TranslatedMany)
            ]
            samples[topic] = KeySample(len(events), len(keyed), sum(users != {key} for key, users in keyed))
        return samples

    return ask(address, question)


def _retention(kafka: KafkaAdmin, topic: str) -> str | None:
    try:
        return dead_letters_warning(topic, kafka.configuration(topic))
    except NotSpokenError:
        return dead_letters_warning(topic, None)
