"""How long users waited: from the moment of an event to the moment when the emulator had written it."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.product import CITY, MEMBERSHIP, Event, Product

LOOK_SECONDS: Final = 0.05
"""So often the emulator's file is read: by so much a wait may be told too long."""

ATTRIBUTES: Final = {MEMBERSHIP: "membership", CITY: "city"}
"""{topic: the attribute that its events are about}."""


class TimedProduct(Product):
    """A product that remembers when it told each attribute of a user. Tags carry no version, so they are left out."""

    def __init__(self, *, users: int, seed: int, topics: str = "") -> None:
        super().__init__(users=users, seed=seed, topics=topics)
        self.told: list[tuple[float, str, str, int]] = []
        """(unix seconds, user, attribute, version), as they happened."""

    def events(self, number: int) -> Iterator[Event]:
        """As those of any product."""
        for topic, key, value in super().events(number):
            user = key.decode()
            name = ATTRIBUTES.get(topic.removeprefix(self._topics))
            if name is not None:
                self.told.append((time.time(), user, name, version(self.truth[user].attributes[name])))
            yield topic, key, value


class Writes:
    """What the emulator has written to attributes, and when it was seen in the file of its state."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: dict[tuple[str, str], list[tuple[float, int]]] = {}
        """{(user, attribute): [(unix seconds, version), ...]}, the version never lower than before."""

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look for the block, and once more at its end."""
        ended = threading.Event()
        thread = threading.Thread(target=self._look, args=(ended,))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _look(self, ended: threading.Event) -> None:
        with self._file.open("rb") as lines:
            rest, is_last = b"", False
            while not is_last:
                is_last = ended.wait(LOOK_SECONDS)
                now = time.time()
                *whole, rest = (rest + lines.read()).split(b"\n")
                for line in whole:
                    self._add(json.loads(line)["record"], now)

    def _add(self, record: dict[str, object], now: float) -> None:
        match record:
            case {"type": "set_attr", "parts": list(parts)}:
                for user, values in parts:
                    for name, value in values.items():
                        seen = self._seen.setdefault((user, name), [(now, 0)])
                        seen.append((now, max(version(value), seen[-1][1])))

    def waits(self, product: TimedProduct) -> list[float]:
        """Seconds from each attribute told to the first write of it, or of a later one in its place."""
        unread = {key: iter(seen) for key, seen in self._seen.items()}
        at = {key: next(seen) for key, seen in unread.items()}
        waits = []
        for told, user, name, wanted in product.told:
            while at[user, name][1] < wanted:
                at[user, name] = next(unread[user, name])
            waits.append(at[user, name][0] - told)
        return waits


def version(value: str) -> int:
    """That of `gold~17` is 17."""
    return int(value.rpartition("~")[2])
