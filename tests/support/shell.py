"""Commands as a person types them, in this process; and an emulator beside tests that are not async."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from typer.testing import CliRunner

from audience_sync.commands import app
from audience_sync.commands.stop import Stop
from audience_sync.emulator.server import Emulator, serve
from audience_sync.emulator.settings import AppSettings, Settings
from audience_sync.settings import FILE_VARIABLE, PREFIX, variables
from tests.support.secrecy import SIGNING_KEY, secrets_in

ACCOUNT: Final = AppSettings(key=SIGNING_KEY, attribute_names=("membership", "city"))
"""An account whose key is searched for in all that is printed."""


@dataclass(frozen=True)
class Told:
    """How a command ended, and what it printed; *seen*: all of it, in order."""

    code: int
    out: str
    err: str
    seen: str

    @property
    def rows(self) -> list[list[str]]:
        """Lines of the output, cut at tabs."""
        return [line.split("\t") for line in self.out.splitlines()]


class Shell:
    """Runs commands with an environment in which nothing else of ours is set."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        unset: dict[str, str | None] = dict.fromkeys([FILE_VARIABLE, *variables()])
        self.environment = unset | {"COLUMNS": "110", "NO_COLOR": "1", "TERM": "xterm"} | dict(environment)

    def __call__(self, *words: str, given: str | bytes = "", **environment: str) -> Told:
        """What `audience-sync` does with *words*, *given* on standard input."""
        runner = CliRunner(env=self.environment | environment)
        result = runner.invoke(app, list(words), input=given)
        code, last_words = result.exit_code, ""
        if isinstance(result.exception, Stop):
            code, last_words = result.exception.code, f"{result.exception.message}\n"
        elif result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        told = Told(code, result.stdout, result.stderr + last_words, result.output + last_words)
        assert not [*secrets_in(told.seen)]
        return told

    def chat(self, *words: str, given: str | bytes = "", **environment: str) -> Told:
        """What `audience-sync chat` does with *words*."""
        return self("chat", *words, given=given, **environment)


def account_of(emulator: Emulator) -> dict[str, str]:
    """The settings that make the client call *emulator*."""
    settings: AppSettings = emulator.settings
    return {
        f"{PREFIX}CHAT__BASE_URL": emulator.url,
        f"{PREFIX}CHAT__APP_ID": str(settings.app_id),
        f"{PREFIX}CHAT__SIGNING_KEY": settings.key,
    }


@contextmanager
def emulated() -> Iterator[Emulator]:
    """An emulator in a thread of its own, where it does not see the event loop of the command."""
    running: list[tuple[Emulator, asyncio.AbstractEventLoop, asyncio.Event]] = []
    ready = threading.Event()

    async def run() -> None:
        stop = asyncio.Event()
        async with serve(Settings(key=SIGNING_KEY)) as emulator:
            running.append((emulator, asyncio.get_running_loop(), stop))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(30), "the emulator did not start"
    [(emulator, loop, stop)] = running
    try:
        yield emulator
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
