"""Which partitions are ours, and what of them may be read, sent and committed."""

import pytest

from audience_sync.core.hold import Note, Start
from audience_sync.core.ownership import Ownership, PartitionKey
from tests.support.tenures import BOUNDS, KEY, an_ownership, opened

NOW = 1000.0
WAIT = BOUNDS.lease_seconds + BOUNDS.request_timeout_seconds + 3.0
CLEAN = Start(10, 40, Note(sent_below=40, clean=True), clean=True)
UNCLEAN = Start(10, 40, Note(sent_below=40, clean=False), clean=False)
OTHER = PartitionKey("others", 0)


def read(ownership: Ownership, position: int, key: PartitionKey = KEY) -> None:
    ownership.partitions[key].ledger.read_up_to(position)


def may_send(ownership: Ownership, key: PartitionKey = KEY) -> bool:
    ledger = ownership.partitions[key].ledger
    return ownership.may_send([ledger.mark(ledger.read_position, NOW)])


def note(ownership: Ownership, now: float = NOW, *, last: bool = False, key: PartitionKey = KEY) -> Note:
    return ownership.commit(now, last=last).entries[key][1]


def test_nothing_is_sent_before_the_opening_commit_is_accepted() -> None:
    """The next owner must find `clean` false, should this one die."""
    ownership = an_ownership(now=NOW)
    commit = ownership.commit(NOW)
    assert commit.entries[KEY] == (0, Note(sent_below=25, clean=False))
    assert not may_send(ownership)

    ownership.accepted(commit, sent_at=NOW)

    assert may_send(ownership)


def test_a_partition_with_something_to_read_again_is_held_up_to_its_target() -> None:
    """Below it lie older values than what was confirmed."""
    ownership = an_ownership({KEY: CLEAN}, now=NOW)
    read(ownership, 39)
    opened(ownership, NOW)
    assert (may_send(ownership), ownership.held_numbers) == (False, [0])
    read(ownership, 40)
    assert ownership.opens_next(NOW)
    opened(ownership, NOW)

    assert (may_send(ownership), ownership.held_numbers) == (True, [])


def test_a_number_is_held_until_it_is_read_in_every_topic() -> None:
    """Its users' changes come from all of them."""
    ownership = an_ownership({KEY: CLEAN, OTHER: CLEAN}, topics=["events", "others"], now=NOW)
    read(ownership, 40)
    assert not ownership.opens_next(NOW)

    read(ownership, 40, OTHER)

    assert ownership.opens_next(NOW)


def test_a_number_that_is_not_ours_in_every_topic_is_neither_read_nor_sent() -> None:
    """Another replica may be sending for its users."""
    ownership = an_ownership({KEY: CLEAN}, topics=["events", "others"], now=NOW)

    assert ownership.incomplete_numbers == [0]
    assert ownership.readable_below(KEY, full=False) == 10
    read(ownership, 40)
    opened(ownership, NOW + 60)
    assert not may_send(ownership)
    assert note(ownership, last=True) == CLEAN.note


def with_replays(*keys: PartitionKey) -> Ownership:
    """These partitions just assigned, of two topics of events and one of replays."""
    return Ownership(
        epoch=1,
        starts=dict.fromkeys(keys, CLEAN),
        topics=["events", "others", "replays"],
        bounds=BOUNDS,
        now=NOW,
        replay_topic="replays",
    )


def test_a_number_without_a_partition_of_replays_is_whole() -> None:
    """Topics that grow must not wait for the topic of replays; letters of its users have to."""
    ownership = with_replays(KEY, OTHER)

    assert ownership.incomplete_numbers == []
    assert ownership.readable_below(KEY, full=False) == 40


def test_replays_of_a_number_that_is_not_ours_elsewhere_are_not_read() -> None:
    """Another replica may be sending for its users; it is no reason to be unready."""
    ownership = with_replays(KEY, OTHER, PartitionKey("replays", 1))

    assert ownership.incomplete_numbers == []
    assert ownership.readable_below(PartitionKey("replays", 1), full=False) == 10
    assert with_replays(KEY, PartitionKey("replays", 0)).incomplete_numbers == [0]


def test_a_replay_anchors_the_topics_of_its_number() -> None:
    """And those alone; what is forgotten before anything was sent is only what was settled before."""
    elsewhere = PartitionKey("events", 1), PartitionKey("others", 1)
    ownership = with_replays(KEY, OTHER, PartitionKey("replays", 0), *elsewhere)
    replays = ownership.partitions[PartitionKey("replays", 0)].ledger
    for key, partition in ownership.partitions.items():
        if key.topic != "replays":
            partition.ledger.read_up_to(40)
    assert set(ownership.forgotten_below(0).values()) == {10}

    replay = replays.mark(10, NOW)
    replays.read_up_to(40)
    for key in (KEY, OTHER, *elsewhere):
        ownership.partitions[key].ledger.read_up_to(50)
    opened(ownership, NOW)

    settled = {key: ownership.commit(NOW).entries[key][0] for key in (KEY, OTHER, *elsewhere)}
    assert settled == {KEY: 40, OTHER: 40, elsewhere[0]: 50, elsewhere[1]: 50}
    assert ownership.forgotten_below(0)[KEY] == 50
    replay.settle()
    assert ownership.commit(NOW).entries[KEY][0] == 50


def test_after_an_owner_who_did_not_end_clean_the_first_request_waits() -> None:
    """His lease, his last request and the server's own time-out may all still be running."""
    ownership = an_ownership({KEY: UNCLEAN}, now=NOW)
    read(ownership, 40)

    assert not ownership.opens_next(NOW + WAIT - 0.001)
    assert ownership.opens_next(NOW + WAIT)


@pytest.mark.parametrize("last", [False, True])
def test_while_held_every_commit_repeats_the_note_that_was_found(last: bool) -> None:
    """The owner may die in turn, and the next one must hold as far."""
    ownership = an_ownership({KEY: UNCLEAN}, now=NOW)
    read(ownership, 40)

    assert note(ownership, NOW + 1.0, last=last) == UNCLEAN.note


def test_a_last_commit_ends_no_hold() -> None:
    ownership = an_ownership({KEY: CLEAN}, now=NOW)
    read(ownership, 40)
    ownership.closing = True
    commit = ownership.commit(NOW, last=True)

    assert commit.opens == frozenset()
    assert commit.entries[KEY][1] == CLEAN.note


def test_a_lease_counts_from_the_sending_of_an_accepted_commit() -> None:
    ownership = an_ownership(now=NOW)
    assert not ownership.lease_valid(NOW)

    ownership.accepted(ownership.commit(NOW + 1.0), sent_at=NOW)

    assert ownership.lease_valid(NOW + BOUNDS.lease_seconds - 0.001)
    assert not ownership.lease_valid(NOW + BOUNDS.lease_seconds)


def test_closing_ends_the_lease_at_once() -> None:
    ownership = opened(an_ownership(now=NOW), NOW)
    ownership.closing = True

    assert not ownership.lease_valid(NOW)


def test_only_what_an_accepted_commit_has_reserved_is_taken_in() -> None:
    """So that `sent_below` is true, whenever this owner dies."""
    ownership = opened(an_ownership(now=NOW), NOW)
    assert ownership.readable_below(KEY, full=False) == 25

    read(ownership, 25)
    assert ownership.wants_commit()
    commit = ownership.commit(NOW)
    assert ownership.readable_below(KEY, full=False) == 25
    ownership.accepted(commit, sent_at=NOW)

    assert not ownership.wants_commit()
    assert ownership.readable_below(KEY, full=False) == 50


def test_no_more_is_taken_in_than_the_bound_above_the_lowest_unsettled_position() -> None:
    ownership = opened(an_ownership(now=NOW), NOW)
    ledger = ownership.partitions[KEY].ledger
    mark = ledger.mark(5, NOW)
    for _ in range(10):
        read(ownership, ownership.readable_below(KEY, full=False))
        opened(ownership, NOW)
    assert ownership.readable_below(KEY, full=False) == 5 + BOUNDS.max_unsettled_records
    assert not ownership.wants_commit(), "a commit would reserve nothing more"

    mark.settle()

    assert ownership.wants_commit()


def test_a_bound_on_the_whole_stops_every_partition_but_those_below_their_target() -> None:
    """A hold that cannot end would keep its users for ever."""
    held, free = an_ownership({KEY: CLEAN}, now=NOW), opened(an_ownership(now=NOW), NOW)
    read(free, 7)

    assert held.readable_below(KEY, full=True) == 40
    assert free.readable_below(KEY, full=True) == 7


def test_at_its_target_a_partition_waits_for_the_end_of_the_hold() -> None:
    ownership = an_ownership({KEY: UNCLEAN}, now=NOW)
    read(ownership, 40)

    assert ownership.readable_below(KEY, full=False) == 40


def test_a_last_commit_tells_what_was_sent_and_is_clean() -> None:
    ownership = opened(an_ownership(now=NOW), NOW)
    ownership.partitions[KEY].ledger.mark(3, NOW)
    read(ownership, 20)

    assert ownership.commit(NOW, last=True).entries[KEY] == (3, Note(sent_below=20, clean=True))
    assert not note(ownership).clean


def test_it_is_not_clean_while_the_api_may_still_be_applying_something() -> None:
    ownership = opened(an_ownership(now=NOW), NOW)
    ownership.ambiguous(NOW)

    assert not note(ownership, NOW + 2.999, last=True).clean
    assert note(ownership, NOW + 3.0, last=True).clean


def test_an_owner_with_a_smaller_bound_repeats_what_the_last_one_has_reserved() -> None:
    """Settings change between owners; what was sent stays sent."""
    start = Start(10, 500, Note(sent_below=500, clean=True), clean=True)
    ownership = an_ownership({KEY: start}, now=NOW)
    ownership.partitions[KEY].ledger.mark(10, NOW)
    read(ownership, 500)

    assert ownership.commit(NOW).entries[KEY] == (10, Note(sent_below=500, clean=False))
    opened(ownership, NOW)
    assert ownership.readable_below(KEY, full=False) == 10 + BOUNDS.max_unsettled_records


def test_each_partition_with_its_ledger() -> None:
    ownership = an_ownership({KEY: CLEAN, OTHER: CLEAN}, topics=["events", "others"], now=NOW)

    assert {key: (ledger.topic, ledger.number) for key, ledger in ownership.ledgers()} == {
        KEY: KEY,
        OTHER: OTHER,
    }
