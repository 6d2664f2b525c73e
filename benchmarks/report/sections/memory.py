"""What users who wait take."""

from typing import Final

from benchmarks.parts.memory import Figures
from benchmarks.report.charts.bars import Bar, Panel, Row, bars
from benchmarks.report.numbers import count, exact, megabytes
from benchmarks.report.section import Goal, Part, Section, picture, table

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
{picture("memory", "Memory of the idle service and with all users waiting")}

{table(("", "users", "bytes a user", "idle", "with all of them", "at the most"), rows)}

Each has an attribute and a tag; nothing is sent meanwhile. Resident memory, above what is there
before the first user.""",
        pictures={"memory": _picture(figures)},
    )


def _picture(figures: Figures) -> str:
    return bars(
        title="Users who wait",
        below=f"Resident memory of the service, and with {count(figures.users)} users waiting",
        rows=[Row("idle", 0), Row("all waiting", 0), Row("at the peak", 0)],
        panels=[
            Panel(
                title="megabytes",
                better="less",
                bars=[
                    Bar(size / 1e6, f"{size / 1e6:,.0f}")
                    for size in (figures.idle_bytes, figures.waiting_bytes, figures.peak_bytes)
                ],
                goal=((figures.idle_bytes + MILLION_BYTES) / 1e6, "goal: idle + 1 GiB"),
            )
        ],
    )


PART = Part("memory", Figures, goals, section)
