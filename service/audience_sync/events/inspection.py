"""Everything of Kafka that the service would meet at its start, looked at and not changed; each finding told."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec

from audience_sync.core.event import Translation, Wanting
from audience_sync.events.kafka_admin import KafkaAddress, KafkaAdmin, KafkaAdminError, NotSpokenError, ask
from audience_sync.events.preflight import how_dead_letters_are_kept, sample_keys
from audience_sync.events.schemas import RegistryError
from audience_sync.events.topics import missing, missing_message, uneven, uneven_replays
from audience_sync.formats import Record


class Weight(StrEnum):
    """What a finding means for the service."""

    PROBLEM = "problem"
    """It would not start, or not do its work."""
    WARNING = "warning"
    """It would work, and a person should know this."""
    NOTE = "note"
    """All is well; this is how things stand."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that was found, as a sentence with the way out."""

    weight: Weight
    about: str
    what: str


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the service would need of Kafka.

    may_create: missing topics are created at its start.
    refuse_unsafe: it does not start where dead letters may be lost.
    """

    sources: Sequence[str]
    dead_letters: str
    replays: str
    group: str
    may_create: bool
    refuse_unsafe: bool

    @property
    def topics(self) -> Sequence[str]:
        """All topics that must be there."""
        return [*self.sources, self.dead_letters, self.replays]


def of_kafka(
    address: KafkaAddress, wanted: Wanted, *, translate: Callable[[str, Record], Translation]
) -> Iterator[Finding]:
    """All findings about Kafka. One that prevents another is told instead of it. Blocks."""
    try:
        found = ask(address, lambda kafka: kafka.partitions(wanted.topics))
    except KafkaAdminError as error:
        yield _problem(str(error))
        return
    yield from _of_topics(address, wanted, found)
    if wanted.dead_letters in found:
        yield from _of_dead_letters(address, wanted)
    for topic in wanted.sources:
        if topic in found:
            yield from _of_records(address, topic, translate)
    yield from _of_group(address, wanted, found)


def _of_topics(address: KafkaAddress, wanted: Wanted, found: Mapping[str, int]) -> Iterator[Finding]:
    if lacking := missing(wanted.topics, found):
        if wanted.may_create:
            named = ", ".join(map(repr, lacking))
            yield _note(f"the topics {named} are not there, and are created at the service's start")
        else:
            yield _problem(missing_message(lacking, address.bootstrap))
    if (why := uneven(wanted.sources, found)) is not None:
        yield _problem(why)
    if (why := uneven_replays(wanted.replays, wanted.sources, found)) is not None:
        yield _warning(why)
    counts = ", ".join(f"{topic}: {found[topic]}" for topic in wanted.sources if topic in found)
    if counts:
        yield _note(f"partitions: {counts}")


def _of_dead_letters(address: KafkaAddress, wanted: Wanted) -> Iterator[Finding]:
    def question(kafka: KafkaAdmin) -> Sequence[str]:
        return how_dead_letters_are_kept(kafka, wanted.dead_letters, refuse_unsafe=wanted.refuse_unsafe)

    try:
        warnings = ask(address, question)
    except KafkaAdminError as error:
        yield _problem(str(error))
        return
    yield from map(_warning, warnings)


def _of_records(
    address: KafkaAddress, topic: str, translate: Callable[[str, Record], Translation]
) -> Iterator[Finding]:
    """That they can be read, that the rules understand them, and that they are keyed by the user."""
    wanting = False

    def translated(topic: str, record: Record) -> Translation:
        nonlocal wanting
        came = translate(topic, record)
        wanting = wanting or isinstance(came, Wanting)
        return came

    try:
        sample = sample_keys(address, topics=[topic], translate=translated)[topic]
    except (KafkaAdminError, RegistryError) as error:
        yield _problem(f"topic {topic!r}: {error}")
        return
    if sample.with_other_key:
        yield _warning(
            f"topic {topic!r}: of the last {sample.with_changes} records that cause changes {sample.with_other_key} "
            "have another key than their user, so the order of his changes is not certain; key it by the user"
        )
    if wanting:
        yield _note(
            f"topic {topic!r}: its records need schemas, and no registry is known; they were not looked into"
        )
    elif sample.records and not sample.with_changes:
        yield _warning(
            f"topic {topic!r}: none of the last {sample.records} records causes a change; `audience-sync plan "
            f"--topic {topic} --last {sample.records}` says why"
        )


def _of_group(address: KafkaAddress, wanted: Wanted, found: Mapping[str, int]) -> Iterator[Finding]:
    try:
        committed = ask(address, lambda kafka: kafka.committed(wanted.group))
    except NotSpokenError:
        yield _warning(f"the broker can't be asked where group {wanted.group!r} stands")
        return
    except KafkaAdminError as error:
        yield _problem(str(error))
        return
    ours = [(topic, number) for topic in wanted.sources for number in range(found.get(topic, 0))]
    there = sum(key in committed for key in ours)
    if there == 0:
        yield _note(f"group {wanted.group!r} has committed nothing: it begins at the earliest records")
    else:
        yield _note(f"group {wanted.group!r} has committed positions of {there} of {len(ours)} partitions")


def _problem(what: str) -> Finding:
    return Finding(Weight.PROBLEM, "Kafka", what)


def _warning(what: str) -> Finding:
    return Finding(Weight.WARNING, "Kafka", what)


def _note(what: str) -> Finding:
    return Finding(Weight.NOTE, "Kafka", what)
