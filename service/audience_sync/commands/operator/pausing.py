"""`audience-sync pause` and `audience-sync resume`: all, an endpoint, or a rule."""

from typing import Annotated

import typer

from audience_sync.commands.operator.replica import AsJson, At, replicas
from audience_sync.commands.operator.telling import moment, show, show_json

What = Annotated[str, typer.Argument(help="all, endpoint:NAME (as endpoint:add_tag) or rule:NAME.")]


def pause(what: What, at: At = None, as_json: AsJson = False) -> None:
    """Pause a replica, requests to an endpoint, or the topics of a rule, until it is resumed or restarted.

    Nothing is lost: everything waits. With several replicas, name each by --at.
    """
    for replica in replicas(at):
        told = replica.post("pause", {"what": what})
        if as_json:
            show_json(replica.url, told)
            continue
        topics = f"; nothing is read from {', '.join(told['topics'])}" if told["topics"] else ""
        show([f"{replica.url}: {told['what']} is paused since {moment(told['since'])}{topics}"])


def resume(what: What, at: At = None, as_json: AsJson = False) -> None:
    """Let go on what was paused. What was not is no mistake."""
    for replica in replicas(at):
        told = replica.post("resume", {"what": what})
        if as_json:
            show_json(replica.url, told)
        else:
            show([f"{replica.url}: {what} {'goes on' if told['was_paused'] else 'was not paused'}"])
