"""The command line: one file a command, a folder for many that belong together."""

import sys
from typing import Annotated

import typer

from audience_sync.commands.asyncapi import asyncapi
from audience_sync.commands.capacity import capacity
from audience_sync.commands.chat import chat_commands
from audience_sync.commands.check_config import check_config
from audience_sync.commands.dead_letters import dead_letter_commands
from audience_sync.commands.demo import demo
from audience_sync.commands.emulate import emulate
from audience_sync.commands.operator import OPERATOR_COMMANDS
from audience_sync.commands.plan import plan
from audience_sync.commands.probe import probe
from audience_sync.commands.rules import rules_commands
from audience_sync.commands.run import run
from audience_sync.commands.stop import Stop
from audience_sync.commands.version import version_in_words

app = typer.Typer(
    name="audience-sync",
    help="Keeps user attributes and tags in Tencent Cloud Chat in step with the domain events in Kafka.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(run)
app.command()(check_config)
app.command()(plan)
app.command()(capacity)
app.command()(asyncapi)
app.command()(emulate)
app.command()(demo)
app.command()(probe)
for command in OPERATOR_COMMANDS:
    app.command()(command)
app.add_typer(rules_commands)
app.add_typer(chat_commands)
app.add_typer(dead_letter_commands)


@app.callback(invoke_without_command=True)
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
