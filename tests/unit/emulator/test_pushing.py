"""When a push may be sent, which one it repeats, and until when it can be taken back."""

import pytest

from audience_sync.emulator.refusals import Cause, RefusedError
from audience_sync.emulator.switches import Repeated
from tests.unit.emulator.pushes import DAY_SECONDS, MIDNIGHT, Town, code


@pytest.mark.parametrize(("apart", "is_sent"), [(0.0, False), (0.999, False), (1.0, False), (1.001, True)])
def test_two_pushes_are_more_than_a_second_apart(apart: float, is_sent: bool) -> None:
    """A second exactly is not more than a second."""
    town = Town()
    town.push(1000.0, MsgRandom=1)
    if is_sent:
        town.push(1000.0 + apart, MsgRandom=2)
    else:
        with pytest.raises(RefusedError) as refused:
            town.push(1000.0 + apart, MsgRandom=2)
        assert (code(refused), refused.value.cause) == (90024, Cause.PACE)
        town.push(1001.5, MsgRandom=2)  # a refused push does not begin the second anew


def test_both_families_share_pace_and_quota() -> None:
    """They are one app's pushes."""
    town = Town(pushes_per_day=2)
    town.push(1000.0, MsgRandom=1)
    with pytest.raises(RefusedError, match="90024"):
        town.push(1000.5, MsgRandom=2, family="timpush")
    town.push(1002.0, MsgRandom=2, family="timpush")
    with pytest.raises(RefusedError, match="90047"):
        town.push(1004.0, MsgRandom=3)


def test_a_day_has_so_many_pushes() -> None:
    """One below, at, and one above; the next day has as many again."""
    town = Town(pushes_per_day=3)
    for number in range(3):
        assert town.pushing.left_today(MIDNIGHT) == 3 - number
        town.push(MIDNIGHT + 10 * number, MsgRandom=number)
    with pytest.raises(RefusedError) as refused:
        town.push(MIDNIGHT + DAY_SECONDS - 1, MsgRandom=9)
    assert (code(refused), refused.value.cause) == (90047, Cause.PACE)
    town.push(MIDNIGHT + DAY_SECONDS, MsgRandom=9)
    assert town.pushing.left_today(MIDNIGHT + DAY_SECONDS) == 2


@pytest.mark.parametrize(("hours_east", "offset_hours"), [(8, 0), (0, 8), (-5, 13), (5.5, 2.5), (14, -6)])
def test_the_day_begins_where_the_switch_says(hours_east: float, offset_hours: float) -> None:
    """In UTC+8 by default; a push in the last moment counts for the old day."""
    begins = MIDNIGHT + offset_hours * 3600
    town = Town(pushes_per_day=1, day_starts_hours_east=hours_east)
    town.push(begins - 2, MsgRandom=1)
    with pytest.raises(RefusedError, match="90047"):
        town.push(begins - 0.5, MsgRandom=2)
    town.push(begins, MsgRandom=2)


def test_no_push_is_left_where_none_is_allowed() -> None:
    """An edition without pushes."""
    with pytest.raises(RefusedError, match="90047"):
        Town(pushes_per_day=0).push(1000.0)


def test_the_sender_is_the_admin_unless_one_is_named() -> None:
    """As the receivers see it."""
    town = Town()
    town.push(1000.0, MsgRandom=1)
    town.push(1002.0, MsgRandom=2, From_Account="carol")
    assert [pushed.sender for pushed in town.pushing.sent] == ["administrator", "carol"]


def test_an_attribute_in_a_condition_is_defined() -> None:
    """One that is not is refused, and the push did not happen."""
    town = Town()
    town.people["alice"] = ({"city": "Shenzhen"}, [])
    asked = {"AttrsAnd": {"city": "Shenzhen"}}
    with pytest.raises(RefusedError) as refused:
        town.push(1000.0, Condition=asked, names=["level"])
    assert (code(refused), refused.value.cause) == (90033, Cause.STATE)
    assert "city" in refused.value.text
    with pytest.raises(RefusedError, match="90033"):
        town.push(1000.0, Condition={"AttrsOr": {"city": "x", "sex": "y"}}, names=["city"])
    town.push(1000.0, Condition=asked, names=["level", "city"])
    assert town.pushing.sent[0].to == ["alice"]


def test_a_task_has_the_form_of_the_documented_sample() -> None:
    """Five hexadecimal numbers: the moment, the app, the sender, one nobody explains, and MsgRandom."""
    first = Town().push(1_702_622_260.7, MsgRandom=12345678)
    moment, app, sender, _, random = (int(part, 16) for part in first.split("_"))
    assert (moment, app, random) == (0x657BF434, 1400000000, 12345678)
    assert sender >> 57 == 1
    assert first == Town().push(1_702_622_260.7, MsgRandom=12345678)


def test_each_task_has_its_own_name() -> None:
    """In the part nobody explains as well, so that no caller can do without it."""
    town = Town(repeat_window_seconds=0.5)
    tasks = [town.push(1000.0 + 2 * number, MsgRandom=7) for number in range(50)]
    assert len({task.split("_")[3] for task in tasks}) == 50


@pytest.mark.parametrize("window", [0.5, 1.0, 60.0, 604_800.0])
def test_a_random_is_remembered_for_the_window(window: float) -> None:
    """Seven days by default. The same task is answered and nothing is delivered again."""
    town = Town(repeat_window_seconds=window)
    town.log_in("alice", 999.0)
    first = town.push(1000.0, MsgRandom=7)
    assert town.push(1000.0, MsgRandom=7) == first
    assert town.push(1000.0 + window - 0.001, MsgRandom=7) == first
    assert (len(town.pushing.sent), town.inboxes.count) == (1, 1)
    second = town.push(1001.5 + window, MsgRandom=7)
    assert second != first
    assert town.push(1001.6 + window, MsgRandom=7) == second
    assert (len(town.pushing.sent), town.inboxes.count) == (2, 2)


def test_a_random_may_not_be_remembered_at_all() -> None:
    """A window of nothing."""
    town = Town(repeat_window_seconds=0)
    first = town.push(1000.0, MsgRandom=7)
    with pytest.raises(RefusedError, match="90024"):
        town.push(1000.0, MsgRandom=7)
    assert town.push(1002.0, MsgRandom=7) != first


def test_a_repetition_does_not_prolong_the_window() -> None:
    """It counts from the first."""
    town = Town(repeat_window_seconds=60)
    first = town.push(1000.0, MsgRandom=7)
    assert town.push(1050.0, MsgRandom=7) == first
    assert town.push(1070.0, MsgRandom=7) != first


def test_a_repetition_costs_nothing_and_is_never_too_soon() -> None:
    """Otherwise a client could not find out what became of a push whose answer it lost."""
    town = Town(pushes_per_day=1)
    first = town.push(1000.0, MsgRandom=7)
    assert town.push(1000.1, MsgRandom=7) == first
    assert town.push(1000.2, MsgRandom=7, Condition={"TagsOr": ["other"]}, family="timpush") == first
    assert town.pushing.left_today(1000.0) == 0


def test_a_repetition_may_be_refused() -> None:
    """If the switch says so."""
    town = Town(repeated=Repeated.REFUSED)
    town.push(1000.0, MsgRandom=7)
    with pytest.raises(RefusedError, match="90005"):
        town.push(1010.0, MsgRandom=7)


def test_a_task_is_revoked_once() -> None:
    """Then it is in nobody's inbox any more."""
    town = Town()
    task = town.push(1000.0, family="timpush")
    assert len(town.inboxes.waiting("alice", 1001.0)) == 1
    town.revoke(task, 1001.0)
    assert list(town.pushing.revoked) == [task]
    assert town.inboxes.waiting("alice", 1001.0) == []
    assert town.log_in("alice", 1002.0) == []
    with pytest.raises(RefusedError) as refused:
        town.revoke(task, 1010.0)
    assert code(refused) == 90050


@pytest.mark.parametrize(
    ("age", "expected"), [(0, 0), (86_399, 0), (86_400, 0), (86_400.5, 90052), (604_800, 90052)]
)
def test_a_task_can_be_revoked_for_a_day(age: float, expected: int) -> None:
    """24 hours from the push."""
    town = Town()
    task = town.push(1000.0, family="timpush")
    if expected:
        with pytest.raises(RefusedError) as refused:
            town.revoke(task, 1000.0 + age)
        assert code(refused) == expected
    else:
        town.revoke(task, 1000.0 + age)


@pytest.mark.parametrize(("apart", "is_revoked"), [(0.0, False), (0.999, False), (1.0, True), (1.5, True)])
def test_one_revocation_a_second(apart: float, is_revoked: bool) -> None:
    """At a pace of their own: pushes do not count."""
    town = Town()
    tasks = [town.push(1000.0 + 2 * number, MsgRandom=number, family="timpush") for number in range(2)]
    town.revoke(tasks[0], 1002.0)
    if is_revoked:
        town.revoke(tasks[1], 1002.0 + apart)
    else:
        with pytest.raises(RefusedError) as refused:
            town.revoke(tasks[1], 1002.0 + apart)
        assert (code(refused), refused.value.cause) == (90051, Cause.PACE)


def test_what_is_no_task_cannot_be_revoked() -> None:
    """Nor can a push of the old family, which has no withdrawal."""
    town = Town()
    task = town.push(1000.0, MsgLifeTime=60)
    for wrong in ("no task", task):
        with pytest.raises(RefusedError) as refused:
            town.revoke(wrong, 1001.0)
        assert code(refused) == 90049


def test_a_push_to_those_online_leaves_only_the_offline_push_to_revoke() -> None:
    """So it has to be said what is shown instead."""
    town = Town()
    task = town.push(1000.0, family="timpush", OnlineOnlyFlag=1)
    with pytest.raises(RefusedError) as refused:
        town.revoke(task, 1001.0)
    assert code(refused) == 90053
    town.revoke(task, 1001.0, has_offline=True)


def test_a_revoked_push_is_still_the_one_that_is_repeated() -> None:
    """Nothing is delivered by repeating it."""
    town = Town()
    task = town.push(1000.0, MsgRandom=7, family="timpush")
    town.revoke(task, 1001.0)
    assert town.push(1010.0, MsgRandom=7, family="timpush") == task
    assert town.log_in("alice", 1011.0) == []
