"""What the emulator knows afterwards: overlaps, the busiest second, counts, and faults that struck."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_sync.emulator.api import Api, Arrival
from audience_sync.emulator.faults import FailNext, FaultSettings
from audience_sync.emulator.overlaps import Overlap
from audience_sync.emulator.pace import Pace
from tests.support.emulator import path_of
from tests.unit.emulator.given import NOW, SIGNED, an_api, ask, attributes, code, outcome, tags


def begin(api: Api, *, left: bool = False) -> Arrival:
    return api.arrive(path_of("im_add_tag"), NOW, lambda: left)


def name(api: Api, arrival: Arrival, *users: str) -> None:
    body = {"UserTags": [{"To_Account": user, "Tags": ["t"]} for user in users]}
    api.decide(arrival, method="POST", query=SIGNED, body=json.dumps(body).encode(), now=NOW)


def end(api: Api, arrival: Arrival) -> None:
    api.leave(arrival, NOW, answered=True)


def test_a_user_in_two_open_requests_is_an_overlap() -> None:
    """Over all endpoints; other users in them are none."""
    api = an_api()
    first = begin(api)
    name(api, first, "a", "b")
    assert code(api, "im_set_attr", attributes("a", sex="x")) == 0
    assert code(api, "im_set_attr", attributes("c", sex="x")) == 0
    assert api.overlaps.found == [Overlap("a", "im_add_tag", "im_set_attr")]
    end(api, first)
    assert code(api, "im_set_attr", attributes("b", sex="x")) == 0
    assert api.overlaps.count == 1


def test_a_request_is_open_from_its_headers_on() -> None:
    """Its body may come after the other request was answered; the overlap was there all the same."""
    api = an_api()
    slow = begin(api)
    assert code(api, "im_set_attr", attributes("a", sex="x")) == 0
    assert api.overlaps.found == []
    name(api, slow, "a")
    end(api, slow)
    assert api.overlaps.found == [Overlap("a", "im_set_attr", "im_add_tag")]


def test_one_after_the_other_is_no_overlap() -> None:
    """Whatever else is open meanwhile."""
    api = an_api()
    other = begin(api)
    name(api, other, "z")
    for _ in range(3):
        request = begin(api)
        name(api, request, "a")
        end(api, request)
    end(api, other)
    assert api.overlaps.found == []


def test_a_caller_who_left_has_no_open_request() -> None:
    """A client that gave up waiting may send again; one that was killed cannot say goodbye."""
    api = an_api()
    abandoned = begin(api, left=True)
    name(api, abandoned, "a")
    again = begin(api)
    name(api, again, "a")
    api.leave(abandoned, NOW, answered=False)
    end(api, again)
    assert api.overlaps.found == []


def test_a_caller_who_left_counts_no_more_when_the_next_body_comes() -> None:
    """Its end was no answer, so nothing was under way for the client when it sent again."""
    api = an_api()
    abandoned = begin(api, left=True)
    name(api, abandoned, "a")
    again = begin(api)
    api.leave(abandoned, NOW, answered=False)
    name(api, again, "a")
    end(api, again)
    assert api.overlaps.found == []


def test_a_refused_request_overlaps_too() -> None:
    """It is the client that had one user in two requests, whatever the answers are."""
    api = an_api(calls_per_second=1)
    first = begin(api)
    name(api, first, "a")
    assert code(api, "im_add_tag", tags("a", "t")) == 60007
    assert len(api.overlaps.found) == 1


def test_reading_a_user_is_no_overlap() -> None:
    """It changes nothing."""
    api = an_api()
    first = begin(api)
    name(api, first, "a")
    assert code(api, "im_get_tag", {"To_Account": ["a"]}) == 0
    assert api.overlaps.found == []


def test_the_pace_is_kept_for_each_endpoint() -> None:
    """As many at once as the rate, then as many as time has brought; refusals are counted."""
    api = an_api(calls_per_second=10)
    codes = [code(api, "im_add_tag", tags("a", "t"), now=NOW) for _ in range(12)]
    assert codes == [0] * 10 + [60007] * 2
    assert code(api, "im_remove_tag", tags("a", "t"), now=NOW) == 0
    assert code(api, "im_add_tag", tags("a", "t"), now=NOW + 0.099) == 60007
    assert code(api, "im_add_tag", tags("a", "t"), now=NOW + 0.101) == 0
    assert api.counters.refused == {60007: 3}
    assert api.counters.broken_limits == []
    assert api.counters.calls == {"im_add_tag": 14, "im_remove_tag": 1}
    assert api.most_calls_in_a_second() == {"im_add_tag": 14, "im_remove_tag": 1}


def test_a_long_pause_saves_up_no_more_than_one_second_of_calls() -> None:
    """The bucket is as large as the rate."""
    pace = Pace(4)
    assert [pace.arrive(now) for now in (0.0, 100.0, 100.0, 100.0, 100.0, 100.0)] == [True] * 5 + [False]


def test_calls_a_second_apart_are_in_two_seconds() -> None:
    """A second holds its end and not its beginning."""
    pace = Pace(4)
    for now in (0.0, 0.5, 1.0, 1.5):
        pace.arrive(now)
    assert pace.most_in_a_second == 2


@given(st.lists(st.floats(min_value=0, max_value=2), max_size=60))
def test_the_busiest_second_is_what_counting_every_second_finds(pauses: list[float]) -> None:
    """The window holds its end and not its beginning; permits never exceed the rate."""
    pace, now, moments = Pace(5), 100.0, list[float]()
    passed = 0
    for pause in pauses:
        now += pause
        moments.append(now)
        passed += pace.arrive(now)
    busiest = max((sum(end - 1.0 < moment <= end for moment in moments) for end in moments), default=0)
    assert pace.most_in_a_second == busiest
    assert passed <= 5 + 5 * (now - 100.0) + 1e-6


def test_what_was_sent_is_counted() -> None:
    """Users, requests by size, refusals by code; and all of it anew after a reset."""
    api = an_api()
    two = {"UserTags": [{"To_Account": user, "Tags": ["t"]} for user in ("a", "b")]}
    for body in (two, two, tags("c", "t"), {}, tags("c", "x" * 51)):
        ask(api, "im_add_tag", body)
    assert api.counters.calls == {"im_add_tag": 5}
    assert api.counters.users_per_request == {"im_add_tag": {2: 2, 1: 1}}
    assert api.counters.user_parts == {"im_add_tag": 5}
    assert api.counters.users == 5
    assert api.counters.refused == {90019: 1, 90034: 1}
    assert [broken.code for broken in api.counters.broken_limits] == [90019, 90034]
    assert [(seen.endpoint, seen.users, seen.code) for seen in api.last][-3:] == [
        ("im_add_tag", ["c"], 0),
        ("im_add_tag", [], 90019),
        ("im_add_tag", [], 90034),
    ]
    held = api.counters.broken_limits
    api.reset_counters()
    assert held == []
    assert api.counters == type(api.counters)()
    assert api.store.user("c").tags == ["t"]


@pytest.mark.parametrize(
    ("kind", "answered", "applied"),
    [
        ("code:91000", 91000, False),
        ("code_after:91000", 91000, True),
        ("http:502", None, False),
        ("reset", 0, True),
        ("stall:3", 0, True),
    ],
)
def test_each_kind_of_fault(kind: str, answered: int | None, applied: bool) -> None:
    """What it answers, and whether the request was applied; the request after it is served as usual."""
    api = an_api()
    api.faults.change(FaultSettings(fail_next=[FailNext(kind, "im_add_tag")]))
    assert code(api, "im_remove_tag", tags("b", "t")) == 0
    result = outcome(api, "im_add_tag", json.dumps(tags("a", "t")).encode())
    assert (api.store.user("a").tags == ["t"]) == applied
    assert api.last[-1].code == answered
    assert result.resets == (kind == "reset")
    assert result.wait_seconds == (3 if kind == "stall:3" else 0)
    if answered is None:
        assert (result.status, result.content_type) == (502, "text/html")
        assert result.body.startswith(b"<html>")
    else:
        assert json.loads(result.body)["ErrorCode"] == answered
    assert api.counters.faults == {kind: 1}
    assert code(api, "im_add_tag", tags("a", "t")) == 0


def test_faults_come_in_the_order_of_the_list_and_as_often_as_it_says() -> None:
    """Then chance has its turn, and a broken limit is never hidden by a fault."""
    api = an_api()
    faults = [FailNext("code:91000", count=2), FailNext("code:60008")]
    api.faults.change(FaultSettings(fail_next=faults, chance={"code:90994": 1.0}))
    assert code(api, "im_add_tag", tags("a", "x" * 51)) == 90034
    assert [code(api, "im_add_tag", tags("a", "t")) for _ in range(5)] == [91000, 91000, 60008, 90994, 90994]
    assert faults[0].count == 2
    api.faults.change(FaultSettings(chance={}))
    assert code(api, "im_add_tag", tags("a", "t")) == 0


def test_chance_is_the_same_for_the_same_seed() -> None:
    """So that a failing test can be run again."""

    def codes(seed: int) -> list[int]:
        api = an_api()
        api.faults.change(FaultSettings(chance={"code:91000": 0.5}, seed=seed))
        return [code(api, "im_add_tag", tags("a", "t")) for _ in range(64)]

    assert codes(1) == codes(1)
    assert codes(1) != codes(2)
    assert set(codes(1)) == {0, 91000}


@pytest.mark.parametrize(
    "settings",
    [
        FaultSettings(fail_next=[FailNext("nonsense")]),
        FaultSettings(fail_next=[FailNext("code")]),
        FaultSettings(fail_next=[FailNext("code:0")]),
        FaultSettings(fail_next=[FailNext("code:x")]),
        FaultSettings(fail_next=[FailNext("http:200")]),
        FaultSettings(fail_next=[FailNext("reset:1")]),
        FaultSettings(fail_next=[FailNext("stall:-1")]),
        FaultSettings(fail_next=[FailNext("stall:nan")]),
        FaultSettings(fail_next=[FailNext("stall:")]),
        FaultSettings(fail_next=[FailNext("reset", "im_nothing")]),
        FaultSettings(fail_next=[FailNext("reset", count=0)]),
        FaultSettings(chance={"reset": 1.1}),
        FaultSettings(chance={"nonsense": 0.5}),
        FaultSettings(latency_seconds=-1.0),
        FaultSettings(latency_seconds=float("inf")),
    ],
)
def test_faults_that_cannot_be(settings: FaultSettings) -> None:
    """They are refused with their name, and nothing changes."""
    api = an_api()
    before = api.faults.now_set()
    with pytest.raises(ValueError, match=r"."):
        api.faults.change(settings)
    assert api.faults.now_set() == before
