"""What a person has paused: by name, until it is resumed."""

from collections.abc import Callable

import pytest

from audience_sync.core.changes import Endpoint
from audience_sync.core.pauses import NotPausableError, Pause, Pauses


def pauses() -> Pauses:
    """Two rules, which share a topic."""
    return Pauses({"city": ("city-changed",), "region": ("city-changed", "moved")})


def test_nothing_is_paused_at_the_start() -> None:
    """And so nothing is said of it."""
    none = pauses()

    assert not none
    assert list(none) == []
    assert none.reason is None
    assert all(map(none.sends_to, Endpoint))
    assert none.reads("city-changed")


def test_all_is_reading_and_sending() -> None:
    """Everything, whatever it is called."""
    paused = pauses()
    paused.pause("all", 5.0)

    assert not any(map(paused.sends_to, Endpoint))
    assert not paused.reads("anything")
    assert "all" in (paused.reason or "")
    assert paused.resume("all")
    assert paused.sends_to(Endpoint.ADD_TAGS)
    assert paused.reads("anything")


def test_an_endpoint_is_sent_nothing_and_events_are_read() -> None:
    """Its users wait, and absorb what comes."""
    paused = pauses()
    paused.pause("endpoint:add_tag", 5.0)

    assert [endpoint for endpoint in Endpoint if not paused.sends_to(endpoint)] == [Endpoint.ADD_TAGS]
    assert paused.reads("city-changed")


def test_a_rule_is_paused_where_its_events_come_from() -> None:
    """A topic is read again when no rule of it is paused any more."""
    paused = pauses()
    assert paused.pause("rule:city", 5.0) == Pause("rule:city", 5.0, ("city-changed",))
    paused.pause("rule:region", 6.0)

    assert [paused.reads(topic) for topic in ("city-changed", "moved", "other")] == [False, False, True]
    assert all(map(paused.sends_to, Endpoint))
    paused.resume("rule:region")
    assert [paused.reads(topic) for topic in ("city-changed", "moved")] == [False, True]


def test_a_repeat_changes_nothing() -> None:
    """It is paused since the first time, and resumed once."""
    paused = pauses()
    paused.pause("all", 5.0)

    assert paused.pause("all", 9.0).since == 5.0
    assert paused.resume("all")
    assert not paused.resume("all")


@pytest.mark.parametrize("what", ["", "add_tag", "endpoint:add_tags", "rule:", "rule:town", "ALL"])
def test_what_is_not_there_is_not_paused(what: str) -> None:
    """The message names what could be meant."""
    acts: list[Callable[[], object]] = [lambda: pauses().pause(what, 5.0), lambda: pauses().resume(what)]
    for act in acts:
        with pytest.raises(NotPausableError) as caught:
            act()
        assert repr(what) in str(caught.value)
        assert "rule:region" in str(caught.value)
        assert "endpoint:add_tag" in str(caught.value)


def test_new_rules_let_no_pause_lapse() -> None:
    """A rule that is gone stays paused where it was; one that is there, where it is now."""
    paused = pauses()
    paused.pause("rule:city", 5.0)
    paused.pause("rule:region", 5.0)
    paused.take({"region": ("moved",)})

    assert list(paused) == [
        Pause("rule:city", 5.0, ("city-changed",)),
        Pause("rule:region", 5.0, ("moved",)),
    ]
    assert not paused.reads("city-changed")
    assert paused.resume("rule:city")
    assert paused.reads("city-changed")
    with pytest.raises(NotPausableError):
        paused.pause("rule:city", 6.0)
