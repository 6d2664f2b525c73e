"""Dead letters: written in order, tried until the broker has them, recognised when they repeat."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from audience_sync.core.changes import AddTag, RemoveAllTags, SetAttribute, UserId
from audience_sync.core.ledger import Ledger, Origin
from audience_sync.core.verdicts import Refusal
from audience_sync.events.dead_letters import (
    MOST_WAITING,
    DeadLetter,
    DeadLetters,
    refused_letter,
    unusable_letter,
)
from audience_sync.formats import RawRecord
from tests.support.clock import on_virtual_time, virtual_now

ORIGIN = Origin("events", 3, 17, 1000.0)


class Topic:
    """The topic of dead letters; it refuses as many writes as told."""

    def __init__(self, *, refusals: int = 0) -> None:
        self.refusals = refusals
        self.records: list[tuple[bytes | None, DeadLetter]] = []
        self.seen: list[str] = []
        self.letters = DeadLetters(publish=self._publish, watch=self, chance=lambda: 1.0, sleep=asyncio.sleep)

    async def _publish(self, key: bytes | None, value: bytes) -> None:
        await asyncio.sleep(0.01)
        if self.refusals:
            self.refusals -= 1
            raise OSError("too few replicas")
        self.records.append((key, msgspec.json.decode(value, type=DeadLetter)))

    def buried(self, letter_id: str, cause: str, info: str) -> None:
        """The broker has it."""
        assert cause
        assert info
        self.seen.append(f"buried {letter_id}")

    def not_buried(self, letter_id: str, error: str) -> None:
        """It has not."""
        self.seen.append(f"{letter_id}: {error}")


def a_letter(number: int = 17) -> DeadLetter:
    return unusable_letter(
        RawRecord(b"\xff", b"k", (("a", b"\xfe"), ("b", None), ("a", b""))),
        origin=Origin("events", 3, number, 1000.0),
        cause="unreadable",
        info="no JSON",
        now=1.0,
    )


def with_topic(story: Callable[[Topic], Coroutine[Any, Any, None]], **options: int) -> None:
    """Tell *story* with the writer running."""

    async def main() -> None:
        topic = Topic(**options)
        task = asyncio.create_task(topic.letters.run())
        try:
            await story(topic)
        finally:
            task.cancel()
            await asyncio.wait([task])

    on_virtual_time(main())


def test_a_letter_is_settled_only_when_the_broker_has_it() -> None:
    async def story(topic: Topic) -> None:
        done: list[int] = []
        for number in range(3):
            topic.letters.bury(b"k", a_letter(number), lambda number=number: done.append(number))  # type: ignore[misc]  # a loop's value, kept
        assert done == []
        await topic.letters.written()

        assert done == [0, 1, 2]
        assert [letter.origins[0].position for _, letter in topic.records] == [0, 1, 2]

    with_topic(story)


def test_a_letter_is_tried_until_the_broker_takes_it_ever_more_slowly() -> None:
    async def story(topic: Topic) -> None:
        started = virtual_now()
        await topic.letters.bury_and_wait(b"k", a_letter())

        assert topic.seen == ["events/3/17: too few replicas"] * 5 + ["buried events/3/17"]
        assert virtual_now() - started > 0.5 + 1 + 2 + 4 + 8
        assert len(topic.records) == 1

    with_topic(story, refusals=5)


def test_it_is_full_while_the_broker_takes_nothing() -> None:
    """Then nothing more is read, and nothing more can be given up."""

    async def story(topic: Topic) -> None:
        full = []
        for number in range(MOST_WAITING):
            full.append(topic.letters.full)
            topic.letters.bury(None, a_letter(number), lambda: None)
        full.append(topic.letters.full)
        await topic.letters.written()
        full.append(topic.letters.full)

        assert full == [False] * MOST_WAITING + [True, False]
        assert len(topic.records) == MOST_WAITING

    with_topic(story)


def test_an_unusable_record_is_kept_to_the_byte_and_has_one_id() -> None:
    letter = a_letter()

    assert (letter.id, letter.key, letter.value) == ("events/3/17", "aw==", "/w==")
    assert letter.origins == [ORIGIN]
    assert a_letter() == letter
    assert letter.headers == [["a", "/g=="], ["b"], ["a", ""]]
    assert letter.original() == RawRecord(b"\xff", b"k", (("a", b"\xfe"), ("b", None), ("a", b"")))
    nothing = unusable_letter(RawRecord(None), origin=ORIGIN, cause="unreadable", info="null", now=1.0)
    assert (nothing.key, nothing.value, nothing.headers) == (None, None, [])
    assert nothing.original() == RawRecord(None)


def test_a_refused_user_is_kept_with_his_changes_and_where_they_began() -> None:
    ledger = Ledger("events", 3, 0)

    letter = refused_letter(
        user_id=UserId("alice"),
        changes=[SetAttribute("city", "Shenzhen"), AddTag("a"), RemoveAllTags()],
        marks=[ledger.mark(17, 1000.0)],
        cause="refused_user",
        refusal=Refusal(code=70107, info="unknown", again=False),
        now=2.0,
    )

    assert letter.id == "alice@events/3/17#SetAttribute:city,AddTag:a,RemoveAllTags"
    assert letter.changes == [["SetAttribute", "city", "Shenzhen"], ["AddTag", "a"], ["RemoveAllTags"]]
    assert (letter.user, letter.code, letter.info, letter.origins) == ("alice", 70107, "unknown", [ORIGIN])
