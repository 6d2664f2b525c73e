"""The shape of a log line, and what must never be in one.

One line is one event with a constant `action` and fields. The HTTP library logs whole addresses at INFO, and
ours carry the signature in the query: it is silenced here.
"""

import logging
import sys
from collections import deque
from typing import Final, Literal

import msgspec
import structlog

QUIET: Final = {
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "httpx2": logging.WARNING,
    "httpcore2": logging.WARNING,
    "aiohttp": logging.WARNING,
    "uvicorn": logging.WARNING,
    "aiokafka": logging.CRITICAL,
    "kafka": logging.CRITICAL,
    "asyncio": logging.WARNING,
    "opentelemetry.util": logging.CRITICAL,  # it would quote a header that it can't read
    "audience_sync.faststream": logging.ERROR,
}
"""Libraries whose lines would repeat ours, or carry what must not be told. What they say of Kafka is met as
an exception or a state, and told in our words."""


def set_up(*, level: str, shape: Literal["auto", "json", "text"]) -> None:
    """Let every logger of the process write lines of this shape to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.processors.EventRenamer("action"),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    text = shape == "text" or (shape == "auto" and sys.stderr.isatty())
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(event_key="action")
        if text
        else structlog.processors.JSONRenderer(sort_keys=False)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name, _library_line],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(least)


def _library_line(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A line that a library wrote: its text becomes a field, so that `action` stays a constant."""
    line["text"] = line.pop("event")
    line["action"] = "library_said"
    return line


LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
LONGEST_CHANGE_SECONDS: Final = 3600.0
"""Then a changed level goes back by itself: DEBUG names users, and nobody remembers at three in the morning."""


class Level:
    """Below which level nothing is told: as it was set up, or another one for a while. Moments are epoch seconds.

    back_at: when it goes back by itself; None: it is as it was set up.
    """

    def __init__(self, normal: str) -> None:
        self.normal = normal
        self.back_at: float | None = None

    @property
    def now(self) -> str:
        """The level that counts."""
        return logging.getLevelName(logging.getLogger().level)

    def change(self, level: str, *, seconds: float, now: float) -> None:
        """Let *level* count for so long. Raises ValueError. A repeat begins anew; the normal one ends it."""
        if level not in LEVELS:
            raise ValueError(f"there is no level {level!r}; there is {', '.join(LEVELS)}")
        if not 0 < seconds <= LONGEST_CHANGE_SECONDS:
            raise ValueError(f"a level counts for 1 to {LONGEST_CHANGE_SECONDS:g} seconds, not {seconds:g}")
        logging.getLogger().setLevel(level)
        self.back_at = None if level == self.normal else now + seconds

    def look(self, now: float) -> bool:
        """Go back if it is time. Returns whether it was."""
        if self.back_at is None or now < self.back_at:
            return False
        logging.getLogger().setLevel(self.normal)
        self.back_at = None
        return True


class Line(msgspec.Struct, frozen=True):
    """A log line that was written. at: epoch seconds."""

    at: float
    level: str
    action: str
    fields: dict[str, str]


class LastLines(logging.Handler):
    """Keeps the last lines from WARNING on, the last one first. They hold what lines hold: no secret, no value."""

    def __init__(self, *, most: int = 100, most_characters: int = 400) -> None:
        super().__init__(logging.WARNING)
        self._most_characters = most_characters
        self.lines: deque[Line] = deque(maxlen=most)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        ours = record.msg if isinstance(record.msg, dict) else {"text": record.getMessage()}
        fields = {
            str(name): str(value)[: self._most_characters]
            for name, value in ours.items()
            if name not in ("action", "level", "timestamp", "exc_info")
        }
        action = str(ours.get("action", "library_said"))
        self.lines.appendleft(Line(record.created, record.levelname.lower(), action, fields))
