"""Live: a restart would not help. Ready: the work is being done. Both say why not."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import pytest

from audience_sync.telemetry.health import STUCK_SECONDS, State, not_live, not_ready

WELL: Final = State(
    started=True,
    draining=False,
    loop_turned_ago=0.5,
    polled_ago=0.0,
    assigned=True,
    lease_valid=True,
    held_numbers=0,
    incomplete_numbers=0,
    dead_letters_full=False,
    stopped=None,
)
LATE: Final = STUCK_SECONDS + 1


def but(**differently: Any) -> State:
    """A state that is well but for this."""
    return msgspec.structs.replace(WELL, **differently)


def test_a_service_that_works_is_live_and_ready() -> None:
    """Nothing to say."""
    assert not_live(WELL) is None
    assert not_ready(WELL) is None


NOT_LIVE: Final[list[tuple[dict[str, Any], str | None]]] = [
    ({"loop_turned_ago": LATE}, "delivery loop"),
    ({"polled_ago": LATE}, "not been polled"),
    ({"polled_ago": LATE, "started": False}, None),
    ({"polled_ago": LATE, "draining": True}, None),
    ({"loop_turned_ago": STUCK_SECONDS, "polled_ago": STUCK_SECONDS}, None),
    ({"stopped": "60010: no permission"}, None),
    ({"lease_valid": False, "assigned": False}, None),
    ({"dead_letters_full": True}, None),
    ({"paused": "paused by a person: all"}, None),
    ({"loop_turned_ago": LATE, "started": False, "waits_for": "the Chat API"}, None),
]


@pytest.mark.parametrize(("differently", "said"), NOT_LIVE)
def test_only_a_process_that_has_lost_its_way_is_not_live(
    differently: Mapping[str, Any], said: str | None
) -> None:
    """A broker or an API that is away is no reason to restart: everything would be read again for nothing."""
    reason = not_live(but(**differently))
    if said is None:
        assert reason is None
    else:
        assert said in (reason or "")


NOT_READY: Final[list[tuple[dict[str, Any], str | None]]] = [
    ({"draining": True}, "stopping"),
    ({"started": False}, "starting"),
    ({"started": False, "waits_for": "the names"}, "starting: the names"),
    ({"stopped": "add_tag answered 60010: no permission"}, "60010"),
    ({"paused": "paused by a person: all"}, "paused"),
    ({"paused": "paused by a person: all", "stopped": "60010"}, "60010"),
    ({"dead_letters_full": True}, "dead-letter"),
    ({"assigned": False}, "assigned"),
    ({"incomplete_numbers": 2}, "2 partition numbers"),
    ({"lease_valid": False}, "not certain"),
    ({"held_numbers": 3}, None),
    ({"draining": True, "started": False, "stopped": "x"}, "stopping"),
    ({"stopped": "first things first", "lease_valid": False, "assigned": False}, "first things first"),
]


@pytest.mark.parametrize(("differently", "said"), NOT_READY)
def test_ready_means_that_the_work_is_being_done(differently: Mapping[str, Any], said: str | None) -> None:
    """The reason that a person must act on comes first; a hold ends by itself and is none."""
    reason = not_ready(but(**differently))
    if said is None:
        assert reason is None
    else:
        assert said in (reason or "")
