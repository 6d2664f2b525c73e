"""What was delivered since a number: asked for at once, or told as it happens.

A stream looks at the inboxes again and again instead of being told, so that a push to a million users costs the
same whether anybody listens or not.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec

from audience_sync.emulator.inbox import Delivery, Inboxes

PAUSE_SECONDS: Final = 0.05
"""From one look to the next."""

PORTION: Final = 500
"""So many events leave together, and requests have their turn in between."""


def since(inboxes: Inboxes, number: int) -> list[Delivery]:
    """The deliveries after this number that are still kept, oldest first."""
    new = min(max(inboxes.count - number, 0), len(inboxes.deliveries))
    return list(islice(reversed(inboxes.deliveries), new))[::-1]


class DeliveryStream:
    """Server-sent events: one a delivery, with its number; and `missed` for those that are kept no more."""

    def __init__(self, inboxes: Inboxes, *, after: int) -> None:
        self._inboxes, self._after = inboxes, after

    def news(self, _now: float) -> Iterator[bytes]:
        """What was delivered since the last look."""
        if self._inboxes.count == self._after:
            return
        found = since(self._inboxes, self._after)
        missed = found[0].number - self._after - 1 if found else 0
        if missed > 0:
            yield event("missed", {"count": missed})
        self._after = self._inboxes.count
        for first in range(0, len(found), PORTION):
            portion = found[first : first + PORTION]
            yield b"".join(event("delivery", delivery, number=delivery.number) for delivery in portion)


def event(name: str, data: object, *, number: int | None = None) -> bytes:
    """One server-sent event with JSON, which has no line breaks of its own."""
    head = f"event: {name}\n" + (f"id: {number}\n" if number is not None else "")
    return head.encode() + b"data: " + msgspec.json.encode(data) + b"\n\n"
