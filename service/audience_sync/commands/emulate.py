"""Run the emulated Chat API until it is told to stop."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Annotated, Final

import typer

from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.emulator.files import read_apps, read_profile, switched
from audience_sync.emulator.journal import JournalError
from audience_sync.emulator.server import serve
from audience_sync.emulator.settings import Settings
from audience_sync.emulator.switches import Accounts, Switches, changed

KEY_VARIABLE: Final = "AUDIENCE_SYNC_EMULATOR_KEY"


def emulate(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 8090,
    app_id: Annotated[int, typer.Option(min=1, help="The SDKAppID that callers name.")] = 1400000000,
    admin: Annotated[
        list[str] | None,
        typer.Option(help="An identifier that may call; may be repeated. Without any: administrator."),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(help=f"File with the key that signatures are made with; without it, {KEY_VARIABLE}."),
    ] = None,
    attribute_names: Annotated[
        str, typer.Option(help="Attribute names to define at start, separated by commas.")
    ] = "",
    calls_per_second: Annotated[
        float, typer.Option(min=1, help="Calls an endpoint takes a second; more are refused with 60007.")
    ] = 100.0,
    calls_per_second_of_app: Annotated[
        float | None,
        typer.Option(min=1, help="Calls all endpoints together take a second; more are refused with 60011."),
    ] = None,
    pushes_per_day: Annotated[
        int, typer.Option(min=0, help="Pushes the app may send a day; more are refused with 90047.")
    ] = 100,
    profile: Annotated[
        Path | None,
        typer.Option(help="File that a probe of a real app has written; its switches are taken over."),
    ] = None,
    accounts: Annotated[
        Accounts | None,
        typer.Option(
            help="auto: users come into being when written to. imported: only given ones. The same as a switch."
        ),
    ] = None,
    switch: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="How to stand to what the documentation leaves open; may be repeated. Goes before the profile.",
        ),
    ] = None,
    account: Annotated[
        list[str] | None, typer.Option(help="A user who exists from the start; may be repeated.")
    ] = None,
    latency_seconds: Annotated[
        float, typer.Option(min=0, max=3600, help="Time between applying a request and answering it.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Of everything that is left to chance.")] = 0,
    version_separator: Annotated[
        str | None,
        typer.Option(
            help='With "~", an attribute value name~7 has version 7; lower ones after it are counted.'
        ),
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Answers in order, with documented fields only.")
    ] = False,
    apps: Annotated[
        Path | None,
        typer.Option(help="File with more apps: a JSON array of their settings, each with app_id and key."),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="File to keep users in, so that the emulator can be killed and come back."),
    ] = None,
) -> None:
    """Run an emulated Chat API that enforces the documented limits, until SIGTERM or SIGINT."""
    try:
        settings = Settings(
            key=_key(key_file),
            app_id=app_id,
            admins=tuple(admin or ["administrator"]),
            attribute_names=tuple(name.strip() for name in attribute_names.split(",") if name.strip()),
            switches=_switches(profile, accounts, switch or []),
            imported=tuple(account or ()),
            calls_per_second=calls_per_second,
            calls_per_second_of_app=calls_per_second_of_app,
            pushes_per_day=pushes_per_day,
            latency_seconds=latency_seconds,
            seed=seed,
            version_separator=version_separator,
            plain=plain,
            more_apps=read_apps(apps) if apps is not None else (),
            state=state,
        )
    except (ValueError, OSError) as error:
        raise Stop(ExitCode.BAD_INPUT, str(error)) from error
    try:
        asyncio.run(_run(settings, host, port))
    except (ValueError, JournalError) as error:  # the file of the state, and what it leaves room for
        raise Stop(ExitCode.BAD_INPUT, str(error)) from error
    except OSError as error:
        raise Stop(ExitCode.UNAVAILABLE, f"{host}:{port} or the file of the state: {error}") from error


async def _run(settings: Settings, host: str, port: int) -> None:
    told_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_stop.set)
    async with serve(settings, host=host, port=port) as emulator:
        print(f"The Chat API is emulated at {emulator.url}", flush=True)
        await told_to_stop.wait()


def _key(path: Path | None) -> str:
    key = path.read_text().strip() if path is not None else os.environ.get(KEY_VARIABLE, "")
    if not key:
        raise ValueError(f"no key: give a file with --key-file, or set {KEY_VARIABLE}")
    return key


def _switches(profile: Path | None, accounts: Accounts | None, settings: list[str]) -> Switches:
    switches = read_profile(profile, Switches()) if profile is not None else Switches()
    if accounts is not None:
        switches = changed(switches, {"accounts": accounts})
    return switched(switches, settings)
