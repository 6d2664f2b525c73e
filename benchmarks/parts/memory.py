"""Memory of users who wait, with one attribute and one tag each; nothing is sent meanwhile.

Once in a process that does nothing else (`benchmarks.waiting_users`), and once in the whole service: a million users,
each with one event that sets an attribute and adds a tag, above what the idle service holds.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Final

import msgspec

from benchmarks.live import admin_address, is_ready, status, working
from benchmarks.parts.size import Size
from benchmarks.rig import ROOT, Rig
from benchmarks.workloads import CITY, Record

USERS: Final = 1_000_000
USERS_IN_PROCESS: Final = 200_000
SETTLE_SECONDS: Final = 2.0
"""What was fetched and not yet let go is gone by then."""

RULES: Final = """\
sources:
  - {{topic: {topic}, format: json, type_field: kind}}
rules:
  - name: city and tag of it
    event: city-changed
    user: "{{user_id}}"
    changes:
      - set_attribute: {{name: city, value: "{{city}}"}}
      - add_tag: "city:{{tag}}"
"""
SETTINGS: Final = {
    "AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": "600",
    "AUDIENCE_SYNC_DEBOUNCE__LONGEST_WAIT_SECONDS": "600",
    "AUDIENCE_SYNC_DEBOUNCE__MAX_WAITING_USERS": "2000000",
    "AUDIENCE_SYNC_KAFKA__MAX_UNSETTLED_RECORDS": "1000000",
    "AUDIENCE_SYNC_DRAIN_SECONDS": "0",
}
"""Nobody is sent, and everybody fits."""


class InProcess(msgspec.Struct, frozen=True):
    """As `benchmarks.waiting_users` prints it: two events a user, from two topics."""

    users: int
    bytes_a_user: float
    mebibytes: float
    cpu_seconds: float


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Both."""

    in_process: InProcess
    users: int
    """In the whole service."""

    idle_bytes: int
    waiting_bytes: int
    """Resident, with everybody waiting."""

    peak_bytes: int
    bytes_a_user: float
    sent: int
    """Requests meanwhile: none."""


def measure(rig: Rig, size: Size) -> Figures:
    """The process first, then the service."""
    in_process = _in_process(size.of(USERS_IN_PROCESS, quick=2_000))
    print(f"  in a process of their own: {in_process.bytes_a_user:,.0f} bytes a user", flush=True)
    users = size.of(USERS, quick=5_000)
    topics, rules = rig.topics(), rig.folder() / "rules.yaml"
    rules.write_text(RULES.format(topic=topics[CITY]))
    settings = SETTINGS | {"AUDIENCE_SYNC_RULES_FILE": str(rules)}
    with rig.chat() as chat, working(rig, chat, settings=settings, topics=topics) as (_, process):
        address = process.wait_for(lambda: admin_address(process), "the admin port is told")
        process.wait_for(lambda: is_ready(address), "the service is ready")
        idle = process.memory()
        rig.write(events(users), topics)
        process.wait_for(lambda: status(address)["waiting_users"] >= users, "all users wait", seconds=300)
        time.sleep(SETTLE_SECONDS)
        held = process.memory()
        figures = Figures(
            in_process=in_process,
            users=users,
            idle_bytes=idle.resident,
            waiting_bytes=held.resident,
            peak_bytes=held.peak_resident,
            bytes_a_user=(held.resident - idle.resident) / users,
            sent=sum(sum(each.values()) for each in chat.counters().users_per_request.values()),
        )
    print(
        f"  {users:,} users in the service: {figures.bytes_a_user:,.0f} bytes a user; MiB idle "
        f"{idle.resident / 2**20:,.0f}, waiting {held.resident / 2**20:,.0f}, peak {held.peak_resident / 2**20:,.0f}",
        flush=True,
    )
    return figures


def _in_process(users: int) -> InProcess:
    command = [sys.executable, "-m", "benchmarks.waiting_users", "--users", str(users)]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return msgspec.convert(json.loads(printed), InProcess)


def events(users: int) -> Iterator[Record]:
    """One event of each."""
    for number in range(users):
        user = f"user-{number:08d}"
        said = f'"city":"city of {number % 300}","tag":"{number % 5000}"'
        value = f'{{"kind":"city-changed","user_id":"{user}",{said}}}'
        yield CITY, user.encode(), value.encode()
