"""Records through the real way in, the real dead letters and the real cut, and what must hold afterwards."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from audience_sync.chat_api.wire import encode
from audience_sync.core.changes import Endpoint, UserId
from audience_sync.core.debouncer import DebounceTimes
from audience_sync.core.event import Cause, Translated, TranslatedMany, Unusable
from audience_sync.core.guard import Guard
from audience_sync.core.hold import Start
from audience_sync.core.ownership import Bounds, Ownership, PartitionKey
from audience_sync.core.tenure import Tenure
from audience_sync.core.verdicts import REFUSED_USER, Refusal
from audience_sync.events.burial import Burial
from audience_sync.events.dead_letters import DeadLetter, DeadLetters
from audience_sync.events.intake import Intake
from audience_sync.events.replays import Replays
from audience_sync.events.translator import Translator
from audience_sync.formats import RawRecord
from audience_sync.rules.file import parse_rules
from tests.fuzz.framed import find
from tests.fuzz.spoiling import HEADERS, KEYS, REPLAYS, RULES, TIMESTAMPS, TOPICS, a_record
from tests.support.kafka_client import Record

BATCH: Final = 500
NOW: Final = 1_795_305_600.0
REFUSED: Final = Refusal(code=70107, info="unknown", again=False)


class Swamp:
    """One replica that reads what `spoiling` makes of a seed. After each batch everything must be settled."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._keys = [PartitionKey(topic, 0) for topic in TOPICS]
        ownership = Ownership(
            epoch=1,
            starts=dict.fromkeys(self._keys, Start(0, 0, None, clean=True)),
            topics=TOPICS,
            bounds=Bounds(lease_seconds=1e9, request_timeout_seconds=5, max_unsettled_records=10**9),
            now=NOW,
            replay_topic=REPLAYS,
        )
        ownership.accepted(ownership.commit(NOW), sent_at=NOW)
        times = DebounceTimes(quiet_seconds=0, longest_wait_seconds=0, fill_seconds=0)
        self.tenure = Tenure(ownership, times)
        self.counts: Counter[str] = Counter()
        self._records = 0
        self._last: list[Record] = []
        self._originals: dict[str, RawRecord] = {}
        translator = Translator(parse_rules(RULES, file="rules.yaml"), find)
        guard = Guard(most_per_minute=10**9)
        self._letters = DeadLetters(
            publish=self._publish, watch=self, chance=self._chance.random, sleep=asyncio.sleep
        )
        self._burial = Burial(
            self._letters, guard=guard, settled=lambda: None, clock=lambda: NOW, sleep=asyncio.sleep
        )
        self._intake = Intake(
            translation=translator.translation,
            by_event_time=lambda _: False,
            want=lambda _: None,
            bury=self._burial.unusable,
            stopped=lambda: False,
            guard=guard,
            max_waiting_users=10**9,
            clock=lambda: NOW,
            watch=self,
            replays=Replays(
                REPLAYS,
                bury=self._burial.unusable,
                give_back=self._burial.give_back,
                watch=self,
            ),
        )

    async def swallow(self, records: int) -> None:
        """Take in so many records, settle what comes of them, and look that nothing is left or uncounted."""
        writing = asyncio.create_task(self._letters.run())
        working = asyncio.create_task(self._work(records))
        try:
            done, _ = await asyncio.wait([writing, working], return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        finally:
            writing.cancel()
            working.cancel()

    async def _work(self, records: int) -> None:
        while records > 0:
            for key in self._keys:
                self._take(key, min(BATCH, records))
            records -= BATCH * len(self._keys)
            await self._letters.written()
            await self._send_all()
            self._nothing_is_stuck()

    def _take(self, key: PartitionKey, number: int) -> None:
        ledger = self.tenure.ownership.partitions[key].ledger
        position, chance = ledger.read_position, self._chance
        self._last = []
        for _ in range(number):
            position += chance.choice((1, 1, 1, 2, 50))  # gaps: markers, compaction
            value = a_record(key.topic, chance)
            original = RawRecord(value, chance.choice(list(KEYS.values())), chance.choice(HEADERS))
            self._originals[f"{key.topic}/0/{position}"] = original
            self._last.append(
                Record(
                    *key,
                    position,
                    original.value,
                    original.key,
                    timestamp=chance.choice(TIMESTAMPS),
                    headers=original.headers,
                )
            )
        taken = self._intake.take(self.tenure, key, self._last)
        assert taken == number, f"stuck before {self._last[taken]}"
        self._records += number
        self.tenure.ownership.accepted(self.tenure.ownership.commit(NOW), sent_at=NOW)

    async def _send_all(self) -> None:
        debouncer = self.tenure.debouncer
        debouncer.drain(NOW)
        while not debouncer.drained:
            for endpoint in Endpoint:
                while debouncer.ready.waiting(endpoint):
                    request = debouncer.cut(endpoint)
                    encode(request)  # raises for what the API would refuse
                    for user in request.parts:
                        if self._chance.random() < 0.1:
                            await self._burial.refused(self.tenure, request, user, REFUSED, REFUSED_USER)
                        debouncer.settle(user, NOW)
            debouncer.drain(NOW)

    def _nothing_is_stuck(self) -> None:
        for key, ledger in self.tenure.ownership.ledgers():
            assert ledger.settled_position == ledger.read_position, f"{key} is stuck"
        came = sum(self.counts[what] for what in ("translated", "ignored", *Cause))
        assert came == self._records, f"{self._records - came} records were not counted"
        assert len(self.tenure.debouncer) == 0
        self._originals.clear()

    async def _publish(self, key: bytes | None, value: bytes) -> None:
        """What stands in the topic can be read, and has the original bytes."""
        assert key is None or isinstance(key, bytes)
        letter = msgspec.json.decode(value, type=DeadLetter)
        self.counts["letters"] += 1
        if letter.id in self._originals and letter.user is None:
            assert letter.original() == self._originals[letter.id], letter.id

    def buried(self, letter_id: str, cause: str, info: str) -> None:
        """The topic has a letter."""
        assert letter_id
        assert info or cause == REFUSED_USER
        self.counts[f"buried as {cause}"] += 1

    def not_buried(self, letter_id: str, error: str) -> None:
        """It never says no."""
        raise AssertionError(f"{letter_id}: {error}")

    def translated(self, topic: str, events: Sequence[Translated | TranslatedMany]) -> None:
        """Changes come of records."""
        assert all(part.user and part.changes for event in events for part in event.parts)
        self.counts["translated"] += len(events)
        self.counts[f"{topic} translated"] += len(events)

    def late(self, topic: str, changes: int) -> None:
        """Nobody orders by time here."""

    def ignored(self, topic: str, events: int) -> None:
        """Nothing comes of them."""
        self.counts["ignored"] += events
        self.counts[f"{topic} ignored"] += events

    def unusable(self, topic: str, event: Unusable) -> None:
        """It goes to the dead letters, for one of the known reasons, which is told in a sentence."""
        assert len(event.info) > 5, topic
        self.counts[Cause(event.cause)] += 1

    def too_many_dead_letters(self, reason: str) -> None:
        """There are none too many here."""
        raise AssertionError(reason)

    def foreign_key(self, topic: str, user_id: UserId) -> None:
        """A key is not the user."""
        assert topic != REPLAYS, user_id
