"""How far a call is, on standard error of a terminal, and nowhere else."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from audience_sync.commands.terminal.words import printable
from audience_sync.core.limits import USERS_PER_REQUEST

_FEW_LINES: Final = USERS_PER_REQUEST
"""What one request takes is done before a bar could be read. Waiting is told all the same."""


class Bar:
    """A bar that is gone when the work is done; a context manager. Without a terminal it shows nothing."""

    def __init__(self, *, lines: int) -> None:
        """*lines*: as many as there are to do."""
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.fields[shown]}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._is_long = lines > _FEW_LINES
        self._task = self._progress.add_task("", total=lines, shown="users")

    def __enter__(self) -> Self:
        if self._is_long:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._hide()

    def advance(self, lines: float) -> None:
        """So many more are done."""
        self._progress.update(self._task, advance=lines, shown="users")

    def tell(self, text: str) -> None:
        """Say what is waited for, until the next advance."""
        self._progress.update(self._task, shown=printable(text))
        self._progress.start()

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Out of the way while results are shown on the same terminal."""
        was_shown = self._hide()
        try:
            yield
            sys.stdout.flush()
        finally:
            if was_shown and not self._progress.finished:
                self._progress.start()

    def _hide(self) -> bool:
        """Whether it was shown until now."""
        is_shown = self._progress.live.is_started
        if is_shown:
            self._progress.stop()
        return is_shown
