"""The shape of a log line, and what must never be in one.

One line is one event with a constant `action` and fields. The HTTP library logs whole addresses at INFO, and
ours carry the signature in the query: it is silenced here.
"""

import logging
import sys
from typing import Final, Literal

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
