"""Whatever bytes come: each record is counted once, and no partition is stuck. `make fuzz` takes a million."""

import asyncio
from typing import Final

import pytest

from audience_sync.core.event import Cause
from tests.fuzz.spoiling import TOPICS
from tests.fuzz.swamp import Swamp

RECORDS: Final = 5000


@pytest.mark.parametrize("seed", range(2))
def test_whatever_comes_is_counted_and_settled(seed: int) -> None:
    """Valid events of all formats, spoilt in structure and in bytes, and replays; with wrong keys and times."""
    swamp = Swamp(seed)
    asyncio.run(swamp.swallow(RECORDS))

    met = {cause for cause in Cause if swamp.counts[cause]}
    assert met == set(Cause) - {Cause.OUTRUN} or met == set(Cause), "each way to be unusable has come about"
    assert all(swamp.counts[f"{topic} translated"] for topic in TOPICS)
    assert swamp.counts["picky ignored"]
    assert swamp.counts["buried as refused_user"]
