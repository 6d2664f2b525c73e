"""The command line: one file a command, a folder for many that belong together."""

import sys
from typing import Annotated

import typer

from audience_sync.commands.on_demand import OnDemand
from audience_sync.commands.stop import Stop
from audience_sync.commands.version import version_in_words

app = typer.Typer(
    name="audience-sync",
    help="Keeps user attributes and tags in Tencent Cloud Chat in step with the domain events in Kafka.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(cls=OnDemand, invoke_without_command=True)
def _version(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version, and its commit if known, and end.")
    ] = False,
) -> None:
    if version:
        typer.echo(version_in_words())
        raise typer.Exit


def main() -> None:
    """Run the command that the arguments name. A user's mistake ends with one message and its exit code."""
    try:
        app()
    except Stop as stop:
        typer.echo(stop.message, err=True)
        sys.exit(stop.code)
