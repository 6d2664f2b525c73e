"""What a plan comes to, in words: one object for programs, which the tables for people are made of."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from audience_sync.core.changes import (
    AddTag,
    Change,
    Endpoint,
    RemoveAllTags,
    RemoveAttribute,
    RemoveTag,
    SetAttribute,
)
from audience_sync.core.event import Cause, Translated, TranslatedMany
from audience_sync.core.limits import TAGS_PER_USER
from audience_sync.core.pace import HEADROOM
from audience_sync.core.plan_figures import Figures
from audience_sync.core.planner import Assumed, Planner
from audience_sync.settings import PREFIX, Settings

KINDS: Final[Mapping[type[Change], str]] = {
    SetAttribute: "set_attribute",
    RemoveAttribute: "remove_attribute",
    AddTag: "add_tag",
    RemoveTag: "remove_tag",
    RemoveAllTags: "remove_all_tags",
}

USERS_NAMED: Final = 3
"""Of a request's users, and of those who break a limit, so many are named."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """The service's own bounds, and what a plan would need of them."""

    max_waiting_users: int
    max_unsettled_records: int
    most_waiting_users: int = 0
    most_unsettled_records: int = 0


def bounds(planner: Planner, settings: Settings) -> Bounds:
    """Of one replica that owns all partitions."""
    return Bounds(
        max_waiting_users=settings.debounce.max_waiting_users,
        max_unsettled_records=settings.kafka.max_unsettled_records,
        most_waiting_users=planner.most_waiting_users,
        most_unsettled_records=planner.most_unsettled_records,
    )


def told(figures: Figures, assumed: Assumed, of: Bounds) -> dict[str, object]:
    """Everything that is known of the plan, ready for JSON. Moments are seconds after the first event."""
    p50, p95, p99, longest = figures.delay_at(0.5, 0.95, 0.99, 1.0)
    saved = figures.one_by_one - figures.planned
    return {
        "events": {
            "read": figures.records,
            "translated": figures.translated,
            "ignored": sum(figures.ignored.values()),
            "dead_letters": sum(figures.unusable.values()),
            "seconds": _rounded(figures.last_at - figures.first_at) if figures.records else 0.0,
        },
        "changes": {KINDS[kind]: count for kind, count in figures.changes.most_common()},
        "repeats_skipped": figures.skipped,
        "requests": {
            endpoint.value: {
                "calls": calls.calls,
                "users": calls.users,
                "users_per_call": _rounded(calls.users / calls.calls),
                "most_calls_in_a_second": calls.fastest,
            }
            for endpoint, calls in figures.calls.items()
            if calls.calls
        },
        "calls": {
            "planned": figures.planned,
            "one_by_one": figures.one_by_one,
            "saved": saved,
            "saved_percent": _rounded(100 * saved / figures.one_by_one) if figures.one_by_one else 0.0,
        },
        "pace": {
            "calls_per_second": _rounded(HEADROOM * assumed.calls_per_second),
            "calls_per_second_of_app": None
            if assumed.calls_per_second_of_app is None
            else _rounded(HEADROOM * assumed.calls_per_second_of_app),
            "answer_seconds": assumed.answer_seconds,
            "replicas": 1,
        },
        "delay_seconds": {
            "p50": _rounded(p50),
            "p95": _rounded(p95),
            "p99": _rounded(p99),
            "longest": _rounded(longest),
        },
        "limits": list(limits(figures, assumed, of)),
        "ignored": dict(figures.ignored.most_common(10)),
        "dead_letters": {
            cause.value: {
                "records": count,
                "examples": [
                    {
                        "topic": lost.partition.topic,
                        "partition": lost.partition.number,
                        "position": lost.position,
                        "info": lost.info,
                    }
                    for lost in figures.examples[cause]
                ],
            }
            for cause, count in figures.unusable.most_common()
        },
        "first_changes": list(_first_changes(figures)),
        "first_requests": [
            {
                "at": _rounded(sent.at - figures.first_at),
                "endpoint": sent.request.endpoint.value,
                "users": len(sent.request.parts),
                "of": list(sent.request.parts)[:USERS_NAMED],
            }
            for sent in figures.first_requests
        ],
    }


def limits(figures: Figures, assumed: Assumed, of: Bounds) -> Iterator[str]:
    """The limits that would be broken or reached, each as a sentence with its way out."""
    if broken := figures.unusable[Cause.BROKEN_LIMIT]:
        info = figures.examples[Cause.BROKEN_LIMIT][0].info
        yield f"{broken} events break a limit of the API and go to the dead letters, such as: {info}"
    if users := figures.users_with_too_many_tags:
        named = ", ".join(sorted(users)[:USERS_NAMED])
        yield (
            f"{len(users)} users would carry more than {TAGS_PER_USER} tags by these events alone ({named}), and the "
            "API stores no more; let rules remove tags that no longer hold"
        )
    if figures.foreign_keys:
        yield (
            f"{figures.foreign_keys} records are keyed by something else than their user, so the order of his "
            "changes is not certain; key the topic by the user"
        )
    for at, reason in figures.stops[:1]:
        yield (
            f"after {at - figures.first_at:.1f} s the service would stop reading: {reason}, or raise "
            f"{PREFIX}DEAD_LETTERS__MOST_PER_MINUTE"
        )
    if of.most_waiting_users >= of.max_waiting_users:
        yield (
            f"{of.most_waiting_users} users would wait at once, and reading pauses at {of.max_waiting_users}: add "
            f"replicas, or raise {PREFIX}DEBOUNCE__MAX_WAITING_USERS"
        )
    if of.most_unsettled_records >= of.max_unsettled_records:
        yield (
            f"{of.most_unsettled_records} records of one partition would be unsettled at once, and reading pauses at "
            f"{of.max_unsettled_records}: use more partitions, or raise {PREFIX}KAFKA__MAX_UNSETTLED_RECORDS"
        )
    [late] = figures.delay_at(0.99)
    times = assumed.times
    rounds = len(Endpoint)  # a user in all five queues is sent five times, one after another
    if late > times.longest_wait_seconds + rounds * (times.fill_seconds + assumed.answer_seconds):
        yield (
            f"the pace is too slow for these events: one user in a hundred waits for more than {late:.0f} s; "
            "gather for longer, or ask the vendor for a higher limit"
        )


def in_words(change: Change) -> str:
    """A change as its kind in the rules and what it says."""
    match change:
        case SetAttribute(name, value):
            return f"set_attribute {name}={value}"
        case RemoveAttribute(name):
            return f"remove_attribute {name}"
        case AddTag(tag):
            return f"add_tag {tag}"
        case RemoveTag(tag):
            return f"remove_tag {tag}"
        case RemoveAllTags():
            return "remove_all_tags"


def _first_changes(figures: Figures) -> Iterator[dict[str, object]]:
    for arrival in figures.first_changes:
        for part in arrival.came.parts if isinstance(arrival.came, Translated | TranslatedMany) else ():
            yield {
                "at": _rounded(arrival.at - figures.first_at),
                "topic": arrival.partition.topic,
                "user": part.user,
                "changes": [in_words(change) for change in part.changes],
                "urgent": part.urgent,
            }


def _rounded(number: float) -> float:
    return round(number, 2)
