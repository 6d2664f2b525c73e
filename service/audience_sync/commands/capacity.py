"""`audience-sync capacity`: how many replicas and partitions a load takes, and whether the API's limit suffices."""

import math
from collections.abc import Mapping
from typing import Annotated

import msgspec
import typer
from typer import Option

from audience_sync.commands.capacity_view import show, told
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.core.activity import STEEPEST, exponent_for, zipf
from audience_sync.core.capacity import BUSY, MEASURED, Costs, Load, Service
from audience_sync.core.changes import Endpoint
from audience_sync.core.planner import ANSWER_SECONDS
from audience_sync.settings import DebounceSettings, Settings, SettingsError, load

TOUCHED: Mapping[Endpoint, float] = {Endpoint.SET_ATTRIBUTES: 0.7, Endpoint.ADD_TAGS: 0.3}
"""What a load is taken to be of if nothing is said."""


def capacity(
    users: Annotated[int, Option("--users", min=1, max=10**12, help="How many users have events at all.")],
    events_per_second: Annotated[
        float, Option("--events-per-second", min=0.001, max=1e9, help="Of all users together.")
    ],
    distinct_users: Annotated[
        float | None,
        Option(
            "--distinct-users", min=1, help="How many different users have an event --within so many seconds."
        ),
    ] = None,
    within_seconds: Annotated[
        float,
        Option("--within", min=0.001, max=1e9, help="The seconds that --distinct-users are counted in."),
    ] = 60.0,
    exponent: Annotated[
        float | None,
        Option(
            "--zipf",
            min=0.0,
            max=STEEPEST,
            help="Or: the n-th most active user has 1 / n^ZIPF of the first one's events; 0: all have as many.",
            show_default="0",
        ),
    ] = None,
    touches: Annotated[
        list[str] | None,
        Option(
            "--touches",
            help="What part of the events changes something at an endpoint, such as set_attr=0.7; may be repeated.",
            show_default=" ".join(f"{endpoint}={part:g}" for endpoint, part in TOUCHED.items()),
        ),
    ] = None,
    quiet_seconds: Annotated[
        float | None,
        Option("--quiet-seconds", min=0.0, max=600.0, help="The quiet time.", show_default="the setting"),
    ] = None,
    longest_wait_seconds: Annotated[
        float | None,
        Option(
            "--longest-wait-seconds",
            min=0.001,
            max=600.0,
            help="The longest wait.",
            show_default="the setting",
        ),
    ] = None,
    calls_per_second: Annotated[
        float | None,
        Option(
            "--calls-per-second",
            min=0.001,
            max=1e6,
            help="What the API allows each endpoint.",
            show_default="the setting",
        ),
    ] = None,
    partitions: Annotated[
        int | None,
        Option(
            "--partitions",
            min=1,
            max=10**7,
            help="Of all topics together.",
            show_default="as many as it takes",
        ),
    ] = None,
    outage_minutes: Annotated[
        float,
        Option("--outage-minutes", min=0.001, max=1e6, help="After so long, when is all in step again?"),
    ] = 10.0,
    event_microseconds: Annotated[
        float, Option("--event-microseconds", min=0.001, max=1e6, help="CPU an event.")
    ] = round(MEASURED.event_seconds * 1e6, 2),
    part_microseconds: Annotated[
        float, Option("--part-microseconds", min=0.0, max=1e6, help="CPU a user in a request.")
    ] = round(MEASURED.part_seconds * 1e6, 2),
    user_bytes: Annotated[
        float, Option("--user-bytes", min=1.0, max=1e6, help="Memory of a waiting user.")
    ] = MEASURED.user_bytes,
    busy: Annotated[
        float, Option("--busy", min=0.01, max=1.0, help="What part of its core a replica may use.")
    ] = BUSY,
    as_json: Annotated[bool, Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say what a load takes: replicas, partitions, calls, memory; how late users are; and what an outage costs.

    Arithmetic on means with the settings in effect, and with costs as they were measured; nothing is connected to.
    """
    _finite(
        ("--events-per-second", events_per_second),
        ("--distinct-users", distinct_users),
        ("--within", within_seconds),
        ("--zipf", exponent),
        ("--quiet-seconds", quiet_seconds),
        ("--longest-wait-seconds", longest_wait_seconds),
        ("--calls-per-second", calls_per_second),
        ("--outage-minutes", outage_minutes),
        ("--event-microseconds", event_microseconds),
        ("--part-microseconds", part_microseconds),
        ("--user-bytes", user_bytes),
        ("--busy", busy),
    )
    try:
        settings = load(account=False)
    except SettingsError as error:
        raise Stop(ExitCode.BAD_INPUT, str(error)) from error
    spread = _exponent(users, events_per_second, exponent, distinct_users, within_seconds)
    incoming = Load(
        activity=zipf(users, events_per_second, spread),
        events_per_second=events_per_second,
        touched=TOUCHED if touches is None else _touched(touches),
    )
    costs = Costs(
        event_seconds=event_microseconds / 1e6,
        part_seconds=part_microseconds / 1e6,
        idle_bytes=MEASURED.idle_bytes,
        user_bytes=user_bytes,
    )
    service = _service(
        settings,
        quiet_seconds=quiet_seconds,
        longest_wait_seconds=longest_wait_seconds,
        calls_per_second=calls_per_second,
        partitions=partitions,
    )
    found = told(incoming, service, costs, busy=busy, outage_seconds=60 * outage_minutes, exponent=spread)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
    else:
        show(found)


def _finite(*given: tuple[str, float | None]) -> None:
    """Ranges let through what is no number at all."""
    for name, value in given:
        if value is not None and not math.isfinite(value):
            raise Stop(ExitCode.BAD_INPUT, f"{name} {value} is no number to reckon with; give a finite one.")


def _exponent(
    users: int, events_per_second: float, exponent: float | None, distinct: float | None, seconds: float
) -> float:
    """How steeply events spread over users: as it was given, or as it follows from distinct users."""
    if distinct is None:
        return exponent or 0.0
    if exponent is not None:
        raise Stop(
            ExitCode.BAD_INPUT, "--distinct-users and --zipf both say how events spread over users; give one."
        )
    found = exponent_for(users, events_per_second, distinct=distinct, seconds=seconds)
    if found is None:
        most, fewest = (zipf(users, events_per_second, each).distinct(seconds) for each in (0.0, STEEPEST))
        raise Stop(
            ExitCode.BAD_INPUT,
            f"--distinct-users {distinct:,.0f} can't be: {users:,} users with {events_per_second:,.12g} events a "
            f"second are from {fewest:,.0f} to {most:,.0f} different ones within {seconds:g} s; give a number "
            "between these, or other --users, --events-per-second or --within.",
        )
    return found


def _touched(given: list[str]) -> dict[Endpoint, float]:
    """{endpoint: part of the events}, as they were given."""
    touched: dict[Endpoint, float] = {}
    for each in given:
        name, _, part = each.partition("=")
        if name not in {endpoint.value for endpoint in Endpoint}:
            raise Stop(
                ExitCode.BAD_INPUT,
                f"--touches {each}: there is no endpoint {name!r}; there are {', '.join(Endpoint)}.",
            )
        try:
            number = float(part)
        except ValueError:
            number = math.nan
        if not 0 < number <= 1:
            raise Stop(
                ExitCode.BAD_INPUT,
                f"--touches {each}: {part!r} is no part of the events; write {name}=0.5 for half of them "
                "(above 0, at most 1).",
            )
        if Endpoint(name) in touched:
            raise Stop(ExitCode.BAD_INPUT, f"--touches {each}: {name} was given before; give it once.")
        touched[Endpoint(name)] = number
    return touched


def _service(
    settings: Settings,
    *,
    quiet_seconds: float | None,
    longest_wait_seconds: float | None,
    calls_per_second: float | None,
    partitions: int | None,
) -> Service:
    """The settings in effect, and what was given instead of some."""
    debounce, chat = settings.debounce, settings.chat
    quiet = debounce.quiet_seconds if quiet_seconds is None else quiet_seconds
    longest = longest_wait_seconds or max(debounce.longest_wait_seconds, quiet)
    if longest < quiet:
        raise Stop(
            ExitCode.BAD_INPUT,
            f"--longest-wait-seconds {longest:g} is below the quiet time of {quiet:g} s; give at least as much, or a "
            "shorter --quiet-seconds.",
        )
    given = DebounceSettings(
        **debounce.model_dump() | {"quiet_seconds": quiet, "longest_wait_seconds": longest}
    )
    return Service(
        times=given.times,
        calls_per_second=calls_per_second or chat.calls_per_second,
        calls_per_second_of_app=chat.calls_per_second_of_app,
        max_waiting_users=debounce.max_waiting_users,
        max_unsettled_records=settings.kafka.max_unsettled_records,
        answer_seconds=ANSWER_SECONDS,
        partitions=partitions,
    )
