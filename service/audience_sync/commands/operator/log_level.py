"""`audience-sync log-level`: more lines or fewer, for a while."""

import re
from typing import Annotated, Final

import typer

from audience_sync.commands.operator.replica import AsJson, At, replicas
from audience_sync.commands.operator.telling import moment, show, show_json
from audience_sync.commands.stop import ExitCode, Stop

_LENGTH: Final = re.compile(r"(\d{1,9})([smh])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


def log_level(
    level: Annotated[str, typer.Argument(help="DEBUG (names users), INFO, WARNING or ERROR.")],
    length: Annotated[
        str, typer.Option("--for", metavar="TIME", help="Then it goes back by itself: 30s, 10m, 1h at most.")
    ] = "10m",
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Change the log level of a running replica for a while."""
    if (found := _LENGTH.fullmatch(length)) is None:
        raise Stop(ExitCode.BAD_INPUT, f"--for {length}: write it as 30s, 10m or 1h")
    seconds = int(found[1]) * _SECONDS[found[2]]
    for replica in replicas(at):
        told = replica.post("log-level", {"level": level.upper(), "seconds": float(seconds)})
        if as_json:
            show_json(replica.url, told)
            continue
        until = (
            ""
            if told["back_at"] is None
            else f" until {moment(told['back_at'])}, then {told['normal']} again"
        )
        show([f"{replica.url}: log level {told['level']}{until}"])
