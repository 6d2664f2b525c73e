"""What came of the demo: what was counted, and users compared one by one."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from audience_sync.commands.demonstration.product import CITIES, SYMBOLS, TIERS, Truth
from audience_sync.commands.demonstration.reading import Counts, Reading
from audience_sync.core.limits import USERS_PER_REQUEST
from audience_sync.emulator.store import UserState

Truths = Mapping[str, Truth]
Users = Mapping[str, UserState]


@dataclass(frozen=True)
class Check:
    """Something that must hold, and what was found."""

    name: str
    found: str
    held: bool


@dataclass(frozen=True)
class Audience:
    """Users whom marketing may ask for: how many there are by the events, and how many the emulator has."""

    name: str
    by_events: int
    in_chat: int


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The two sides at the end, the generator's and the emulator's, and what was counted on the way."""

    sent: int
    unusable: int
    settled_seconds: float
    """From the last event until everybody was in step, or until waiting for it was given up."""
    restless: str
    truth: Truths
    users: Users
    reading: Reading
    letters: int
    """Dead letters in their topic."""
    exit_code: int
    log: str
    """The last lines that the service wrote."""

    def checks(self) -> list[Check]:
        """Everything that must hold; the command succeeds if all of it does."""
        wrong, counts, reading = out_of_step(self.truth, self.users), self.reading.counts, self.reading
        known = len(self.truth)
        first = f"; the first out of step: {wrong[0]}" if wrong else ""
        refused = sum(counts.refused.values())
        return [
            Check("users in step", f"{known - len(wrong):,} of {known:,}{first}", not wrong),
            Check("requests refused", f"{refused:,}", refused == 0),
            Check("limits broken", f"{counts.broken_limits_count:,}", counts.broken_limits_count == 0),
            Check("users in two requests at once", f"{counts.overlaps_count:,}", counts.overlaps_count == 0),
            Check(
                "dead letters",
                f"{self.letters:,} for {self.unusable:,} unusable records",
                self.letters == self.unusable,
            ),
            Check(
                "records read and settled",
                f"{reading.events - reading.unsettled_records:,} of {self.sent:,}",
                reading.events == self.sent and reading.unsettled_records == 0,
            ),
            Check("the service's exit code", str(self.exit_code), self.exit_code == 0),
        ]

    def audiences(self) -> list[Audience]:
        """Two, on both sides."""
        tag, tier, city = f"stock:{SYMBOLS[0]}", TIERS[-1], CITIES[2]
        wanted = {"membership": tier, "city": city}.items()
        return [
            Audience(
                f"followers of {SYMBOLS[0]}",
                sum(tag in truth.tags for truth in self.truth.values()),
                sum(tag in user.tags for user in self.users.values()),
            ),
            Audience(
                f"{tier} members in {city}",
                sum(wanted <= truth.attributes.items() for truth in self.truth.values()),
                sum(wanted <= user.attributes.items() for user in self.users.values()),
            ),
        ]

    def samples(self) -> list[str]:
        """The restless user, and of the others the one with most events."""
        others = [user for user in self.truth if user != self.restless]
        return [self.restless, *sorted(others, key=lambda user: -self.truth[user].events)[:1]]


def out_of_step(truth: Truths, users: Users) -> list[str]:
    """The users whose attributes or tags are not as the events say, and those of whom no event told."""
    nobody = UserState()
    wrong = [
        user
        for user, expected in truth.items()
        if (found := users.get(user, nobody)).attributes != expected.attributes
        or set(found.tags) != expected.tags
    ]
    return wrong + [user for user in users if user not in truth]


def fewest_calls(counts: Counts) -> int:
    """The calls that these user parts need if each request is full."""
    return sum(math.ceil(parts / USERS_PER_REQUEST) for parts in counts.user_parts.values())
