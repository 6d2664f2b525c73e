"""Users come when their moment does, and once."""

from audience_sync.core.changes import UserId
from audience_sync.core.schedule import Schedule
from audience_sync.core.user_state import User

ALICE, BOB, CAROL = (User(UserId(name), 0.0, 0.0) for name in ("alice", "bob", "carol"))


def test_users_come_by_their_moments_and_together_if_they_share_one() -> None:
    schedule = Schedule()
    for user, moment in ((BOB, 5.0), (ALICE, 3.0), (CAROL, 5.0)):
        schedule.put(user, moment)

    assert (schedule.next_at, list(schedule.take(4.9))) == (3.0, [ALICE])
    assert (schedule.next_at, list(schedule.take(5.0))) == (5.0, [BOB, CAROL])
    assert schedule.next_at is None


def test_only_the_last_moment_told_of_a_user_counts() -> None:
    """Earlier or later than the one before; else whoever is often put off would come more and more often."""
    schedule = Schedule()
    for user, moments in ((ALICE, (3.0, 5.0)), (BOB, (5.0, 4.0))):
        for moment in moments:
            schedule.put(user, moment)

    assert list(schedule.take(4.0)) == [BOB]
    assert list(schedule.take(9.0)) == [ALICE]


def test_who_is_put_back_meanwhile_comes_again_when_his_new_moment_does() -> None:
    schedule = Schedule()
    schedule.put(ALICE, 1.0)
    schedule.put(BOB, 2.0)
    came = []
    for user in schedule.take(4.0):
        came.append((user, user.scheduled_at))
        if user is ALICE:
            schedule.put(user, user.scheduled_at + 2.0)

    assert came == [(ALICE, 1.0), (BOB, 2.0), (ALICE, 3.0)]
