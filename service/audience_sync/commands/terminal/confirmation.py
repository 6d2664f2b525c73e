"""Asking before something that can't be taken back."""

import sys
from typing import Annotated

import typer

from audience_sync.commands.stop import ExitCode, Stop

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def confirm(consequence: str, *, yes: bool) -> None:
    """Go on if the person wants that, who is told of the *consequence*. Stop if not, or if nobody can be asked."""
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Stop(ExitCode.BAD_INPUT, f"{consequence}\nIf that is wanted, say --yes. Nothing was sent.")
    typer.echo(consequence, err=True)
    if not typer.confirm("Go on?", err=True):
        raise Stop(ExitCode.INTERRUPTED, "Nothing was sent.")
