"""Python's search for cycles of garbage, as rare as a service needs it.

What it looks for hardly exists here: events, changes and users are freed the moment nobody refers to them. But it
looks through all that waits, again and again while a backlog is read, which was a quarter of the service's CPU.
"""

import gc
from typing import Final

NEW_OBJECTS: Final = 20_000
"""So many more objects than before are looked through at a time. Ours: a batch of 2,000 records makes fewer, so that
its own are gone before they are looked at. Python's own number, 700, is met several times a batch."""


def collect_garbage_rarely() -> None:
    """What is there now is never looked through again; what comes, far less often than by default. Safe to repeat."""
    gc.freeze()
    _, *older = gc.get_threshold()
    gc.set_threshold(NEW_OBJECTS, *older)
