"""What each kind of fault does to a request: applied or not, answered how, and when."""

import json

import pytest

from audience_sync.emulator.effects import KINDS, effect_of
from audience_sync.emulator.faults import FailNext, FaultSettings
from audience_sync.emulator.outcome import Cut
from tests.unit.emulator.given import NOW, an_api, code, outcome, tags

ROWS = [
    # kind, applied, status, code that can be read, seconds before and after applying, cut
    ("delay:5", True, 200, 0, (5, 0), Cut.NO),
    ("stall:3", True, 200, 0, (0, 3), Cut.NO),
    ("timeout", False, 200, 60008, (0, 3), Cut.NO),
    ("timeout_after", True, 200, 60008, (0, 3), Cut.NO),
    ("code:91000", False, 200, 91000, (0, 0), Cut.NO),
    ("code_after:91000", True, 200, 91000, (0, 0), Cut.NO),
    ("http:502", False, 502, None, (0, 0), Cut.NO),
    ("http_after:502", True, 502, None, (0, 0), Cut.NO),
    ("reset_before", False, 200, 0, (0, 0), Cut.INSTEAD),
    ("reset", True, 200, 0, (0, 0), Cut.INSTEAD),
    ("half", True, 200, 0, (0, 0), Cut.HALFWAY),
    ("garbage", True, 200, None, (0, 0), Cut.NO),
]


def test_the_table_has_every_kind() -> None:
    """One that is added is missed here."""
    assert [kind.partition(":")[0] for kind, *_ in ROWS] == list(KINDS)


@pytest.mark.parametrize("family", ["", "timpush/"])
@pytest.mark.parametrize(("kind", "applied", "status", "answered", "seconds", "cut"), ROWS)
def test_each_kind(
    kind: str,
    applied: bool,
    status: int,
    answered: int | None,
    seconds: tuple[float, float],
    cut: Cut,
    family: str,
) -> None:
    """In both families, once, and with the next request served as usual."""
    endpoint = f"{family}add_tag" if family else "im_add_tag"
    api = an_api()
    api.faults.change(FaultSettings(fail_next=[FailNext(kind, endpoint)]), now=NOW)
    assert code(api, "im_remove_tag", tags("b", "t")) == 0
    result = outcome(api, endpoint, json.dumps(tags("a", "t")).encode())
    assert (api.store.user("a").tags == ["t"]) is applied
    assert (result.status, result.cut) == (status, cut)
    assert (effect_of(kind).delay_seconds, result.wait_seconds) == seconds
    assert (api.last[-1].code, api.last[-1].fault) == (answered, kind)
    if answered is None:
        with pytest.raises(ValueError, match=r"."):
            json.loads(result.body)
    else:
        assert json.loads(result.body)["ErrorCode"] == answered
    assert result.content_type == ("text/html" if status == 502 else "application/json")
    assert api.counters.faults == {kind: 1}
    assert code(api, endpoint, tags("c", "t")) == 0


def test_latency_comes_on_top_of_a_stall() -> None:
    """They are two things that one may ask for at once."""
    api = an_api(latency_seconds=0.5)
    api.faults.change(FaultSettings(fail_next=[FailNext("stall:2")]), now=NOW)
    assert outcome(api, "im_add_tag", json.dumps(tags("a", "t")).encode()).wait_seconds == 2.5


def test_the_fault_of_some_users_spares_the_others() -> None:
    """Named by the request, not by what is stored."""
    api = an_api()
    api.faults.change(FaultSettings(fail_next=[FailNext("code:91000", users=["b"], count=2)]), now=NOW)
    assert [code(api, "im_add_tag", tags(user, "t")) for user in "abc"] == [0, 91000, 0]
    assert code(api, "im_get_tag", {"To_Account": ["a", "b"]}) == 91000


def test_a_burst_ends_by_the_clock_of_the_requests() -> None:
    """As when too many calls are refused for some seconds, or a signature is not taken any more for a while."""
    api = an_api()
    api.faults.change(FaultSettings(fail_next=[FailNext("code:70001", for_seconds=2)]), now=NOW)
    codes = [code(api, "im_add_tag", tags("a", "t"), now=NOW + later) for later in (0, 1.9, 2.1)]
    assert codes == [70001, 70001, 0]
