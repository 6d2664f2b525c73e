"""What is repeated, for how long, and how the one user is found for whom a request is refused."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

import pytest

from audience_sync.chat_api import (
    ChatApiError,
    Found,
    NotAllowed,
    NotReached,
    Refusal,
    Refused,
    RenewSignature,
    SlowDown,
    TryAgain,
)
from audience_sync.commands.chat.requests import AT_ONCE, Call, Patience, all_of, narrowed
from audience_sync.core.changes import UserId
from audience_sync.core.limits import USERS_PER_REQUEST
from audience_sync.core.verdicts import SETTLING_SECONDS
from tests.support.clock import on_virtual_time, virtual_now

LATER: Final = Refusal(91000, "", again=True)
UNKNOWN: Final = Refusal(70107, "", again=False)

Answer = ChatApiError | Mapping[str, Refusal]
"""How a request ends: not confirmed, or with these users refused."""


class Api:
    """Answers requests in turn; when it has nothing more to say, all is well. Keeps what it was asked, and when."""

    def __init__(self, *answers: Answer) -> None:
        self._answers: Iterator[Answer] = iter(answers)
        self.asked: list[list[str]] = []
        self.moments: list[float] = []

    async def __call__(self, users: Mapping[str, str]) -> Found[str]:
        """One request."""
        self.asked.append(list(users))
        self.moments.append(virtual_now())
        answer = next(self._answers, {})
        if isinstance(answer, ChatApiError):
            raise answer
        return Found({user: said for user, said in users.items() if user not in answer}, dict(answer))


def patience(seconds: float, told: Callable[[str], None] = lambda _: None) -> Patience:
    """On the loop's clock; chance spreads nothing."""
    return Patience(seconds, clock=virtual_now, sleep=asyncio.sleep, chance=lambda: 0.0, tell=told)


def called(
    api: Call[str, str], *users: str, seconds: float = 60.0, told: Callable[[str], None] = print
) -> Found[str]:
    """What comes of calling for users."""

    async def main() -> Found[str]:
        return await patience(seconds, told).call(api, dict.fromkeys(users, "x"))

    return on_virtual_time(main())


@pytest.mark.parametrize(
    "failure",
    [
        TryAgain("add_tag", 91000, ""),
        SlowDown("add_tag", 60007, ""),
        NotReached("add_tag", -1, "no connection"),
    ],
)
def test_what_may_pass_later_is_repeated_until_it_does(failure: ChatApiError) -> None:
    """A person should not have to type it again."""
    api = Api(failure, failure)

    assert called(api, "alice").of == {"alice": "x"}
    assert len(api.asked) == 3


@pytest.mark.parametrize(
    "failure",
    [Refused("add_tag", 90001, ""), NotAllowed("add_tag", 60010, ""), RenewSignature("add_tag", 70001, "")],
)
def test_what_would_be_refused_again_is_not_repeated(failure: ChatApiError) -> None:
    """It would only take time."""
    api = Api(failure)
    with pytest.raises(type(failure)):
        called(api, "alice")
    assert len(api.asked) == 1


def test_patience_ends_with_what_the_last_try_said() -> None:
    """And nothing is tried after it has ended."""
    api = Api(*(SlowDown("add_tag", 60007, f"try {number}") for number in range(100)))

    with pytest.raises(SlowDown) as caught:
        called(api, "alice", seconds=10.0)

    assert 3 < len(api.asked) < 10
    assert caught.value.info == f"try {len(api.asked) - 1}"
    assert api.moments[-1] - api.moments[0] <= 10.0
    waits = [later - earlier for earlier, later in zip(api.moments, api.moments[1:], strict=False)]
    assert waits == sorted(waits)


def test_patience_is_for_all_tries_of_a_request_together() -> None:
    """Whether the whole is to come later, or some of its users."""
    later: list[Answer] = [{"bob": LATER}] * 5
    api = Api(*later, *(SlowDown("add_tag", 60007, "") for _ in range(100)))
    with pytest.raises(SlowDown):
        called(api, "alice", "bob", seconds=10.0)
    assert api.moments[-1] - api.moments[0] <= 10.0


def test_no_patience_is_one_try() -> None:
    """For scripts that repeat by themselves."""
    api = Api(TryAgain("add_tag", 91000, ""))
    with pytest.raises(TryAgain):
        called(api, "alice", seconds=0.0)
    assert len(api.asked) == 1


def test_an_ambiguous_end_is_waited_out() -> None:
    """The server may still be applying the request; a definite end needs no such wait."""
    ambiguous = Api(TryAgain("add_tag", 91000, ""))
    definite = Api(SlowDown("add_tag", 60007, ""))

    called(ambiguous, "alice")
    called(definite, "alice")

    assert ambiguous.moments[1] - ambiguous.moments[0] >= SETTLING_SECONDS
    assert definite.moments[1] - definite.moments[0] < 1.0


def test_only_users_who_may_pass_later_are_repeated() -> None:
    """The others are done, or refused for good."""
    api = Api({"bob": LATER, "carol": UNKNOWN}, {"bob": LATER})

    found = called(api, "alice", "bob", "carol")

    assert api.asked == [["alice", "bob", "carol"], ["bob"], ["bob"]]
    assert (sorted(found.of), found.refused) == (["alice", "bob"], {"carol": UNKNOWN})


def test_users_who_do_not_pass_in_time_are_refused() -> None:
    """With the code that was said last."""
    api = Api(*({"bob": LATER} for _ in range(100)))
    found = called(api, "alice", "bob", seconds=5.0)
    assert (list(found.of), found.refused) == (["alice"], {"bob": LATER})


def test_each_wait_is_told() -> None:
    """A person sees why nothing happens."""
    told: list[str] = []
    called(Api(SlowDown("add_tag", 60007, "too fast"), {"bob": LATER}), "bob", told=told.append)
    assert told == [
        "add_tag answered 60007: too fast; again in 0.2 s",
        "1 user refused for now; again in 0.2 s",
    ]


class Picky:
    """Refuses a request as a whole when certain users are in it, as `all_member_push` may."""

    def __init__(self, *bad: str, code: int = 90048) -> None:
        self._bad, self._code = set(bad), code
        self.asked: list[Sequence[str]] = []

    async def __call__(self, users: Mapping[str, str]) -> Found[str]:
        """One request."""
        self.asked.append(list(users))
        await asyncio.sleep(0)
        if self._bad & users.keys():
            raise Refused("add_tag", self._code, "")
        return Found(dict(users), {})


def narrow(api: Call[str, str], count: int = USERS_PER_REQUEST) -> Found[str]:
    """What comes of one request."""
    users = {f"user-{number}": "x" for number in range(count)}
    return asyncio.run(narrowed(api, users, turn=asyncio.Lock()))


@pytest.mark.parametrize("bad", [["user-0"], ["user-99"], ["user-3", "user-4", "user-70"]])
@pytest.mark.parametrize("code", [90048, 99_999])
def test_users_for_whom_a_request_is_refused_are_found(bad: list[str], code: int) -> None:
    """By halving; all others are confirmed. An unknown code may be about a user too."""
    api = Picky(*bad, code=code)

    found = narrow(api)

    assert sorted(found.refused) == sorted(bad)
    assert {refusal.code for refusal in found.refused.values()} == {code}
    assert len(found.of) == USERS_PER_REQUEST - len(bad)
    assert len(api.asked) <= 1 + 14 * len(bad)


def test_a_request_that_is_wrong_is_not_halved() -> None:
    """Its code is about no user."""
    api = Picky("user-0", code=90001)
    with pytest.raises(Refused):
        narrow(api)
    assert len(api.asked) == 1


def test_when_all_of_a_full_request_are_refused_it_is_not_the_users() -> None:
    """The rest of a large file would be refused one by one."""
    everybody = [f"user-{number}" for number in range(USERS_PER_REQUEST)]
    with pytest.raises(Refused):
        narrow(Picky(*everybody))
    assert sorted(narrow(Picky(*everybody), count=3).refused) == ["user-0", "user-1", "user-2"]


def test_users_named_in_a_refusal_are_believed() -> None:
    """The others are tried without them."""
    api = Api(Refused("add_tag", 90048, "", named={UserId("bob"): UNKNOWN}))

    async def main() -> Found[str]:
        return await narrowed(api, {"alice": "x", "bob": "x"}, turn=asyncio.Lock())

    assert on_virtual_time(main()).refused == {"bob": UNKNOWN}
    assert api.asked == [["alice", "bob"], ["alice"]]


class Busy:
    """Takes a second for each request, and keeps how many were under way."""

    def __init__(self, fails_at: int | None = None) -> None:
        self._fails_at = fails_at
        self.under_way = self.most = self.calls = 0

    async def __call__(self, users: Mapping[str, str]) -> Found[str]:
        """One request."""
        self.calls += 1
        number = self.calls
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(1.0 + number / 100)
        self.under_way -= 1
        if number == self._fails_at:
            raise NotAllowed("add_tag", 60010, "")
        return Found(dict(users), {})


def test_requests_of_a_piece_are_under_way_together() -> None:
    """Several at once, each with as many users as it takes, each user in one."""
    api, done = Busy(), dict[str, str]()
    users = {f"user-{number}": "x" for number in range(30 * USERS_PER_REQUEST + 1)}

    on_virtual_time(all_of(api, users, done=lambda _, said: done.update(said.of)))

    assert done == users
    assert (api.calls, api.most) == (31, AT_ONCE)


def test_the_first_failure_ends_it_and_what_was_done_is_known() -> None:
    """Nothing new starts after it."""
    api, done = Busy(fails_at=3), list[int]()
    users = {f"user-{number}": "x" for number in range(30 * USERS_PER_REQUEST)}

    with pytest.raises(NotAllowed):
        on_virtual_time(all_of(api, users, done=lambda count, _: done.append(count)))

    assert done == [USERS_PER_REQUEST] * 2
    assert api.calls <= AT_ONCE + 3


def test_one_request_is_halved_at_a_time() -> None:
    """Were all of them halved together, it would be seen late that it is not the users."""
    everybody = {f"user-{number}": "x" for number in range(20 * USERS_PER_REQUEST)}
    api = Picky(*everybody)
    with pytest.raises(Refused):
        asyncio.run(all_of(api, everybody, done=lambda *_: None))
    assert len(api.asked) <= AT_ONCE + 2 * USERS_PER_REQUEST


def test_one_call_alone_is_repeated_too() -> None:
    """Calls that are for no users: names of attributes."""
    answers: Iterator[ChatApiError | int] = iter([SlowDown("get_attr_name", 60007, ""), 7])

    async def call() -> int:
        answer = next(answers)
        if isinstance(answer, ChatApiError):
            raise answer
        return answer

    assert on_virtual_time(patience(5.0).once(partial(call))) == 7
