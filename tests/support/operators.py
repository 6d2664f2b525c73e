"""A replica's admin port with the operator's page, over the real delivery loop; no broker is asked."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from faststream.kafka import KafkaBroker
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from audience_sync.admin.access import Access
from audience_sync.admin.operator import NotReadError, Operator
from audience_sync.admin.operator_app import OperatorApp
from audience_sync.admin.replay_job import ReplayJob
from audience_sync.admin.server import AdminServer
from audience_sync.admin.status import Status
from audience_sync.assembly import Clock
from audience_sync.core.guard import Guard
from audience_sync.core.last_confirmed import LastConfirmed
from audience_sync.core.ledger import Origin
from audience_sync.core.pauses import Pauses
from audience_sync.events.newest_letters import Newest, NewestLetter
from audience_sync.telemetry.logs import LastLines, Level
from tests.support.deliveries import OK, Answer, Deliveries
from tests.support.secrecy import KEYS

TOKEN: Final = "planted-operators-token-0123456789"
KEYS.add(TOKEN)
RULES: Final = {"city": ("city-changed",), "membership": ("membership-changed",)}

COMMAND: Final = """
import json, sys
ids = sys.argv[sys.argv.index("--") + 1:]
for each in ids:
    print(json.dumps({"id": each, "user": "bob", "end": "replayed", "info": "", "changes": [["AddTag", "a"]]}))
print(f"{len(ids)} replayed.", file=sys.stderr)
"""
"""In place of `audience-sync`: says what it would of letters that are replayed."""


class Page:
    """What a test sees of a replica. deliveries: what it sends. told: what its watch was told."""

    def __init__(self, answer: Answer, *, last_confirmed: LastConfirmed, script: str) -> None:
        self.pauses = Pauses(RULES)
        self.lines = LastLines()
        self.told: list[str] = []
        self.refused = 0
        self.letters: list[NewestLetter] = []
        self.letters_fail: str | None = None
        self.totals: dict[str, int] = {"records": 0, "requests": 0, "parts": 0}
        self.last_confirmed = last_confirmed
        self.deliveries = Deliveries(
            answer,
            clock=Clock(),
            paused=lambda endpoint: not self.pauses.sends_to(endpoint),
            remember=last_confirmed.confirmed,
        )
        self.clock: Callable[[], float] = self.deliveries.clock
        self.token = SecretStr(TOKEN)
        self.status = Status(
            version="1.2.3",
            tenure=lambda: self.deliveries.tenure,
            paces=self.deliveries.paces,
            halt=self.deliveries.halt,
            guard=Guard(most_per_minute=1000),
            pauses=self.pauses,
            dead_letters_full=lambda: False,
            loop_turned_at=lambda: self.deliveries.delivery.turned_at,
            polled_seconds_ago=lambda: 0.0,
            unread=lambda *_: 0,
            clock=self.clock,
        )
        self.status.started = True
        self.replay = ReplayJob((sys.executable, "-c", script), clock=self.clock)
        self.operator = Operator(
            replica="audience-sync-0",
            status=self.status,
            tenure=lambda: self.deliveries.tenure,
            pauses=self.pauses,
            resumed=self.deliveries.delivery.resumed,
            last_confirmed=last_confirmed,
            letters=self._letters,
            replay=self.replay,
            level=Level("INFO"),
            lines=self.lines,
            totals=lambda: dict(self.totals),
            clock=self.clock,
            watch=self,
        )
        self.url = ""
        self._secrets = iter(range(10**6))
        self.access = Access(
            lambda: self.token,
            new_secret=lambda: f"secret-{next(self._secrets)}",
            clock=self.clock,
            refused=self.operator_refused,
        )

    async def _letters(self, *, most: int, users: frozenset[str], codes: frozenset[int]) -> Newest:
        if self.letters_fail is not None:
            raise NotReadError(self.letters_fail)
        found = [
            letter
            for letter in self.letters
            if (not users or letter.user in users) and (not codes or letter.code in codes)
        ]
        return Newest(letters=found[:most], read=len(self.letters), records=1_234)

    def letter(
        self, user: str | None, *, code: int | None = 70107, number: int = 1, info: str = "no such user"
    ) -> None:
        """One more stands in the topic."""
        self.letters.append(
            NewestLetter(
                id=f"{user}@city-changed/0/{number}#SetAttribute:city",
                user=user,
                cause="refused_user" if code else "unreadable",
                code=code,
                info=info,
                changes=[["SetAttribute", "city", "Shenzhen"]] if user else [],
                origins=[Origin("city-changed", 0, number, 1_763_800_000.0)],
                given_up_at=1_763_800_000.0 + number,
            )
        )

    def paused(self, what: str) -> None:
        """A person has paused it."""
        self.told.append(f"paused {what}")

    def resumed(self, what: str) -> None:
        """A person lets it go on."""
        self.told.append(f"resumed {what}")

    def replay_asked(self, letters: int) -> None:
        """A person wants letters replayed."""
        self.told.append(f"replay {letters}")

    def operator_refused(self) -> None:
        """Somebody has not shown the token."""
        self.refused += 1

    def level_changed(self, level: str, *, by_itself: bool) -> None:
        """The log level is another one."""
        self.told.append(f"level {level}{' by itself' if by_itself else ''}")


@asynccontextmanager
async def serving(
    answer: Answer = lambda _: OK, *, is_on: bool = True, most_users: int = 100, script: str = COMMAND
) -> AsyncIterator[Page]:
    """A replica for the block, on a free port. is_on: whether it has the operator's page."""
    page = Page(answer, last_confirmed=LastConfirmed(most_users=most_users), script=script)
    server = AdminServer(
        broker=KafkaBroker(),
        registry=CollectorRegistry(),
        status=page.status,
        host="127.0.0.1",
        port=0,
        operator=OperatorApp(page.operator, page.access) if is_on else None,
    )
    listener = server.listen()
    page.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    root = logging.getLogger()
    level = root.level
    root.setLevel("INFO")
    root.addHandler(page.lines)
    async with page.deliveries.running():
        tasks = [
            asyncio.create_task(each)
            for each in (server.serve(listener), page.operator.run(), page.replay.run())
        ]
        try:
            yield page
        finally:
            server.stop()
            await tasks[0]
            for task in tasks[1:]:
                task.cancel()
            await asyncio.wait(tasks)
            root.removeHandler(page.lines)
            root.setLevel(level)
