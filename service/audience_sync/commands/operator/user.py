"""`audience-sync user`: what replicas know of one user."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from audience_sync.commands.operator.replica import AsJson, At, replicas
from audience_sync.commands.operator.telling import changes, moment, places, show, show_json


def user(
    user_id: Annotated[str, typer.Argument(metavar="ID", help="The account in the Chat API.")],
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Show what waits for one user, and what was confirmed last, with the events that it is from."""
    for replica in replicas(at):
        told = replica.get("user", id=user_id)
        if as_json:
            show_json(replica.url, told)
        else:
            show(_lines(replica.url, told))


def _lines(url: str, told: Mapping[str, Any]) -> Iterator[str]:
    yield f"{told['user']} at {url}"
    waits = told["waits"]
    if waits is None:
        yield "  nothing waits"
    else:
        until = "" if waits["not_before"] is None else f" until {moment(waits['not_before'])} at the latest"
        yield f"  {waits['step']}{until}; endpoint: {waits['endpoint'] or '-'}"
        if waits["under_way"]:
            yield f"  under way: {changes(waits['under_way'])}"
        yield f"  waits: {changes(waits['changes'])}"
        if waits["refused"] is not None:
            yield f"  refused since {moment(waits['refused']['since'])} with code {waits['refused']['code']}"
        yield "  from the events since"
        yield from places(waits["first_events"])
    for each in told["confirmed"]:
        yield f"  confirmed {moment(each['at'])} at {each['endpoint']}: {changes(each['changes'])}"
        yield "  from the events since"
        yield from places(each["first_events"])
    if not told["confirmed"]:
        yield "  nothing that was confirmed is remembered"
