"""What the emulator knows afterwards: overlaps, the busiest second, counts, and faults that struck."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_sync.emulator.api import Api, Arrival
from audience_sync.emulator.faults import FailNext, FaultSettings
from audience_sync.emulator.outcome import Cut, Later
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
    api.faults.change(FaultSettings(fail_next=[FailNext(kind, "im_add_tag")]), now=NOW)
    assert code(api, "im_remove_tag", tags("b", "t")) == 0
    result = outcome(api, "im_add_tag", json.dumps(tags("a", "t")).encode())
    assert (api.store.user("a").tags == ["t"]) == applied
    assert (api.last[-1].code, api.last[-1].fault) == (answered, kind)
    assert (result.cut is Cut.INSTEAD) == (kind == "reset")
    assert result.wait_seconds == (3 if kind == "stall:3" else 0)
    if answered is None:
        assert (result.status, result.content_type) == (502, "text/html")
        assert result.body.startswith(b"<html>")
    else:
        assert json.loads(result.body)["ErrorCode"] == answered
    assert api.counters.faults == {kind: 1}
    assert code(api, "im_add_tag", tags("a", "t")) == 0


def test_a_broken_limit_is_never_hidden_by_a_fault() -> None:
    """And does not use it up; a refusal of the stored state does."""
    api = an_api()
    api.faults.change(FaultSettings(fail_next=[FailNext("code:91000")]), now=NOW)
    assert code(api, "im_add_tag", tags("a", "x" * 51)) == 90034
    assert code(api, "im_set_attr", attributes("a", age="7")) == 91000
    assert code(api, "im_set_attr", attributes("a", age="7")) == 90033


def test_a_fault_that_delays_applies_late() -> None:
    """Not before its time has come; what is stored then decides."""
    api = an_api()
    api.faults.change(FaultSettings(fail_next=[FailNext("delay:5")]), now=NOW)
    arrival = api.arrive(path_of("im_add_tag"), NOW)
    body = json.dumps(tags("a", "t")).encode()
    decided = api.decide(arrival, method="POST", query=SIGNED, body=body, now=NOW)
    assert isinstance(decided, Later)
    assert (decided.wait_seconds, api.store.user("a").tags) == (5, [])
    api.bad_users = {"a": 70107}
    assert json.loads(decided.then(NOW + 5).body)["ErrorCode"] == 70107
    api.bad_users = {}
    assert json.loads(decided.then(NOW + 5).body)["ErrorCode"] == 0
    assert api.store.user("a").tags == ["t"]
