"""Calls one after the other: spaced, repeated where that is safe, given up, or the end of all asking."""

from collections.abc import Mapping
from itertools import pairwise

import pytest

from audience_sync.chat_api.errors import NO_ANSWER, ChatApiError, NotAllowed, NotReached, TryAgain
from audience_sync.chat_api.wire import Command, Family
from audience_sync.probe.bodies import Body, of_push, of_tags, of_users
from audience_sync.probe.calling import Caller, StoppedError, UnansweredError
from audience_sync.probe.question import Interview
from tests.support.clock import FakeClock

Said = int | ChatApiError

READ, WRITE = (Command.GET_TAGS, of_users("alice")), (Command.ADD_TAGS, of_tags(("bob", ["a"])))
PUSH = Command.PUSH, of_push({"TagsOr": ["a"]}, random=7, family=Family.ALL_MEMBER_PUSH)


class App:
    """An app that answers as it is told, and OK when it was told nothing more."""

    family = Family.ALL_MEMBER_PUSH

    def __init__(self, clock: FakeClock, *said: Said) -> None:
        self.clock, self.said = clock, list(said)
        self.asked: list[tuple[Command, float]] = []

    async def ask(
        self, command: Command, _body: Mapping[str, object], *, family: Family | None = None
    ) -> Mapping[str, object]:
        """The next answer."""
        assert family is None
        self.asked.append((command, self.clock.now))
        said = self.said.pop(0) if self.said else 0
        if isinstance(said, ChatApiError):
            raise said
        return {"ErrorCode": said, "ErrorInfo": "words"}


def caller_of(*said: Said, calls_per_second: float = 5.0) -> tuple[Caller, App]:
    clock = FakeClock()

    async def sleep(seconds: float) -> None:
        clock.advance(seconds)

    app = App(clock, *said)
    return Caller(app, calls_per_second=calls_per_second, now=clock, sleep=sleep), app


def gaps(app: App) -> list[float]:
    moments = [moment for _, moment in app.asked]
    return [round(after - before, 3) for before, after in pairwise(moments)]


async def test_calls_are_spaced() -> None:
    """The app has other callers."""
    caller, app = caller_of(calls_per_second=5.0)
    for _ in range(3):
        await caller.call(*READ)
    assert gaps(app) == [0.2, 0.2]
    assert caller.calls == 3


async def test_pushes_are_more_than_a_second_apart() -> None:
    """Whatever comes between them."""
    caller, app = caller_of()
    for call in (PUSH, WRITE, PUSH):
        await caller.call(*call)
    first, last = (moment for command, moment in app.asked if command is Command.PUSH)
    assert last - first == pytest.approx(2.0)


async def test_the_first_read_after_a_write_waits_where_an_app_needs_it() -> None:
    """Otherwise what is under way would count as refused."""
    caller, app = caller_of()
    caller.reading_waits_seconds = 3.0
    for call in (READ, WRITE, WRITE, READ, READ):
        await caller.call(*call)
    assert gaps(app) == [0.2, 0.2, 3.2, 0.2]


async def test_what_may_pass_later_is_repeated() -> None:
    """Three times, more slowly each time."""
    caller, app = caller_of(91000, TryAgain("add_tag", NO_ANSWER, "broken"))
    assert (await caller.call(*WRITE)).code == 0
    assert gaps(app) == [1.0, 2.0]


@pytest.mark.parametrize("said", [60007, 91000, NotReached("add_tag", NO_ANSWER, "no connection")])
async def test_what_never_passes_leaves_the_question_open(said: Said) -> None:
    """The next one may fare better."""
    caller, app = caller_of(said, said, said)
    with pytest.raises(UnansweredError):
        await caller.call(*WRITE)
    assert len(app.asked) == 3


@pytest.mark.parametrize("said", [91000, 90024, TryAgain("push", NO_ANSWER, "broken")])
async def test_a_push_is_never_repeated(said: Said) -> None:
    """It may be on its way."""
    caller, app = caller_of(said)
    with pytest.raises(UnansweredError):
        await caller.call(*PUSH)
    assert len(app.asked) == 1


@pytest.mark.parametrize("said", [70009, 60010, 90045, 60020, NotAllowed("add_tag", 403, "closed")])
async def test_what_needs_a_person_ends_the_asking(said: Said) -> None:
    """A wrong signature, asked often, blocks an account."""
    caller, app = caller_of(said)
    with pytest.raises(StoppedError) as caught:
        await caller.call(*WRITE)
    assert isinstance(caught.value.__cause__, NotAllowed)
    assert len(app.asked) == 1


@pytest.mark.parametrize(
    ("call", "code"), [(PUSH, 90045), (PUSH, 90047), (WRITE, 70398), (WRITE, 90048), (WRITE, 90033)]
)
async def test_what_stands_in_the_way_of_one_call_is_an_answer(call: tuple[Command, Body], code: int) -> None:
    """The question judges it."""
    caller, app = caller_of(code)
    assert (await caller.call(*call)).code == code
    assert len(app.asked) == 1


async def test_where_any_answer_will_do_none_ends_the_asking() -> None:
    """The other family may be closed; but what may pass later is waited for."""
    caller, app = caller_of(60009, 91000, 91000, 91000, NotAllowed("get_tag", 404, "nothing there"))
    assert (await caller.call(*READ, whatever=True)).code == 60009
    assert (await caller.call(*READ, whatever=True)).code == 91000
    with pytest.raises(UnansweredError):
        await caller.call(*READ, whatever=True)
    assert len(app.asked) == 5


async def test_who_was_written_to_is_known() -> None:
    """Also when the answer was a refusal, and whatever the shape of the body: it may have been applied."""
    caller, _ = caller_of(0, 90048, 90019)
    await caller.call(*READ)
    assert (caller.touched, caller.has_changed) == (set(), False)
    await caller.call(Command.ADD_TAGS, of_tags(("bob", ["a"]), ("carol", ["a"])))
    await caller.call(Command.ADD_TAGS, {"UserTags": {"To_Account": "dave", "Tags": ["a"]}})
    assert (caller.touched, caller.has_changed) == ({"bob", "carol", "dave"}, True)
    names_before = caller.names_touched
    await caller.call(Command.SET_ATTRIBUTE_NAMES, {"AttrNames": {"0": "asprobe1"}})
    assert (names_before, caller.names_touched) == (False, True)


async def test_a_question_makes_no_more_calls_than_planned() -> None:
    """The plan that a person agreed to is kept, whatever the answers are."""
    caller, app = caller_of()
    interview = Interview(caller, "a question", most_calls=2)
    for number in range(2):
        await interview.ask(f"look {number}", *READ)
    with pytest.raises(UnansweredError, match="more calls than"):
        await interview.ask("look again", *READ)
    assert len(app.asked) == 2


async def test_every_answer_is_evidence() -> None:
    """With what it was asked for, and under the name that the page has for the call."""
    caller, _ = caller_of(90048)
    interview = Interview(caller, "a question", most_calls=2)
    await interview.ask("add", *WRITE)
    (seen,) = interview.seen
    assert (seen.question, seen.asked, seen.command, seen.code, seen.info) == (
        "a question",
        "add",
        "im_add_tag",
        90048,
        "words",
    )
    assert interview.answers["add"].code == 90048


def test_a_rate_is_above_0() -> None:
    """Else the first call would never come."""
    with pytest.raises(ValueError, match="calls_per_second is 0"):
        caller_of(calls_per_second=0)
