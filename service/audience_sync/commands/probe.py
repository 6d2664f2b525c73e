"""`audience-sync probe`: asks a real app what the documentation leaves open, and writes down what it finds."""

import asyncio
import random
import signal
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from audience_sync.chat_api import Family
from audience_sync.chat_api.profile import Document
from audience_sync.commands.chat.connection import chat_settings, client_of
from audience_sync.commands.chat.ending import stop_after
from audience_sync.commands.probe_views import cost, show_findings, show_plan
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.commands.terminal.words import say
from audience_sync.core.limits import CALLS_PER_SECOND, USER_ID_BYTES, broken_text
from audience_sync.probe.bodies import OWN
from audience_sync.probe.calling import Caller
from audience_sync.probe.ground import UnfitError
from audience_sync.probe.inquiry import INTERRUPTED, Found, inquire
from audience_sync.probe.plan import plan_for
from audience_sync.probe.question import Given, Permissions
from audience_sync.probe.report import document_of, write_profile
from audience_sync.settings import ChatSettings, SettingsError

FEWEST_ACCOUNTS: Final = 2
"""To stand on both sides of a bad one."""

MOST_ACCOUNTS: Final = 50
"""With the others that a read names, well below the hundred users of a request."""


def probe(
    accounts: Annotated[
        str, typer.Option(help="Throw-away accounts that exist, with commas between them; at least two.")
    ],
    unknown_account: Annotated[
        str | None, typer.Option(help="An account that does not exist. Without it, a random one.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes-change-these-accounts", help="Needed: tags and attributes are written.")
    ] = False,
    they_may_carry: Annotated[
        bool,
        typer.Option(
            "--they-may-carry", help="The accounts may have tags and attributes; they are put back."
        ),
    ] = False,
    may_push: Annotated[
        bool,
        typer.Option("--may-push", help="Push, at most three times, to a tag that only these accounts have."),
    ] = False,
    may_fill: Annotated[
        bool,
        typer.Option(
            "--may-fill", help="Give eleven accounts 1,100 tags. Right if nobody else of the app has any."
        ),
    ] = False,
    may_delete: Annotated[
        str | None, typer.Option(help="Delete this account. Its id can't come back for three months.")
    ] = None,
    other_identifier: Annotated[
        str | None, typer.Option(help="Somebody who is no administrator, to sign one call for.")
    ] = None,
    calls_per_second: Annotated[
        float, typer.Option(min=0.1, max=CALLS_PER_SECOND, help="How fast calls follow.")
    ] = 5.0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be asked, and call nobody.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    profile: Annotated[Path | None, typer.Option(help="File to keep the findings in.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite that file.")] = False,
) -> None:
    """Ask an app what the documentation leaves open, with throw-away accounts that are put back afterwards.

    Whose app it is, is in the settings (AUDIENCE_SYNC_CHAT__...). The findings make the emulator and the client
    behave as that app does. docs/probe.md tells what each question changes.
    """
    settings, chance = chat_settings(), random.SystemRandom()
    given = Given(
        accounts=tuple(dict.fromkeys(name.strip() for name in accounts.split(",") if name.strip())),
        unknown=unknown_account or f"{OWN}-nobody-{chance.getrandbits(32):08x}",
        family=Family(settings.family),
        permissions=Permissions(push=may_push, fill=may_fill, delete=may_delete, other=other_identifier),
        random=chance.getrandbits(32),
    )
    _demand_sense(given)
    plan = plan_for(given)
    if dry_run:
        show_plan(plan, calls_per_second=calls_per_second, as_json=as_json)
        return
    _demand_consent(given, yes=yes)
    _demand_place(profile, force=force)
    say(f"App {settings.app_id}, {settings.family}: {cost(plan, calls_per_second)}.")
    asked_at = time.time()
    found = _asked(settings, given, calls_per_second=calls_per_second, they_may_carry=they_may_carry)
    document = document_of(found, app_id=settings.app_id, family=given.family, asked_at=asked_at)
    if found.switches or as_json:
        show_findings(found, document, as_json=as_json)
    if profile is not None and found.switches:
        _keep(document, profile)
    if found.stopped is not None:
        raise _stop(found, found.stopped)


def _demand_sense(given: Given) -> None:
    """Stop if the accounts can't be told apart, or are too few or too many."""
    names = [*given.accounts, given.unknown, *filter(None, [given.permissions.delete])]
    if not FEWEST_ACCOUNTS <= len(given.accounts) <= MOST_ACCOUNTS:
        count = len(given.accounts)
        text = f"--accounts names {count}; a probe takes {FEWEST_ACCOUNTS} to {MOST_ACCOUNTS} accounts"
        raise Stop(ExitCode.BAD_INPUT, text)
    for name in names:
        if names.count(name) > 1:
            text = (
                f"{name} is named twice; --accounts, --unknown-account and --may-delete name different ones"
            )
            raise Stop(ExitCode.BAD_INPUT, text)
        if broken := broken_text("the account", name, USER_ID_BYTES):
            raise Stop(ExitCode.BAD_INPUT, broken)


def _demand_consent(given: Given, *, yes: bool) -> None:
    if not yes:
        text = (
            f"This writes tags and attributes of {', '.join(given.accounts)}, and attribute names of the app."
            " Say --yes-change-these-accounts; --dry-run shows what would be asked."
        )
        raise Stop(ExitCode.BAD_INPUT, text)


def _demand_place(profile: Path | None, *, force: bool) -> None:
    """Stop before anything is asked, if the profile could not be written afterwards."""
    if profile is None:
        return
    if profile.exists() and not force:
        raise Stop(ExitCode.BAD_INPUT, f"{profile} is there already; say --force to overwrite it")
    if profile.is_dir() or not profile.absolute().parent.is_dir():
        raise Stop(ExitCode.BAD_INPUT, f"{profile}: no file in a folder that is there")


def _keep(document: Document, profile: Path) -> None:
    try:
        write_profile(document, profile)
    except OSError as error:
        raise Stop(
            ExitCode.UNAVAILABLE, f"{profile}: the profile can't be written: {error.strerror}"
        ) from error
    say(f"The profile is in {profile}.")


def _asked(settings: ChatSettings, given: Given, *, calls_per_second: float, they_may_carry: bool) -> Found:
    """What the app answered. Stop if it could not be asked at all."""
    try:
        return asyncio.run(
            _ask(settings, given, calls_per_second=calls_per_second, they_may_carry=they_may_carry)
        )
    except (SettingsError, UnfitError) as error:
        raise Stop(ExitCode.BAD_INPUT, str(error)) from error
    except asyncio.CancelledError as error:
        text = f"Interrupted while putting everything back: look at {', '.join(given.accounts)}."
        raise Stop(ExitCode.INTERRUPTED, text) from error


async def _ask(
    settings: ChatSettings, given: Given, *, calls_per_second: float, they_may_carry: bool
) -> Found:
    loop, running = asyncio.get_running_loop(), asyncio.current_task()
    assert running is not None, "a coroutine runs in a task"
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)  # the first one lets everything be put back
    settings = settings.model_copy(update={"profile_file": None})  # it may be the one to be written
    async with AsyncExitStack() as clients:
        chat = await clients.enter_async_context(client_of(settings))
        if admin := given.permissions.other:
            other = await clients.enter_async_context(client_of(settings.model_copy(update={"admin": admin})))
            given = replace(given, other_chat=other)
        caller = Caller(chat, calls_per_second=calls_per_second, now=loop.time, sleep=asyncio.sleep)
        return await inquire(caller, given, they_may_carry=they_may_carry, progress=say)


def _stop(found: Found, why: str) -> Stop:
    """The end of a probe that did not come to its end."""
    if found.cause is None:
        interrupted = why == INTERRUPTED
        return Stop(ExitCode.INTERRUPTED if interrupted else ExitCode.UNAVAILABLE, f"Stopped: {why}.")
    return stop_after(found.cause)
