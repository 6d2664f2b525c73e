"""How much memory users take who wait with one attribute and one tag each, in a process that does nothing else.

    python -m benchmarks.waiting_users [--users 200000]

It takes the way of the service: bytes, decoder, rules, debouncer; so every text is one that a decoder has made. Each
user's two events come from two topics, so that he holds two marks, and a while apart from each other. One line of
JSON is printed. The memory is the process's resident one (RSS), after a garbage collection and without what was
there before the first user.
"""

import argparse
import gc
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from audience_sync.core.debouncer import Debouncer, DebounceTimes
from audience_sync.core.event import Translated
from audience_sync.core.ledger import Ledger
from audience_sync.events.translator import Translator
from audience_sync.formats import RawRecord
from audience_sync.rules.file import load_rules

PARTITIONS: Final = 8

TIMES: Final = DebounceTimes(quiet_seconds=600.0, longest_wait_seconds=600.0, fill_seconds=0.1)
"""Nobody becomes ready while it is measured."""


def records(users: int) -> Iterator[tuple[str, int, bytes, bytes]]:
    """The topic, the partition, the key and the value of each event: an attribute of everybody, then a tag."""
    for number in range(users):
        user = f"user-{number:08d}"
        event = f'{{"kind":"city-changed","user_id":"{user}","city":"city of {number % 300}"}}'
        yield "city-changed", number % PARTITIONS, user.encode(), event.encode()
    for number in range(users):
        user = f"user-{number:08d}"
        event = (
            f'{{"specversion":"1.0","id":"{number}","source":"/app","type":"com.example.stock.followed",'
            f'"data":{{"user_id":"{user}","symbol":"{600_000 + number % 5000}"}}}}'
        )
        yield "stock-follows", number % PARTITIONS, user.encode(), event.encode()


def resident_bytes() -> int:
    """What of this process is in memory."""
    gc.collect()
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line)
    return int(line.split()[1]) * 1024


def measured(users: int) -> dict[str, float]:
    """Let so many users wait, and compare the memory with that of before."""
    translator = Translator(load_rules())
    for topic, _, key, value in records(1000):
        translator.translate(topic, RawRecord(value, key))
    before = resident_bytes()
    debouncer = Debouncer(TIMES, may_send=lambda _: True)
    ledgers: dict[tuple[str, int], Ledger] = {}
    began = time.process_time()
    for topic, partition, key, value in records(users):
        event = translator.translate(topic, RawRecord(value, key))
        assert isinstance(event, Translated)
        ledger = ledgers.setdefault((topic, partition), Ledger(topic, partition, 0))
        position = ledger.read_position
        now = 1_800_000_000.0 + position * 0.001
        debouncer.add(event.user, event.changes, ledger=ledger, position=position, at=now, now=now)
        ledger.read_up_to(position + 1)
    assert len(debouncer) == users
    taken = resident_bytes() - before
    return {
        "users": users,
        "bytes_a_user": round(taken / users),
        "mebibytes": round(taken / 2**20, 1),
        "cpu_seconds": round(time.process_time() - began, 2),
    }


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--users", type=int, default=200_000)
    print(json.dumps(measured(asked.parse_args().users)))


if __name__ == "__main__":
    main()
