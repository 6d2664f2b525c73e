"""Live, ready, and the reason when not."""

from typing import Final

import msgspec

STUCK_SECONDS: Final = 60.0
"""Neither the delivery nor the polling ever pauses for so long: the process has lost its way, restart it."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What health is judged by. Durations in seconds.

    waits_for: what the start waits for, before anything is read. stopped: why nothing is sent until a person acts.
    paused: what a person has paused.
    """

    started: bool
    draining: bool
    loop_turned_ago: float
    polled_ago: float
    assigned: bool
    lease_valid: bool
    held_numbers: int
    incomplete_numbers: int
    dead_letters_full: bool
    stopped: str | None
    waits_for: str | None = None
    paused: str | None = None


def not_live(state: State) -> str | None:
    """Why a restart would help, or None. A Chat API or broker that is away is no such reason."""
    if state.waits_for is None and state.loop_turned_ago > STUCK_SECONDS:
        return f"the delivery loop has not turned for {state.loop_turned_ago:.0f} s"
    if state.started and not state.draining and state.polled_ago > STUCK_SECONDS:
        return f"Kafka has not been polled for {state.polled_ago:.0f} s"
    return None


def not_ready(state: State) -> str | None:
    """Why the service is not doing its work, or None."""
    if state.draining:
        return "stopping"
    if state.waits_for is not None:
        return f"starting: {state.waits_for}"
    if not state.started:
        return "starting: Kafka has not assigned partitions yet"
    if state.stopped is not None:
        return f"stopped, until a person acts: {state.stopped}"
    if state.paused is not None:
        return state.paused
    if state.dead_letters_full:
        return "the dead-letter topic takes no records"
    if not state.assigned:
        return "waiting for partitions to be assigned"
    if state.incomplete_numbers:
        return f"{state.incomplete_numbers} partition numbers are not ours in every topic"
    if not state.lease_valid:
        return "the broker has not accepted a commit lately: it is not certain that the partitions are ours"
    return None
