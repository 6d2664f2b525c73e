"""Ready users cut into requests."""

from audience_sync.core.batches import ReadyUsers
from audience_sync.core.changes import Endpoint, UserId

ADD, REMOVE = Endpoint.ADD_TAGS, Endpoint.REMOVE_TAGS


def user(number: int) -> UserId:
    return UserId(f"user-{number}")


def test_a_request_names_a_hundred_users_the_oldest_first() -> None:
    ready = ReadyUsers(fill_seconds=0.1)
    for number in range(150):
        ready.add(user(number), ADD, now=number)

    assert list(ready.take(ADD)) == [user(number) for number in range(100)]
    assert list(ready.take(ADD)) == [user(number) for number in range(100, 150)]
    assert list(ready.take(ADD)) == []


def test_a_request_is_worth_a_permit_when_full_or_when_its_oldest_user_has_waited_enough() -> None:
    ready = ReadyUsers(fill_seconds=0.1)
    assert ready.worth_cutting_at(ADD) is None

    for number in range(99):
        ready.add(user(number), ADD, now=5.0)
    assert ready.worth_cutting_at(ADD) == 5.1
    ready.add(user(99), ADD, now=5.05)

    assert ready.worth_cutting_at(ADD) == 5.0


def test_endpoints_have_queues_of_their_own() -> None:
    ready = ReadyUsers(fill_seconds=0.1)
    ready.add(user(1), ADD, now=5.0)
    ready.add(user(2), REMOVE, now=6.0)

    assert [ready.waiting(endpoint) for endpoint in (ADD, REMOVE)] == [1, 1]
    assert list(ready.take(REMOVE)) == [user(2)]


def test_who_changes_queues_does_not_lose_his_age() -> None:
    """Else a user who changes all the time would never be worth a permit."""
    ready = ReadyUsers(fill_seconds=0.1)
    ready.add(user(1), ADD, now=5.0)

    ready.move(user(1), ADD, REMOVE)

    assert ready.worth_cutting_at(ADD) is None
    assert ready.worth_cutting_at(REMOVE) == 5.1
