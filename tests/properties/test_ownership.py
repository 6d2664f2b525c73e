"""Owners after one another: nothing goes back, nothing is lost, and every rule of the hold is needed."""

import random
from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_sync.core.hold import Note, Start
from audience_sync.core.ledger import Mark
from audience_sync.core.limits import SERVER_TIMEOUT_SECONDS
from audience_sync.core.ownership import Commit, Ownership, PartitionKey
from tests.properties.owners import BOUNDS, Begin, LostError, WentBackError, begin, live
from tests.support.tenures import KEY

BOUND = BOUNDS.max_unsettled_records


def test_nothing_goes_back_and_nothing_is_lost_over_owners_who_crash_freeze_and_end() -> None:
    """600 histories, each from its own seed."""
    live_all(begin)


def live_all(begin: Begin) -> None:
    """Every history. Raises what the first broken promise raises."""
    for seed in range(600):
        live(seed, begin)


class Altered(Ownership):
    """An ownership that forgets one of the rules."""

    def __init__(self, start: Start, now: float) -> None:
        super().__init__(epoch=1, starts={KEY: start}, topics=[KEY.topic], bounds=BOUNDS, now=now)


class TellsOtherwise(Altered):
    """Its commits say something else."""

    def commit(self, now: float, *, last: bool = False) -> Commit:
        """What it would say, altered."""
        commit = super().commit(now, last=last)
        position, note = commit.entries[KEY]
        return Commit({KEY: self.altered(position, note, now)}, commit.opens)

    def altered(self, position: int, note: Note, now: float) -> tuple[int, Note]:
        """The entry instead."""
        raise NotImplementedError


class ForgetsTheTarget(TellsOtherwise):
    """While it is held, it says that nothing was sent above its position."""

    def altered(self, position: int, note: Note, now: float) -> tuple[int, Note]:  # noqa: ARG002 - the base's
        """The position in place of the note that was found."""
        return (position, Note(position, note.clean)) if self.held_numbers else (position, note)


class AlwaysClean(TellsOtherwise):
    """Every commit says clean, not only the last."""

    def altered(self, position: int, note: Note, now: float) -> tuple[int, Note]:  # noqa: ARG002 - the base's
        """The same, clean."""
        return position, msgspec.structs.replace(note, clean=True)


class CommitsOneTooFar(TellsOtherwise):
    """It takes the lowest unsettled position for the last settled one."""

    def altered(self, position: int, note: Note, now: float) -> tuple[int, Note]:  # noqa: ARG002 - the base's
        """One more, where something was read."""
        ledger = self.partitions[KEY].ledger
        return min(position + 1, ledger.read_position), note


class ReservesNothing(Altered):
    """It takes records in before a commit has reserved them."""

    def readable_below(self, key: PartitionKey, *, full: bool) -> int:
        """As far as the bound reaches, whatever was accepted."""
        below = super().readable_below(key, full=full)
        partition = self.partitions[key]
        return below if self.held_numbers or full else partition.ledger.settled_position + BOUND


class KeepsItsLease(Altered):
    """It sends until it hears that it owns nothing."""

    def lease_valid(self, now: float) -> bool:  # noqa: ARG002 - that is the mistake
        """Always, once it has begun."""
        return not self.closing and not self.held_numbers


def _without_the_hold(start: Start, now: float) -> Ownership:
    return Altered(msgspec.structs.replace(start, target=start.position), now)


def _without_the_wait(start: Start, now: float) -> Ownership:
    return Altered(msgspec.structs.replace(start, clean=True), now)


@pytest.mark.parametrize(
    ("mistake", "breaks"),
    [
        pytest.param(_without_the_hold, WentBackError, id="the hold is skipped"),
        pytest.param(_without_the_wait, WentBackError, id="the wait after an unclean end is skipped"),
        pytest.param(ForgetsTheTarget, WentBackError, id="a commit during the hold forgets the target"),
        pytest.param(AlwaysClean, WentBackError, id="clean on a timer's commit"),
        pytest.param(ReservesNothing, WentBackError, id="records are taken in above what is reserved"),
        pytest.param(KeepsItsLease, WentBackError, id="sending goes on without a lease"),
        pytest.param(CommitsOneTooFar, LostError, id="one position too far is committed"),
    ],
)
def test_each_rule_is_needed(mistake: Begin, breaks: type[AssertionError]) -> None:
    """The same histories find every one of these mistakes."""
    with pytest.raises(breaks):
        live_all(mistake)


notes = st.none() | st.builds(Note, st.integers(0, 30), st.booleans())
actions = st.lists(
    st.tuples(
        st.sampled_from(["read", "mark", "settle", "commit", "refused", "pass", "ambiguous"]),
        st.integers(0, 9),
    ),
    max_size=60,
)


@given(notes, st.integers(0, 30), actions)
@settings(max_examples=200, deadline=None)
def test_what_may_be_read_sent_and_committed(
    note: Note | None, end: int, history: list[tuple[str, int]]
) -> None:
    """At every moment of every history, whatever was accepted, refused, settled or not."""
    target = 0 if note is None else min(note.sent_below, end)
    start = Start(0, target, note, clean=note is None or note.clean)
    ownership, now = Altered(start, 1000.0), 1000.0
    ledger, marks = ownership.partitions[KEY].ledger, list[Mark]()
    reserved, ambiguous_at, open_ = target, 0.0, False
    chance = random.Random(len(history))
    for action, number in history:
        below, below_when_full = (ownership.readable_below(KEY, full=full) for full in (False, True))
        if open_:
            assert below <= reserved
            assert below <= ledger.settled_position + BOUND
            assert below_when_full <= ledger.read_position
        else:
            assert below == below_when_full == target, "a hold is never stopped by a bound"
        match action:
            case "read" | "mark" if ledger.read_position < below:
                if action == "mark":
                    marks.append(ledger.mark(ledger.read_position, now))
                ledger.read_up_to(ledger.read_position + 1)
            case "settle" if marks:
                marks.pop(number % len(marks)).settle()
            case "ambiguous":
                ownership.ambiguous(now)
                ambiguous_at = now
            case "commit" | "refused":
                commit = ownership.commit(now)
                position, said = commit.entries[KEY]
                assert position == ledger.settled_position
                assert said.sent_below >= ledger.read_position or not open_
                if open_ or commit.opens:
                    assert not said.clean
                    assert position <= said.sent_below <= max(target, position + BOUND)
                else:
                    assert said == (note or Note(sent_below=position, clean=True))
                if action == "commit":
                    ownership.accepted(commit, sent_at=now)
                    open_ = open_ or bool(commit.opens)
                    reserved = said.sent_below if open_ else reserved
                    assert not open_ or ledger.read_position >= target
            case _:
                now += chance.uniform(0.0, 4.0)
        assert ownership.may_send([Mark(ledger, 0, now)]) == open_
        last = ownership.commit(now, last=True).entries[KEY][1]
        if open_:
            assert last == Note(
                sent_below=ledger.read_position, clean=now - ambiguous_at >= SERVER_TIMEOUT_SECONDS
            )
        else:
            assert last == (note or Note(sent_below=ledger.settled_position, clean=True))


def _settled_everywhere(ownership: Ownership) -> Mapping[PartitionKey, int]:
    return {key: ledger.settled_position for key, ledger in ownership.ledgers()}


@given(st.integers(1, 400), st.integers(1, 50))
@settings(max_examples=50, deadline=None)
def test_a_partition_is_read_to_its_end_whatever_the_bound(end: int, bound: int) -> None:
    """Each commit reserves something, so reading never comes to a stop while everything settles."""
    bounds = msgspec.structs.replace(BOUNDS, max_unsettled_records=bound)
    ownership = Ownership(
        epoch=1, starts={KEY: Start(0, 0, None, clean=True)}, topics=[KEY.topic], bounds=bounds, now=0.0
    )
    ownership.accepted(ownership.commit(0.0), sent_at=0.0)
    ledger = ownership.partitions[KEY].ledger
    commits = 0
    while ledger.read_position < end:
        below = min(ownership.readable_below(KEY, full=False), end)
        for position in range(ledger.read_position, below):
            ledger.mark(position, 0.0).settle()
            ledger.read_up_to(position + 1)
        if below < end:
            assert ownership.wants_commit()
            ownership.accepted(ownership.commit(0.0), sent_at=0.0)
            commits += 1
            assert commits <= end

    assert _settled_everywhere(ownership) == {KEY: end}
