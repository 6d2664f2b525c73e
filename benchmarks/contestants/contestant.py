"""What a contestant is given, and what it says of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

APP_ID = 1400000000
ADMIN = "administrator"
SIGNING_KEY = "a key for benchmarks, found nowhere else"


@dataclass(frozen=True, kw_only=True)
class Task:
    """One piece of work: read these topics to their end, and write what they say to the Chat API."""

    broker: str
    topics: Mapping[str, str]
    """{kind of event: its topic}."""

    group: str
    """The consumer group; no other run has used it."""

    chat_url: str
    """Where the Chat API is: scheme, host and port."""

    folder: Path
    """For files of its own; empty, and for this run alone."""

    settings: Mapping[str, str] = field(default_factory=dict)
    """For ours: variables of the environment. Others ignore them."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """How a process is started. Its working directory is the repository's root."""

    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    """Beside the environment of the benchmark, without variables of audience-sync."""


class Contestant(Protocol):
    """A way to do the work. It reads with the consumer group it is given, and goes on until SIGTERM."""

    name: str
    """One word or a few, for tables."""

    configuration: str
    """How it is set up, and why this is its natural best: a sentence or two, for the report."""

    commits_what_is_confirmed: bool
    """Whether a position is committed only once its effect is confirmed. If not, a run ends when it is committed
    and no request came for a second, and the last request counts as the end."""

    def command(self, task: Task) -> Command:
        """How to start it; it may write files into the task's folder."""
