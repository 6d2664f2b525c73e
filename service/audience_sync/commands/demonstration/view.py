"""What is seen while the demo runs: a live view on a terminal, a line every two seconds anywhere else."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from audience_sync.commands.demonstration.reading import Reading
from audience_sync.commands.demonstration.summary import Section, text

LINE_EVERY_SECONDS: Final = 2.0
BARS: Final = "▁▂▃▄▅▆▇█"
RATES_KEPT: Final = 60


@dataclass(frozen=True)
class Moment:
    """What is known at one moment of the demo."""

    seconds: float
    """Since the first event."""
    of_seconds: float
    """So long events are sent."""
    sent: int = 0
    events_per_second: float = 0.0
    """That the service has read, over the last second or so."""
    users: int = 0
    users_in_step: int = 0
    reading: Reading = field(default_factory=Reading)

    def rows(self) -> list[tuple[str, str]]:
        """What is shown, in the order in which it comes about."""
        reading, counts = self.reading, self.reading.counts
        average = f"{counts.parts / counts.requests:.1f}" if counts.requests else "-"
        return [
            ("events/s", f"{self.events_per_second:,.0f}"),
            ("changes", f"{reading.changes:,}"),
            ("requests", f"{counts.requests:,}"),
            ("users a request", average),
            ("saved calls", f"{reading.saved_calls:,}"),
            ("waiting users", f"{reading.waiting_users:,}"),
            ("users in step", f"{self.users_in_step:,} of {self.users:,}"),
        ]


class View(Protocol):
    """Where the demo is seen."""

    def say(self, line: str) -> None:
        """Tell what happens next."""

    def show(self, moment: Moment) -> None:
        """Show how it stands."""

    def conclude(self, sections: list[Section]) -> None:
        """Show what came of it."""


@contextmanager
def view_on(console: Console) -> Iterator[View]:
    """The view that suits *console*."""
    if console.is_terminal and not console.is_dumb_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            yield _LiveView(live)
    else:
        yield _PlainView()


class _PlainView:
    def __init__(self) -> None:
        self._next = 0.0

    def say(self, line: str) -> None:
        print(line, flush=True)

    def show(self, moment: Moment) -> None:
        if moment.seconds >= self._next:
            self._next = moment.seconds + LINE_EVERY_SECONDS
            told = ", ".join(f"{name} {value}" for name, value in moment.rows())
            print(f"{moment.seconds:5.1f} s: {told}", flush=True)

    def conclude(self, sections: list[Section]) -> None:
        print(text(sections), flush=True)


class _LiveView:
    def __init__(self, live: Live) -> None:
        self._live = live
        self._rates: deque[float] = deque(maxlen=RATES_KEPT)

    def say(self, line: str) -> None:
        self._live.console.print(line, highlight=False)

    def show(self, moment: Moment) -> None:
        self._rates.append(moment.events_per_second)
        grid = Table.grid(padding=(0, 3))
        grid.add_column(style="dim")
        grid.add_column(justify="right", style="bold", min_width=14)
        grid.add_column(style="cyan", no_wrap=True)
        for name, value in moment.rows():
            grid.add_row(name, value, self._sparkline() if name == "events/s" else "")
        below = Table.grid()
        below.add_row(
            ProgressBar(total=moment.of_seconds, completed=min(moment.seconds, moment.of_seconds), width=60)
        )
        phase = "events" if moment.seconds < moment.of_seconds else "no more events; until all are in step"
        below.add_row(Text(f"{moment.seconds:.0f} s: {phase}", style="dim"))
        panel = Panel(Group(grid, Text(), below), title="audience-sync", expand=False)
        self._live.update(panel, refresh=True)

    def conclude(self, sections: list[Section]) -> None:
        self._live.update(Text(), refresh=True)
        for section in sections:
            table = Table(title=section.title, title_justify="left", title_style="bold", box=None)
            table.show_header = False
            table.add_column(style="dim", min_width=30)
            table.add_column()
            for name, value in section.rows:
                style = (
                    "green" if value.startswith("ok: ") else "bold red" if value.startswith("WRONG: ") else ""
                )
                table.add_row(name, Text(value, style=style))
            self._live.console.print(table, Text())

    def _sparkline(self) -> str:
        if self._live.console.options.ascii_only:
            return ""
        most = max(self._rates, default=0.0) or 1.0
        return "".join(BARS[min(len(BARS) - 1, int(rate / most * len(BARS)))] for rate in self._rates)
