"""`audience-sync dead-letters`: see what could not be applied, and replay it."""

from typing import Final

import typer

from audience_sync.commands.dead_letters.listing import list_letters
from audience_sync.commands.dead_letters.replaying import replay
from audience_sync.commands.dead_letters.showing import show

dead_letter_commands: Final = typer.Typer(
    name="dead-letters",
    help="See what could not be applied, and replay it. Which topic: the service's own settings.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
dead_letter_commands.command("list")(list_letters)
dead_letter_commands.command()(show)
dead_letter_commands.command()(replay)
