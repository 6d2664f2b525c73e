"""`audience-sync demo`: events in, requests out, on one machine and with nothing else installed."""

from typing import Annotated

import typer
from rich.console import Console

from audience_sync.commands.demonstration.broker import MOST_RECORDS, NoBrokerError
from audience_sync.commands.demonstration.course import Plan
from audience_sync.commands.demonstration.programs import ProgramError
from audience_sync.commands.demonstration.reading import UnansweredError
from audience_sync.commands.demonstration.stage import play
from audience_sync.commands.demonstration.stopping import ToldToStopError, signals_end_waiting
from audience_sync.commands.demonstration.summary import page
from audience_sync.commands.demonstration.view import view_on
from audience_sync.commands.stop import ExitCode, Stop


def demo(
    seconds: Annotated[float, typer.Option(min=1, max=600, help="How long events are sent.")] = 20.0,
    users: Annotated[int, typer.Option(min=2, max=50_000, help="Users whom the events are about.")] = 3000,
    rate: Annotated[int, typer.Option(min=1, max=10_000, help="Events a second, on average.")] = 2000,
    seed: Annotated[int, typer.Option(help="Of everything that is left to chance.")] = 1,
) -> None:
    """Show the service at work on an embedded broker and an emulated Chat API, and check every user.

    Ends with 0 only if all users are in step and all else that must hold does. Nothing leaves this machine, and
    nothing stays on it.
    """
    if seconds * rate > MOST_RECORDS:
        raise Stop(
            ExitCode.BAD_INPUT,
            f"--seconds {seconds:g} times --rate {rate} is {seconds * rate:,.0f} events; the embedded broker keeps "
            f"no more than {MOST_RECORDS:,}: lower one of them",
        )
    try:
        with signals_end_waiting() as stopping, view_on(Console(highlight=False)) as view:
            findings = play(Plan(seconds=seconds, users=users, rate=rate, seed=seed), view, stopping)
            view.conclude(page(findings))
    except ToldToStopError as told:
        typer.echo(f"{told}: ended early, and everything is taken down again", err=True)
        raise typer.Exit(128 + told.number) from told
    except (NoBrokerError, ProgramError, UnansweredError) as error:
        raise Stop(ExitCode.UNAVAILABLE, str(error)) from error
    if not all(check.held for check in findings.checks()):
        typer.echo(f"\nSomething does not hold. The last that the service wrote:\n{findings.log}", err=True)
        raise typer.Exit(1)
