"""Events a second through the rules engine, beside the same three translations written by hand, in one run.

    python -m benchmarks.rules_engine [--rounds 60] [--json]

Both sides get the same bytes and give the same `Translated`, checked before anything is timed; what is written by
hand checks what the rules check: types, missing and empty fields, the limits of the API. Decoding is in both, for
who writes a consumer by hand decodes too; the ratio without it is printed as well, so that nobody hides behind JSON.

The two sides take turns, some milliseconds each, and what is compared is the process's own CPU time of neighbouring
turns: a busy machine slows both. The ratio's spread is that of the rounds.
"""

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from audience_sync.core.changes import AddTag, Change, RemoveTag, SetAttribute, UserId
from audience_sync.core.event import Cause, Event, Translated, Translation, Unusable
from audience_sync.core.limits import ATTRIBUTE_VALUE_BYTES, TAG_BYTES, USER_ID_BYTES
from audience_sync.events.formats.decoders import decoder_of
from audience_sync.events.translator import Translator
from audience_sync.formats import Decoder, RawRecord
from audience_sync.rules.file import load_rules

EVENTS_PER_TURN: Final = 3_000
"""Ours: ten milliseconds of work, short beside what else a machine does, and long beside the clock's steps."""

Case = tuple[str, RawRecord]


def events() -> list[Case]:
    """Events of all three rules and of the fourth, unfollowing, as many of each; users and values differ."""
    made: list[Case] = []
    for number in range(EVENTS_PER_TURN):
        user = f"user-{number * 7919 % 100_000}"
        envelope = {"specversion": "1.0", "id": str(number), "source": "/app", "time": "2026-11-22T08:30:00Z"}
        match number % 4:
            case 0:
                data = {"user_id": user, "tier": ("silver", "gold", "platinum")[number % 3]}
                topic, event = (
                    "membership-changed",
                    {**envelope, "type": "com.example.membership.changed", "data": data},
                )
            case 1:
                topic, event = "city-changed", {"kind": "city-changed", "user_id": user, "city": "Shenzhen"}
            case 2:
                data = {"user_id": user, "symbol": f"{600_000 + number % 500}"}
                topic, event = (
                    "stock-follows",
                    {**envelope, "type": "com.example.stock.followed", "data": data},
                )
            case _:
                data = {"user_id": user, "symbol": f"{600_000 + number % 500}"}
                topic, event = (
                    "stock-follows",
                    {**envelope, "type": "com.example.stock.unfollowed", "data": data},
                )
        made.append((topic, RawRecord(msgspec.json.encode(event), user.encode())))
    return made


# by hand


def by_hand(topic: str, event: Event) -> Translation:
    """The three rules that ship, as a person would write them in Python."""
    fields = event.fields
    match topic, event.type:
        case "membership-changed", "com.example.membership.changed":
            data = fields.get("data")
            return _made(data, "tier", lambda tier: SetAttribute("membership", tier), event.seconds)
        case "city-changed", "city-changed":
            return _made(fields, "city", lambda city: SetAttribute("city", city), event.seconds)
        case "stock-follows", "com.example.stock.followed":
            return _made(
                fields.get("data"), "symbol", lambda symbol: AddTag(f"stock:{symbol}"), event.seconds
            )
        case "stock-follows", "com.example.stock.unfollowed":
            return _made(
                fields.get("data"), "symbol", lambda symbol: RemoveTag(f"stock:{symbol}"), event.seconds
            )
    return Unusable(Cause.UNKNOWN_TYPE, f"{topic}: {event.type!r}")


def _made(data: object, field: str, make: Callable[[str], Change], seconds: float | None) -> Translation:
    if not isinstance(data, dict):
        return Unusable(Cause.MISSING_FIELD, "data is missing")
    user, value = _text(data, "user_id"), _text(data, field)
    if isinstance(user, Unusable):
        return user
    if isinstance(value, Unusable):
        return value
    if len(user.encode()) > USER_ID_BYTES:
        return Unusable(Cause.BROKEN_LIMIT, f"user {user!r} is too long")
    change = make(value)
    written = change.value if isinstance(change, SetAttribute) else change.tag  # type: ignore[union-attr]  # a tag
    if len(written.encode()) > (ATTRIBUTE_VALUE_BYTES if isinstance(change, SetAttribute) else TAG_BYTES):
        return Unusable(Cause.BROKEN_LIMIT, f"{written!r} is too long")
    return Translated(UserId(user), (change,), False, seconds)


def _text(data: dict[str, object], name: str) -> str | Unusable:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return Unusable(Cause.WRONG_TYPE if name in data else Cause.MISSING_FIELD, f"{name} is no text")
    text = str(value)
    return text or Unusable(Cause.MISSING_FIELD, f"{name} is empty")


def by_hand_from_bytes(decoders: dict[str, Decoder], topic: str, record: RawRecord) -> Translation:
    """Decoding as the service does it, then the translation by hand."""
    event = decoders[topic](record)
    assert isinstance(event, Event)
    return by_hand(topic, event)


# measured


class Compared(NamedTuple):
    """How many events a second each side translates, on one core; and ours divided by the other's, round by round."""

    rules: float
    hand: float
    ratios: Sequence[float]

    def told(self) -> dict[str, float]:
        """The figures that are printed."""
        tenths = statistics.quantiles(self.ratios, n=10)
        return {
            "rules_events_per_second": round(self.rules),
            "by_hand_events_per_second": round(self.hand),
            "ratio_median": round(statistics.median(self.ratios), 3),
            "ratio_of_the_lowest_tenth": round(tenths[0], 3),
            "ratio_of_the_highest_tenth": round(tenths[-1], 3),
        }


def compared(rules: Callable[[], object], hand: Callable[[], object], *, rounds: int) -> Compared:
    """Take turns, and put the CPU times of neighbours into relation."""
    for warm_up in (rules, hand):
        warm_up()
    times: list[tuple[float, float]] = []
    for number in range(rounds):
        if number % 2:
            ours, other = _seconds(rules), _seconds(hand)
        else:  # whoever is second finds warm caches
            other, ours = _seconds(hand), _seconds(rules)
        times.append((ours, other))
    return Compared(
        EVENTS_PER_TURN / statistics.median(ours for ours, _ in times),
        EVENTS_PER_TURN / statistics.median(other for _, other in times),
        [other / ours for ours, other in times],
    )


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()
    begun = time.process_time()
    work()
    return time.process_time() - begun


def measured(rounds: int) -> dict[str, dict[str, float]]:
    """Both comparisons, once it is sure that both sides do the same."""
    rules = load_rules()
    translate = Translator(rules).translate
    decoders = {topic: decoder_of(source) for topic, source in rules.sources.items()}
    cases = events()
    decoded = [(topic, decoders[topic](record)) for topic, record in cases]
    read = [(topic, event) for topic, event in decoded if isinstance(event, Event)]
    assert len(read) == len(cases)
    for (topic, record), (_, event) in zip(cases, read, strict=True):
        assert (
            translate(topic, record) == by_hand_from_bytes(decoders, topic, record) == by_hand(topic, event)
        )
    return {
        "with_decoding": compared(
            lambda: [translate(topic, record) for topic, record in cases],
            lambda: [by_hand_from_bytes(decoders, topic, record) for topic, record in cases],
            rounds=rounds,
        ).told(),
        "without_decoding": compared(
            lambda: [rules.translate(topic, event) for topic, event in read],
            lambda: [by_hand(topic, event) for topic, event in read],
            rounds=rounds,
        ).told(),
    }


def main() -> None:
    """Print both comparisons."""
    options = argparse.ArgumentParser(description="The rules engine beside a translation by hand.")
    options.add_argument("--rounds", type=int, default=60)
    options.add_argument("--json", action="store_true", help="one JSON object")
    given = options.parse_args()
    found = measured(given.rounds)
    if given.json:
        print(json.dumps(found))
        return
    for name, figures in found.items():
        print(
            f"{name.replace('_', ' ')}: rules {figures['rules_events_per_second']:,.0f} events/s, by hand "
            f"{figures['by_hand_events_per_second']:,.0f}; ratio {figures['ratio_median']:.2f} (of ten rounds, eight "
            f"between {figures['ratio_of_the_lowest_tenth']:.2f} and {figures['ratio_of_the_highest_tenth']:.2f})"
        )


if __name__ == "__main__":
    main()
