"""`audience-sync status`: what replicas are doing."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from audience_sync.commands.operator.replica import AsJson, At, replicas
from audience_sync.commands.operator.telling import moment, show, show_json

FEW_LINES: Final = 5
"""Of the last errors, so many are shown; --json has more."""


def status(at: At = None, as_json: AsJson = False) -> None:
    """Show what a running replica does: whether it works, who waits, rates, pauses, the last errors."""
    for replica in replicas(at):
        told = replica.get("status")
        if as_json:
            show_json(replica.url, told)
        else:
            show(_lines(replica.url, told))


def _lines(url: str, told: Mapping[str, Any]) -> Iterator[str]:
    yield f"{told['replica']} at {url}, version {told['version']}: {_state(told)}"
    yield f"  waiting users: {told['waiting_users']:,}, {told['held_users']:,} of them held"
    unread = sum(each["unread"] for each in told["partitions"])
    yield f"  partitions: {len(told['partitions'])}; unread records: {unread:,}"
    for seconds, rates in told["per_second"].items():
        each = ", ".join(f"{name} {rate:,.1f}" for name, rate in rates.items())
        yield f"  a second, {seconds.replace('_', ' ')}: {each or 'not known yet'}"
    for name, endpoint in told["endpoints"].items():
        yield (
            f"  {name}: {endpoint['ready_users']:,} ready, {endpoint['in_flight']} under way, "
            f"{endpoint['calls_per_second']:,.1f} calls a second"
        )
    for pause in told["paused"]:
        topics = f"; nothing is read from {', '.join(pause['topics'])}" if pause["topics"] else ""
        yield f"  paused since {moment(pause['since'])}: {pause['what']}{topics}"
    log = told["log"]
    if log["back_at"] is not None:
        yield f"  log level: {log['level']} until {moment(log['back_at'])}, then {log['normal']}"
    for line in told["errors"][:FEW_LINES]:
        fields = ", ".join(f"{name}: {value}" for name, value in line["fields"].items())
        yield f"  {moment(line['at'])} {line['level']} {line['action']} {fields}"


def _state(told: Mapping[str, Any]) -> str:
    return "working" if told["reason"] is None else str(told["reason"])
