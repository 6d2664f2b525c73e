"""What peers in Python fold and send adds up to the truth, within the limits of the Chat API."""

from typing import Any

import msgspec

from benchmarks.contestants.by_hand import TAGS, USERS, Folded
from benchmarks.parts.peers import first_of, strangers_of
from benchmarks.parts.throughput import QUICK
from benchmarks.workloads import Known, Spread, Workload, made, out_of_step

WORKLOAD = Workload(name="small", events=9_000, users=300, spread=Spread.ZIPF, seed=3)


def apply(state: dict[str, Known], command: str, body: dict[str, Any]) -> None:
    [users] = body.values()
    assert len(users) <= USERS
    for each in users:
        known = state.setdefault(each["To_Account"], {})
        match command:
            case "im_set_attr":
                known.update(each["Attrs"])
            case "im_add_tag":
                assert len(each["Tags"]) <= TAGS
                known.update(dict.fromkeys(each["Tags"], True))
            case "im_remove_tag":
                for tag in each["Tags"]:
                    known.pop(tag, None)


def test_batch_after_batch_adds_up_to_the_truth() -> None:
    data = made(WORKLOAD)
    state: dict[str, Known] = {}
    for begin in range(0, len(data.records), 1_000):
        folded = Folded()
        for _, _, value in data.records[begin : begin + 1_000]:
            folded.add(msgspec.json.decode(value))
        for command, body in folded.requests():
            apply(state, command, body)
    assert out_of_step(data.truth, state) == 0


def test_all_at_once_takes_no_more_requests_than_needed() -> None:
    data = made(WORKLOAD)
    folded = Folded()
    for _, _, value in data.records:
        folded.add(msgspec.json.decode(value))
    assert len(list(folded.requests())) == data.fewest_requests


def test_who_is_slow_gets_the_first_events_of_the_same_data() -> None:
    whole = made(QUICK)
    some = made(first_of(QUICK, 500))
    assert list(some.records) == list(whole.records[: len(some.records)])


def test_strangers_are_users_of_the_data() -> None:
    data = made(QUICK)
    strangers = strangers_of(data, 3)
    assert len(set(strangers) & set(data.truth)) == 3
    assert strangers == strangers_of(data, 3)
