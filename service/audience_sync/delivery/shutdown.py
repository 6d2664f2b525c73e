"""The order of stopping: no new records, send what waits, settle and commit, leave the group."""

import asyncio
from collections.abc import Awaitable, Callable

from audience_sync.core.tenure import Tenure
from audience_sync.delivery.loop import Delivery


async def drain(
    *,
    delivery: Delivery,
    tenure: Callable[[], Tenure | None],
    leave: Callable[[], Awaitable[None]],
    seconds: float,
) -> int:
    """Send what waits for at most so many seconds, then settle, commit and give up what is ours.

    Returns how many users were left; their changes are not committed, and the next owner reads them again.
    What is held is never drained.
    """
    ours = tenure()
    if ours is not None:
        try:
            async with asyncio.timeout(seconds):
                await delivery.drain(ours)
        except TimeoutError:
            pass
    await leave()
    return 0 if ours is None else len(ours.debouncer)
