"""Every metric, with its help text. All series are there from the start, at zero."""

from bisect import bisect_left
from collections import Counter as Counted
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from audience_sync.core.changes import Endpoint
from audience_sync.core.event import Cause
from audience_sync.core.pauses import ALL
from audience_sync.core.verdicts import REFUSED_USER, UNKNOWN_ACCOUNT, Outcome

DELAY_BUCKETS: Final = (
    0.1,
    0.25,
    0.5,
    1,
    2,
    2.5,
    3,
    4,
    5,
    7.5,
    10,
    15,
    20,
    30,
    35,
    45,
    60,
    120,
    300,
    600,
    1200,
    3600,
)
"""Past the longest wait that can be set (600 s), and finer around the default quiet time and longest wait."""

REQUEST_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 30, 60)
RULES: Final = "rules"
"""What rules are counted as, of all that is paused: their names are no closed set."""

USERS_BUCKETS: Final = (1, 2, 5, 10, 20, 50, 80, 90, 95, 99, 100)


class EventOutcome(StrEnum):
    """What became of a record."""

    TRANSLATED = "translated"
    IGNORED = "ignored"
    UNUSABLE = "unusable"


class ChangeKind(StrEnum):
    """The five changes, as they are counted."""

    SET_ATTRIBUTE = "set_attribute"
    REMOVE_ATTRIBUTE = "remove_attribute"
    ADD_TAG = "add_tag"
    REMOVE_TAG = "remove_tag"
    REMOVE_ALL_TAGS = "remove_all_tags"


class PartOutcome(StrEnum):
    """How a user's part of a request ended."""

    CONFIRMED = "confirmed"
    GIVEN_UP = "given_up"
    DROPPED = "dropped"
    IMPORTED = "imported"
    CAME_BACK = "came_back"


class Readiness(StrEnum):
    """Whether a full request's worth of users was ready when a request was cut."""

    MANY = "many"
    FEW = "few"


class ReloadOutcome(StrEnum):
    """What became of a file that has changed. A closed set, because it is a label."""

    TAKEN = "taken"
    REFUSED = "refused"


class Credential(StrEnum):
    """What is taken over from its files while the service runs."""

    SIGNING_KEY = "signing_key"
    KAFKA = "kafka"


class FetchOutcome(StrEnum):
    """How a try to fetch a schema ended."""

    FETCHED = "fetched"
    UNUSABLE = "unusable"
    FAILED = "failed"


class DelaySeconds(Histogram):
    """A histogram of all delays that one request has ended: they are told at once, for a third of the price."""

    def observe_all(self, amounts: Sequence[float]) -> None:
        """The same as `observe` with each."""
        for bucket, count in Counted(bisect_left(self._upper_bounds, amount) for amount in amounts).items():
            self._buckets[bucket].inc(count)
        self._sum.inc(sum(amounts))


class Metrics:
    """The instruments, made on the registry given, so that two tests never share a count.

    topics, codes: the closed sets of those labels. A code outside of it counts as "other".
    """

    def __init__(self, registry: CollectorRegistry, *, topics: Iterable[str], codes: Iterable[int]) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"audience_sync_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"audience_sync_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: Iterable[float], *labels: str) -> Histogram:
            return Histogram(f"audience_sync_{name}", text, labels, registry=registry, buckets=tuple(buckets))

        self.events = counter("events", "Records read, by what became of them.", "topic", "outcome")
        self.changes = counter("changes", "Changes that events caused, before folding.", "kind")
        self.late_changes = counter(
            "late_changes", "Changes not applied: a later event had spoken on the same before.", "topic"
        )
        self.parts = counter("parts", "Users' parts of requests, by how they ended.", "endpoint", "outcome")
        self.sent_changes = counter("sent_changes", "Changes that left in requests, after folding.")
        self.skipped_changes = counter(
            "skipped_changes", "Changes that were not sent: the Chat API had confirmed the same lately."
        )
        self.requests = counter(
            "requests", "Requests to the Chat API, by how they ended.", "endpoint", "outcome"
        )
        self.errors = counter("errors", "Answers of the Chat API other than OK, by code.", "code")
        self.users_per_request = histogram(
            "users_per_request",
            "Users in a request; by whether at least 100 were ready when it was cut.",
            USERS_BUCKETS,
            "ready",
        )
        self.request_seconds = histogram(
            "request_seconds", "From a request's start to its end.", REQUEST_BUCKETS, "endpoint"
        )
        self.delay_seconds = DelaySeconds(
            "audience_sync_delay_seconds",
            "From a user's first unsent event to the confirmation of all that it caused.",
            registry=registry,
            buckets=DELAY_BUCKETS,
        )
        self.waiting_users = gauge("waiting_users", "Users with unsettled changes.")
        self.ready_users = gauge("ready_users", "Users ready for a request.", "endpoint")
        self.requests_in_flight = gauge("requests_in_flight", "Requests under way.", "endpoint")
        self.pace = gauge("pace_calls_per_second", "Requests that may start in a second.", "endpoint")
        self.oldest_unsettled_seconds = gauge(
            "oldest_unsettled_seconds", "Age of the oldest unsettled event that was read; 0 if there is none."
        )
        self.unread_records = gauge("unread_records", "Records of our partitions not read yet: the backlog.")
        self.shareable_records = gauge(
            "shareable_records",
            "Unread records that more replicas would read sooner: nothing holds them up but this replica's speed.",
        )
        self.unsettled_records = gauge(
            "unsettled_records", "Records between the position that may be committed and the one read next."
        )
        self.partitions = gauge("partitions", "Partitions that are ours.")
        self.held_partitions = gauge(
            "held_partitions", "Partitions of ours that may not be sent for yet after an assignment."
        )
        self.paused = gauge("paused", "What a person has paused: 1 each, or how many rules.", "what")
        self.stopped = gauge("stopped", "1 while nothing is sent until a person acts.")
        self.ready = gauge("ready", "1 while the service does its work.")
        self.dead_letters = counter("dead_letters", "Dead letters that the broker has acknowledged.", "cause")
        self.dead_letter_failures = counter(
            "dead_letter_failures", "Tries to write a dead letter that failed."
        )
        self.rekeyed_copies = counter(
            "rekeyed_copies",
            "Records written to the topic keyed by the user, by where they came from.",
            "topic",
        )
        self.rekeying_failures = counter("rekeying_failures", "Failures of re-keying that were tried again.")
        self.rekeying_unread_records = gauge(
            "rekeying_unread_records", "Records of our partitions of re-keyed topics not copied yet."
        )
        self.rules_reloads = counter(
            "rules_reloads", "Changed rules files, by whether they were taken.", "outcome"
        )
        self.rules_outdated = gauge(
            "rules_outdated", "1 while the rules file can't be used, and the rules before it go on applying."
        )
        self.rotations = counter(
            "rotations",
            "Changed secrets and certificates, by whether they were taken.",
            "credential",
            "outcome",
        )
        self.credentials_outdated = gauge(
            "credentials_outdated",
            "1 while the files can't be used, and what was in them before goes on applying.",
            "credential",
        )
        self.wanted_schemas = gauge(
            "wanted_schemas", "Schemas that records wait for, and all behind them in their partitions."
        )
        self.schema_fetches = counter(
            "schema_fetches", "Tries to fetch a schema from the registry, by how they ended.", "outcome"
        )
        self.commits = counter("commits", "Commits that the broker has accepted.")
        self.commit_failures = counter("commit_failures", "Commits that the broker has not accepted.")
        self.assignments = counter("assignments", "Times that partitions were assigned.")
        self.foreign_keys = counter(
            "foreign_keys", "Records whose key is not their user, so that his order is not certain.", "topic"
        )
        self.users_on_two_numbers = gauge(
            "users_on_two_numbers",
            "Users met on partitions of two numbers since the assignment: their order is not certain.",
        )
        self.lost_records = counter(
            "lost_records", "Records that retention has deleted before they were read."
        )

        self._codes = {str(code) for code in codes}
        topics = tuple(topics)
        for topic in topics:
            self.foreign_keys.labels(topic)
            self.rekeyed_copies.labels(topic)
            self.late_changes.labels(topic)
            for event_outcome in EventOutcome:
                self.events.labels(topic, event_outcome)
        for kind in ChangeKind:
            self.changes.labels(kind)
        for endpoint in Endpoint:
            for each in (self.ready_users, self.requests_in_flight, self.pace, self.request_seconds):
                each.labels(endpoint)
            for part_outcome in PartOutcome:
                self.parts.labels(endpoint, part_outcome)
            for outcome in Outcome:
                self.requests.labels(endpoint, outcome)
        for what in (ALL, *Endpoint, RULES):
            self.paused.labels(what)
        for readiness in Readiness:
            self.users_per_request.labels(readiness)
        for fetch_outcome in FetchOutcome:
            self.schema_fetches.labels(fetch_outcome)
        for code in (*sorted(self._codes), "other"):
            self.errors.labels(code)
        for reload_outcome in ReloadOutcome:
            self.rules_reloads.labels(reload_outcome)
        for credential in Credential:
            self.credentials_outdated.labels(credential)
            for reload_outcome in ReloadOutcome:
                self.rotations.labels(credential, reload_outcome)
        for cause in (*Cause, REFUSED_USER, UNKNOWN_ACCOUNT):
            self.dead_letters.labels(cause)

    def totals(self) -> dict[str, int]:
        """What came in, what it meant, what went out and what was given up, since the start."""
        counters = {
            "records": self.events,
            "changes": self.changes,
            "requests": self.requests,
            "parts": self.parts,
            "dead_letters": self.dead_letters,
        }
        return {name: _total(counter) for name, counter in counters.items()}

    def count_error(self, code: int) -> None:
        """An answer other than OK; a code that is not in the table counts as "other"."""
        self.errors.labels(str(code) if str(code) in self._codes else "other").inc()


def _total(counter: Counter) -> int:
    """The sum over all labels."""
    [family] = counter.collect()
    return int(sum(sample.value for sample in family.samples if sample.name.endswith("_total")))
