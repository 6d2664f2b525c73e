"""What users who wait take."""

from typing import Final

from benchmarks.parts.memory import Figures
from benchmarks.report.numbers import exact, megabytes
from benchmarks.report.section import Goal, Part, Section, table

BYTES: Final = 1024.0
MILLION_BYTES: Final = 2**30


def goals(figures: Figures | None) -> list[Goal]:
    """A kilobyte each, and a million of them in a gigabyte."""
    taken = None if figures is None else (figures.waiting_bytes - figures.idle_bytes) / figures.users * 1e6
    return [
        Goal(
            key="bytes-a-waiting-user",
            what="memory of a waiting user with an attribute and a tag from two topics",
            wanted="at most 1,024 bytes",
            reached=None if figures is None else f"{exact(figures.in_process.bytes_a_user)} bytes",
            met=figures is not None and figures.in_process.bytes_a_user <= BYTES,
        ),
        Goal(
            key="a-million-waiting-users",
            what="memory above idle of a million waiting users, the whole service",
            wanted="at most 1 GiB",
            reached=None if taken is None else f"{taken / 2**20:,.0f} MiB",
            met=taken is not None and taken <= MILLION_BYTES,
        ),
    ]


def section(figures: Figures) -> Section:
    """In a process of their own, and in the service."""
    own = figures.in_process
    rows = [
        ["in a process of their own, two events each", exact(own.users), exact(own.bytes_a_user), "", "", ""],
        [
            "in the service, one event each",
            exact(figures.users),
            exact(figures.bytes_a_user),
            megabytes(figures.idle_bytes),
            megabytes(figures.waiting_bytes),
            megabytes(figures.peak_bytes),
        ],
    ]
    return Section(
        title="Users who wait",
        text=f"""\
{table(("", "users", "bytes a user", "idle", "with all of them", "at the most"), rows)}

Each has an attribute and a tag; nothing is sent meanwhile. Resident memory, above what is there
before the first user.""",
    )


PART = Part("memory", Figures, goals, section)
