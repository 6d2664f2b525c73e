"""A plan for people: tables on a terminal, texts with tabs between them elsewhere."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from audience_sync.commands.terminal.output import Output, View, output
from audience_sync.commands.terminal.words import counted, printable


def show(plan: Mapping[str, Any]) -> None:
    """Print what `told` has told."""
    where = output(as_json=False)
    events, calls, pace, delay = plan["events"], plan["calls"], plan["pace"], plan["delay_seconds"]
    _table(
        where,
        ("after s", "topic", "user", "change"),
        (
            (f"{first['at']:.2f}", first["topic"], first["user"], change)
            for first in plan["first_changes"]
            for change in first["changes"]
        ),
    )
    _table(
        where,
        ("after s", "request", "users", "such as"),
        (
            (f"{first['at']:.2f}", first["endpoint"], str(first["users"]), ", ".join(first["of"]))
            for first in plan["first_requests"]
        ),
    )
    _table(
        where,
        ("request", "calls", "users", "users a call", "most in a second"),
        (
            (
                endpoint,
                str(each["calls"]),
                str(each["users"]),
                f"{each['users_per_call']:.1f}",
                str(each["most_calls_in_a_second"]),
            )
            for endpoint, each in plan["requests"].items()
        ),
    )
    _table(
        where,
        ("dead letters", "records", "such as"),
        (
            (cause, str(each["records"]), example["info"])
            for cause, each in plan["dead_letters"].items()
            for example in each["examples"][:1]
        ),
    )
    _table(where, ("ignored", "records"), ((why, str(count)) for why, count in plan["ignored"].items()))
    for limit in plan["limits"]:
        print(printable(f"Limit: {limit}."))
    print(
        f"{counted(events['read'], 'event')} in {events['seconds']:.1f} s: {events['translated']:,} with changes, "
        f"{events['ignored']:,} ignored, {events['dead_letters']:,} for the dead letters."
    )
    print(
        f"{counted(calls['planned'], 'call')} instead of {calls['one_by_one']:,} for one event at a time: "
        f"{calls['saved']:,} saved ({calls['saved_percent']:.1f} %)."
    )
    if plan["repeats_skipped"]:
        print(f"{counted(plan['repeats_skipped'], 'change')} not sent, as they repeat what was confirmed.")
    print(
        f"From event to confirmation: half within {delay['p50']:.1f} s, 99 % within {delay['p99']:.1f} s, "
        f"all within {delay['longest']:.1f} s."
    )
    of_app = pace["calls_per_second_of_app"]
    print(
        f"Pace: {pace['calls_per_second']:g} calls a second and endpoint"
        + (f", {of_app:g} of all together" if of_app else "")
        + f"; one replica; an answer takes {pace['answer_seconds']:g} s."
    )


def _table(where: Output, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    view: View[Sequence[str]] = View(columns=columns, rows=lambda row: [row], fields=lambda _: {})
    where.show(view, rows)
