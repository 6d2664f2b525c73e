"""What the benchmarks work on: the truth is what the shipped rules make of the events."""

import itertools
import os
import random
import time

import pytest

from audience_sync.core.changes import AddTag, RemoveTag, SetAttribute
from audience_sync.core.event import Translated
from audience_sync.events.translator import Translator
from audience_sync.formats import RawRecord
from audience_sync.rules.file import load_rules
from benchmarks.measuring import memory, used
from benchmarks.workloads import CITY, STOCKS, Events, Known, Made, Spread, Workload, made, out_of_step


def a_workload(
    spread: Spread = Spread.UNIFORM, *, users: int = 40, event_bytes: int = 0, seed: int = 1
) -> Workload:
    """A small one."""
    return Workload(name="small", events=600, users=users, spread=spread, event_bytes=event_bytes, seed=seed)


def by_the_rules(workload: Made) -> dict[str, Known]:
    """What the shipped rules make of its events."""
    translate = Translator(load_rules()).translate
    known: dict[str, Known] = {}
    for topic, key, value in workload.records:
        event = translate(topic, RawRecord(value, key))
        assert isinstance(event, Translated)
        assert event.user == key.decode()
        of_user = known.setdefault(event.user, {})
        for change in event.changes:
            match change:
                case SetAttribute(name, written):
                    of_user[name] = written
                case AddTag(tag):
                    of_user[tag] = True
                case RemoveTag(tag):
                    of_user[tag] = False
                case _:
                    pytest.fail(f"the shipped rules made {change}")
    return known


@pytest.mark.parametrize("spread", Spread)
@pytest.mark.parametrize("event_bytes", [0, 4096])
def test_the_truth_is_what_the_shipped_rules_make_of_the_events(spread: Spread, event_bytes: int) -> None:
    """Else a benchmark would call users out of step who are in it, or the reverse."""
    found = made(a_workload(spread, event_bytes=event_bytes))
    assert len(found.records) == 600
    assert found.truth == by_the_rules(found)


def test_a_seed_makes_the_same_bytes_and_another_one_others() -> None:
    """All contestants and all runs work on the same."""
    assert made(a_workload()).records == made(a_workload()).records
    assert made(a_workload()).records != made(a_workload(seed=2)).records


def test_events_are_filled_up_to_their_size() -> None:
    """To the byte, whatever the kind."""
    assert {len(value) for _, _, value in made(a_workload(event_bytes=4096)).records} == {4096}


def test_spreads_are_what_they_are_called() -> None:
    """Who has how many events, and in which order."""
    users = {spread: [key for _, key, _ in made(a_workload(spread)).records] for spread in Spread}
    assert users[Spread.STORM].count(b"user-0000000") > 500
    assert users[Spread.ZIPF].count(b"user-0000000") > 2 * users[Spread.ZIPF].count(b"user-0000003") > 0
    assert all(len(list(run)) % 3 == 0 for _, run in itertools.groupby(users[Spread.SALE]))
    once = [key for _, key, _ in made(a_workload(Spread.ONCE, users=600)).records]
    assert len(set(once)) == 600


def test_the_fewest_requests_are_counted_by_endpoint() -> None:
    """Full requests, folded users; more than ten tags of one user need a second part."""
    workload = a_workload()
    of: dict[str, Known] = {f"user-{number}": {"city": "x", "stock:1": False} for number in range(101)}
    of["user-7"] = dict.fromkeys(map(str, range(11)), True)
    assert Made(workload, [], of).fewest_requests == 1 + 1 + 1
    of["user-500"] = {"city": "x"}
    assert Made(workload, [], of).fewest_requests == 2 + 1 + 1


def test_whoever_differs_is_out_of_step() -> None:
    """A wrong value, a tag too many or too few, a user who is missing, and one whom no event names."""
    truth: dict[str, Known] = {
        user: {"city": "Shenzhen~2", "stock:1": True, "stock:2": False} for user in "abcd"
    }
    right: Known = {"city": "Shenzhen~2", "stock:1": True}
    assert out_of_step(truth, dict.fromkeys("abcd", right)) == 0
    assert out_of_step(truth, dict.fromkeys("abc", right)) == 1
    assert out_of_step(truth, dict.fromkeys("abcde", right)) == 1
    wrong: list[Known] = [{**right, "city": "Shenzhen~1"}, {**right, "stock:2": True}, {"city": "Shenzhen~2"}]
    assert out_of_step(truth, dict(zip("abcd", [*wrong, right], strict=True))) == 3


def test_a_version_of_ones_own_stands_in_the_values() -> None:
    """For who measures how long something takes."""
    truth: dict[str, Known] = {}
    events = Events(random.Random(1), truth, version=iter((7, 9)).__next__)
    events.next(CITY, "alice")
    events.next(STOCKS, "alice")
    events.next(CITY, "alice")
    assert str(truth["alice"]["city"]).endswith("~9")


def test_cpu_and_memory_of_a_process_are_found() -> None:
    """Our own, as the system counts them."""
    before, begun = used(os.getpid()), time.process_time()
    while time.process_time() - begun < 0.2:
        pass
    spent = (used(os.getpid()) - before).cpu_seconds
    assert 0.15 <= spent <= time.process_time() - begun + 0.05
    found = memory(os.getpid())
    assert 1 << 20 < found.resident <= found.peak_resident
