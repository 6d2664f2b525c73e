"""A request that is refused as a whole: the bad user is found and given up, and nobody else suffers for it."""

import asyncio
from collections.abc import Callable

import pytest

from audience_sync.chat_api.errors import TryAgain
from audience_sync.core.changes import (
    AddTag,
    Endpoint,
    RemoveAllTags,
    RemoveTag,
    Request,
    SetAttribute,
    UserId,
)
from audience_sync.core.doubt import ASK_AFTER_SECONDS, LONE_REFUSALS, LONGEST_DOUBT_SECONDS
from audience_sync.core.verdicts import (
    REFUSED_USER,
    UNKNOWN_ACCOUNT,
    Outcome,
    Refusal,
    UnknownAccounts,
    Verdict,
)
from tests.support.clock import on_virtual_time
from tests.support.deliveries import NO_ANSWER, OK, STOPPED, Deliveries
from tests.support.tenures import TIMES, a_tenure

REFUSED = Verdict(outcome=Outcome.REFUSED, code=90046, reason="add_tag answered 90046: too many tags")
UNKNOWN = Verdict(outcome=Outcome.REFUSED, code=70107, reason="add_tag answered 70107: no such account")
UNDEFINED = Verdict(outcome=Outcome.REFUSED, code=90033, reason="set_attr answered 90033: not defined")
EXTRA_CALLS = 15
"""At most so many beyond the one that was refused: the promise."""


def refusing(*bad: str, verdict: Verdict = REFUSED) -> Callable[[Request], Verdict]:
    """An API that refuses every request with one of *bad* in it."""
    return lambda request: verdict if request.parts.keys() & set(bad) else OK


def a_hundred(deliveries: Deliveries) -> list[str]:
    users = [f"user-{number:02}" for number in range(100)]
    for user in users:
        deliveries.tell(user, urgent=True)
    return users


@pytest.mark.parametrize("place", [0, 1, 42, 49, 50, 98, 99])
def test_one_bad_user_of_a_hundred_is_found_in_fifteen_calls_and_given_up_alone(place: int) -> None:
    """Wherever he stands, and though nobody says who he is."""

    async def main() -> None:
        bad = f"user-{place:02}"
        deliveries = Deliveries(refusing(bad))
        async with deliveries.running():
            a_hundred(deliveries)
            await asyncio.sleep(60)

        assert [user for user, _ in deliveries.given_up] == [bad]
        assert deliveries.causes == [REFUSED_USER]
        assert deliveries.settled
        assert deliveries.rounds == 100
        assert len(deliveries.sent) - 1 + deliveries.accounts_asked <= EXTRA_CALLS
        assert not deliveries.halt

    on_virtual_time(main())


def test_a_user_who_does_not_exist_is_found_by_asking_once() -> None:
    """The other 99 leave together, he alone: four calls, not fifteen."""

    async def main() -> None:
        deliveries = Deliveries(refusing("user-42", verdict=UNKNOWN))
        deliveries.absent = {"user-42"}
        async with deliveries.running():
            a_hundred(deliveries)
            await asyncio.sleep(60)

        assert [user for user, _ in deliveries.given_up] == ["user-42"]
        assert deliveries.causes == [UNKNOWN_ACCOUNT]
        assert sorted(len(request.parts) for _, request in deliveries.sent) == [1, 99, 100]
        assert deliveries.accounts_asked == 2

    on_virtual_time(main())


def test_a_user_whom_the_refusal_names_is_not_looked_for() -> None:
    async def main() -> None:
        named = {UserId("user-07"): Refusal(90046, "too many", again=False)}

        def answer(request: Request) -> Verdict:
            if "user-07" not in request.parts:
                return OK
            return Verdict(outcome=Outcome.REFUSED, code=90046, refused=named)

        deliveries = Deliveries(answer)
        async with deliveries.running():
            a_hundred(deliveries)
            await asyncio.sleep(60)

        assert [user for user, _ in deliveries.given_up] == ["user-07"]
        assert sorted(len(request.parts) for _, request in deliveries.sent) == [1, 1, 99, 100]

    on_virtual_time(main())


def test_what_arrives_meanwhile_leaves_with_the_repeat() -> None:
    """No stale value is sent while the bad user is looked for."""

    async def main() -> None:
        deliveries = Deliveries(refusing("bad"))
        async with deliveries.running():
            deliveries.tell("good", SetAttribute("city", "old"), urgent=True)
            deliveries.tell("bad", SetAttribute("city", "x"), urgent=True)
            await asyncio.sleep(0.2)
            deliveries.tell("good", SetAttribute("city", "new"), urgent=True)
            await asyncio.sleep(60)

        values = [request.parts[UserId("good")] for _, request in deliveries.sent if "good" in request.parts]
        assert values == [{"city": "old"}, {"city": "new"}]

    on_virtual_time(main())


def test_a_user_who_was_given_up_travels_alone_for_a_while() -> None:
    """His next change costs three calls, not another search: himself, one who shows that others pass, himself."""

    async def main() -> None:
        deliveries = Deliveries(refusing("user-42"))
        async with deliveries.running():
            a_hundred(deliveries)
            await asyncio.sleep(60)
            deliveries.sent.clear()
            a_hundred(deliveries)
            await asyncio.sleep(60)

        assert sorted(len(request.parts) for _, request in deliveries.sent) == [1, 1, 1, 99]
        assert [user for user, _ in deliveries.given_up] == ["user-42", "user-42"]

    on_virtual_time(main())


def test_a_failure_of_the_whole_gives_nobody_up_and_ends_by_itself() -> None:
    """A name that is not defined refuses everybody: three users alone are enough to know."""

    async def main() -> None:
        deliveries = Deliveries(lambda _: UNDEFINED)
        async with deliveries.running():
            a_hundred(deliveries)
            await asyncio.sleep(30)
            assert deliveries.halt.reason == UNDEFINED.reason
            calls = len(deliveries.sent)
            await asyncio.sleep(300)
            assert len(deliveries.sent) - calls <= 8, "it looks again at growing intervals"
            assert all(len(request.parts) == 1 for _, request in deliveries.sent[calls:])

            deliveries.answer = lambda _: OK
            await asyncio.sleep(120)

        assert not deliveries.given_up
        assert deliveries.settled
        assert "went on" in deliveries.seen

    on_virtual_time(main())


def test_a_stop_is_looked_at_with_a_user_who_was_confirmed_before() -> None:
    """Whoever waits may be bad himself."""

    async def main() -> None:
        deliveries = Deliveries()
        async with deliveries.running():
            deliveries.tell("good", urgent=True)
            await asyncio.sleep(1)
            deliveries.answer = lambda _: UNDEFINED
            for number in range(LONE_REFUSALS):
                deliveries.tell(f"user-{number}", urgent=True)
                await asyncio.sleep(1)
            assert deliveries.halt
            deliveries.sent.clear()
            deliveries.answer = lambda request: OK if "good" in request.parts else UNDEFINED
            await asyncio.sleep(60)

        first = deliveries.sent[0][1]
        assert first == Request(Endpoint.ADD_TAGS, {UserId("good"): ["a"]})
        assert not deliveries.halt
        assert len(deliveries.given_up) == LONE_REFUSALS

    on_virtual_time(main())


def test_a_stop_by_its_code_is_looked_at_with_a_witness_too() -> None:
    """Nobody's change is spent on finding out."""

    async def main() -> None:
        deliveries = Deliveries()
        async with deliveries.running():
            deliveries.tell("good", urgent=True)
            await asyncio.sleep(1)
            deliveries.answer = lambda _: STOPPED
            deliveries.tell("waiting", urgent=True)
            await asyncio.sleep(1)
            deliveries.sent.clear()
            await asyncio.sleep(10)

        assert [list(request.parts) for _, request in deliveries.sent[:1]] == [["good"]]

    on_virtual_time(main())


def test_with_bad_users_alone_a_stop_waits_for_others_to_be_read() -> None:
    """Otherwise nobody could ever end it: whoever looks is refused for himself."""

    async def main() -> None:
        bad = [f"bad-{number}" for number in range(LONE_REFUSALS)]
        deliveries = Deliveries(refusing(*bad))
        async with deliveries.running():
            for user in bad:
                deliveries.tell(user, urgent=True)
            await asyncio.sleep(10)
            assert deliveries.halt
            assert deliveries.halt.wants_others
            deliveries.tell("good", urgent=True)
            await asyncio.sleep(120)

        assert not deliveries.halt
        assert sorted(user for user, _ in deliveries.given_up) == bad
        assert deliveries.settled

    on_virtual_time(main())


def test_bad_users_alone_on_a_quiet_endpoint_are_given_up_once_another_one_passes() -> None:
    """Until then nobody can know whether it is they or the whole."""

    async def main() -> None:
        deliveries = Deliveries(refusing("bad", "worse"))
        async with deliveries.running():
            deliveries.tell("bad", urgent=True)
            await asyncio.sleep(1)
            deliveries.tell("worse", urgent=True)
            await asyncio.sleep(300)
            assert not deliveries.given_up
            assert not deliveries.halt
            assert not deliveries.settled
            deliveries.tell("good", urgent=True)
            await asyncio.sleep(1)

        assert sorted(user for user, _ in deliveries.given_up) == ["bad", "worse"]
        assert deliveries.settled

    on_virtual_time(main())


def test_doubt_is_settled_by_asking_with_a_user_who_was_confirmed_before() -> None:
    """A lone bad user does not hold his position until the next event."""

    async def main() -> None:
        deliveries = Deliveries(refusing("bad"))
        async with deliveries.running():
            deliveries.tell("good", urgent=True)
            await asyncio.sleep(1)
            deliveries.tell("bad", urgent=True)
            await asyncio.sleep(ASK_AFTER_SECONDS + 2)

        assert [user for user, _ in deliveries.given_up] == ["bad"]
        assert deliveries.settled
        assert len(deliveries.sent_to("good")) == 2

    on_virtual_time(main())


def test_a_lone_user_who_was_refused_in_passing_is_sent_again_and_given_up_by_nobody() -> None:
    """Where nobody else can tell whether the endpoint works, he may pass by now."""

    async def main() -> None:
        answers = iter([REFUSED, REFUSED])
        deliveries = Deliveries(lambda _: next(answers, OK))
        async with deliveries.running():
            deliveries.tell("alice", urgent=True)
            await asyncio.sleep(60)

        assert len(deliveries.sent) == 3
        assert not deliveries.given_up
        assert deliveries.settled

    on_virtual_time(main())


def test_a_lone_bad_user_is_asked_again_at_growing_intervals_but_not_for_ever() -> None:
    """He holds his position meanwhile, and costs next to nothing."""

    async def main() -> None:
        deliveries = Deliveries(refusing("bad"))
        async with deliveries.running():
            deliveries.tell("bad", urgent=True)
            await asyncio.sleep(LONGEST_DOUBT_SECONDS - 30)
            assert not deliveries.given_up
            await asyncio.sleep(120)

        assert 5 <= len(deliveries.sent) <= 16
        assert not deliveries.halt
        assert [user for user, _ in deliveries.given_up] == ["bad"]
        assert deliveries.settled

    on_virtual_time(main())


def test_a_user_who_was_confirmed_elsewhere_after_it_is_a_witness_all_the_same() -> None:
    """Nearly everybody has something to say after his tags; without him, a lone bad user would wait ten minutes."""

    async def main() -> None:
        deliveries = Deliveries(refusing("bad"))
        async with deliveries.running():
            deliveries.tell("good", AddTag("a"), SetAttribute("city", "Shenzhen"), urgent=True)
            await asyncio.sleep(5)
            deliveries.tell("bad", urgent=True)
            await asyncio.sleep(2 * ASK_AFTER_SECONDS)

        assert [user for user, _ in deliveries.given_up] == ["bad"]
        assert deliveries.settled
        assert len(deliveries.sent_to("good")) == 3

    on_virtual_time(main())


def test_nobody_loses_his_tags_to_be_a_witness() -> None:
    """The removal of all tags is not sent again to a user who got some after it."""

    async def main() -> None:
        deliveries = Deliveries(refusing("bad"))
        async with deliveries.running():
            deliveries.tell(
                "good", RemoveAllTags(), AddTag("a"), SetAttribute("city", "Shenzhen"), urgent=True
            )
            await asyncio.sleep(5)
            deliveries.tell("bad", RemoveAllTags(), urgent=True)
            await asyncio.sleep(100)

        removals = [
            r for _, r in deliveries.sent if r.endpoint is Endpoint.REMOVE_ALL_TAGS and "good" in r.parts
        ]
        assert len(removals) == 1

    on_virtual_time(main())


def test_a_witness_who_has_changed_since_is_no_witness() -> None:
    """His old value must not be sent again."""

    async def main() -> None:
        deliveries = Deliveries(refusing("bad"))
        async with deliveries.running():
            deliveries.tell("good", SetAttribute("city", "old"), urgent=True)
            await asyncio.sleep(1)
            deliveries.tell("good", AddTag("vip"), SetAttribute("city", "new"), urgent=True)
            await asyncio.sleep(1)
            deliveries.tell("bad", SetAttribute("city", "x"), urgent=True)
            await asyncio.sleep(30)

        values = [request.parts[UserId("good")] for _, request in deliveries.sent if "good" in request.parts]
        cities = [value for value in values if isinstance(value, dict)]
        assert cities[:2] == [{"city": "old"}, {"city": "new"}]
        assert all(city == {"city": "new"} for city in cities[1:])
        assert [user for user, _ in deliveries.given_up] == ["bad"]

    on_virtual_time(main())


def test_a_user_in_doubt_takes_what_arrives_and_it_is_sent_when_the_doubt_is_over() -> None:
    """The broken tag is replaced before anybody has passed: nothing is given up."""

    async def main() -> None:
        deliveries = Deliveries(
            lambda request: (
                REFUSED if request == Request(Endpoint.ADD_TAGS, {UserId("bad"): ["broken"]}) else OK
            )
        )
        async with deliveries.running():
            deliveries.tell("bad", AddTag("broken"), urgent=True)
            await asyncio.sleep(1)
            deliveries.tell("bad", RemoveTag("broken"), urgent=True)
            await asyncio.sleep(1)
            assert len(deliveries.sent) == 1
            deliveries.tell("good", urgent=True)
            await asyncio.sleep(5)

        assert not deliveries.given_up
        assert deliveries.sent[-1][1] == Request(Endpoint.REMOVE_TAGS, {UserId("bad"): ["broken"]})
        assert deliveries.settled

    on_virtual_time(main())


def test_three_unknown_accounts_in_a_row_are_no_failure_of_the_whole() -> None:
    """The API says that they do not exist, so it is not the endpoint."""

    async def main() -> None:
        bad = [f"unknown-{number}" for number in range(LONE_REFUSALS + 2)]
        deliveries = Deliveries(refusing(*bad, verdict=UNKNOWN))
        deliveries.absent = set(bad)
        async with deliveries.running():
            for user in bad:
                deliveries.tell(user, urgent=True)
                await asyncio.sleep(1)
            await asyncio.sleep(10)

        assert sorted(user for user, _ in deliveries.given_up) == bad
        assert not deliveries.halt

    on_virtual_time(main())


def test_users_who_do_not_exist_yet_are_not_given_up_for_what_is_wrong_with_the_whole() -> None:
    """Some apps make a user on the first write: that he is missing does not explain every code."""

    async def main() -> None:
        deliveries = Deliveries(lambda _: UNDEFINED)
        async with deliveries.running():
            deliveries.absent = set(a_hundred(deliveries))
            await asyncio.sleep(30)
            assert deliveries.halt
            deliveries.answer = lambda _: OK
            await asyncio.sleep(120)

        assert not deliveries.given_up
        assert deliveries.settled

    on_virtual_time(main())


def test_a_short_failure_of_the_whole_gives_nobody_up_when_it_is_over() -> None:
    """That others pass now says nothing of the moment when he was refused: so he is sent once more."""

    async def main() -> None:
        deliveries = Deliveries(lambda _: UNDEFINED)
        async with deliveries.running():
            deliveries.tell("alice", urgent=True)
            await asyncio.sleep(1)
            deliveries.tell("bob", urgent=True)
            await asyncio.sleep(1)
            deliveries.answer = lambda _: OK
            deliveries.tell("carol", urgent=True)
            await asyncio.sleep(10)

        assert not deliveries.given_up
        assert deliveries.settled

    on_virtual_time(main())


def test_an_answer_that_was_long_under_way_blames_nobody_for_a_failure_that_began_meanwhile() -> None:
    """It may have been judged when it left. That others passed before the failure says nothing of who met it."""

    async def main() -> None:
        deliveries = Deliveries()
        async with deliveries.running():
            deliveries.answer_seconds = 8.0
            deliveries.tell("slow", urgent=True)
            await asyncio.sleep(1)
            deliveries.answer_seconds = 0.2
            deliveries.answer = lambda request: OK if request is deliveries.sent[0][1] else UNDEFINED
            deliveries.tell("alice", urgent=True)
            await asyncio.sleep(30)
            assert "in doubt: 90033" in deliveries.seen
            deliveries.answer = lambda _: OK
            await asyncio.sleep(120)

        assert not deliveries.given_up
        assert deliveries.settled

    on_virtual_time(main())


def test_a_refusal_with_another_code_is_not_the_second_one() -> None:
    """His neighbour was bad before; now the whole has failed. Only the same code twice is about himself."""

    async def main() -> None:
        as_usual = refusing("bad")
        deliveries = Deliveries(lambda request: as_usual(request) if len(request.parts) > 1 else UNDEFINED)
        async with deliveries.running():
            for user in ("alice", "bob", "carol", "bad"):
                deliveries.tell(user, urgent=True)
            await asyncio.sleep(30)
            assert [len(request.parts) for _, request in deliveries.sent[:5]] == [4, 2, 2, 1, 1]
            assert not deliveries.given_up
            deliveries.answer = as_usual
            await asyncio.sleep(120)

        assert [user for user, _ in deliveries.given_up] == ["bad"]
        assert deliveries.settled

    on_virtual_time(main())


def test_a_stop_ends_when_the_only_one_who_can_look_is_refused_for_something_else() -> None:
    """He is bad, and what stopped all others is over."""

    async def main() -> None:
        deliveries = Deliveries(lambda _: STOPPED)
        async with deliveries.running():
            deliveries.tell("bad", urgent=True)
            await asyncio.sleep(1)
            assert deliveries.halt
            deliveries.tell("good", SetAttribute("city", "Shenzhen"), urgent=True)
            deliveries.answer = refusing("bad")
            await asyncio.sleep(30)

        assert not deliveries.halt
        assert len(deliveries.sent_to("good")) == 1
        assert not deliveries.given_up, "nobody else has passed there"

    on_virtual_time(main())


def test_a_stop_is_looked_at_by_whoever_comes_to_its_endpoint_after_another_one() -> None:
    """Bad users alone stand there; the others have tags to lose first, and would wait for ever."""

    async def main() -> None:
        bad = [f"bad-{number}" for number in range(LONE_REFUSALS)]
        deliveries = Deliveries(refusing(*bad))
        async with deliveries.running():
            for user in bad:
                deliveries.tell(user, urgent=True)
            await asyncio.sleep(10)
            assert deliveries.halt
            deliveries.tell("good", RemoveTag("old"), AddTag("new"), urgent=True)
            await asyncio.sleep(120)

        assert not deliveries.halt
        assert sorted(user for user, _ in deliveries.given_up) == bad
        assert deliveries.settled

    on_virtual_time(main())


def test_one_name_that_is_not_defined_gives_nobody_up_while_another_is_in_use() -> None:
    """That others' city passes says nothing of the tier."""

    async def main() -> None:
        def answer(request: Request) -> Verdict:
            names = {name for part in request.parts.values() for name in part}
            return UNDEFINED if "tier" in names else OK

        deliveries = Deliveries(answer)
        async with deliveries.running():
            for number in range(40):
                deliveries.tell(f"tiered-{number}", SetAttribute("tier", "gold"))
                deliveries.tell(f"moved-{number}", SetAttribute("city", "Shenzhen"))
                await asyncio.sleep(0.3)
            await asyncio.sleep(30)
            assert deliveries.halt
            assert deliveries.halt.names == {"tier"}
            assert not deliveries.given_up
            deliveries.answer = lambda _: OK
            await asyncio.sleep(120)

        assert not deliveries.given_up
        assert deliveries.settled

    on_virtual_time(main())


def test_a_bad_value_is_found_though_only_a_witness_speaks_of_its_name() -> None:
    """Traffic about other names neither blames nor saves its user."""

    async def main() -> None:
        def answer(request: Request) -> Verdict:
            return UNDEFINED if {"tier": "odd"} in request.parts.values() else OK

        deliveries = Deliveries(answer)
        async with deliveries.running():
            deliveries.tell("good", SetAttribute("tier", "gold"), urgent=True)
            await asyncio.sleep(1)
            deliveries.tell("bad", SetAttribute("tier", "odd"), urgent=True)
            for number in range(100):
                deliveries.tell(f"moved-{number}", SetAttribute("city", "Shenzhen"), urgent=True)
                await asyncio.sleep(0.1)
            await asyncio.sleep(5)

        assert [user for user, _ in deliveries.given_up] == ["bad"]
        assert deliveries.settled
        assert len(deliveries.sent_to("good")) == 2

    on_virtual_time(main())


def test_everybody_named_is_nobody_confirmed() -> None:
    """An answer that names all of its users is no proof that the endpoint works."""

    async def main() -> None:
        def answer(request: Request) -> Verdict:
            refusal = Refusal(90033, "not defined", again=False)
            return Verdict(outcome=Outcome.CONFIRMED, refused=dict.fromkeys(request.parts, refusal))

        deliveries = Deliveries(answer)
        async with deliveries.running():
            a_hundred(deliveries)
            await asyncio.sleep(30)
            assert deliveries.halt
            deliveries.answer = lambda _: OK
            await asyncio.sleep(120)

        assert not deliveries.given_up
        assert deliveries.settled

    on_virtual_time(main())


def test_an_unknown_account_can_be_dropped_and_is_counted() -> None:
    async def main() -> None:
        deliveries = Deliveries(refusing("unknown", verdict=UNKNOWN), unknown=UnknownAccounts.DROP)
        deliveries.absent = {"unknown"}
        async with deliveries.running():
            deliveries.tell("unknown", urgent=True)
            await asyncio.sleep(10)

        assert (deliveries.dropped, deliveries.given_up) == (1, [])
        assert deliveries.settled

    on_virtual_time(main())


def test_an_unknown_account_can_be_imported_and_sent_again() -> None:
    async def main() -> None:
        deliveries = Deliveries(unknown=UnknownAccounts.IMPORT)
        deliveries.absent = {"unknown"}
        deliveries.answer = lambda request: UNKNOWN if request.parts.keys() & deliveries.absent else OK
        async with deliveries.running():
            a_hundred(deliveries)
            deliveries.tell("unknown", urgent=True)
            await asyncio.sleep(10)

        assert deliveries.imports == ["unknown"]
        assert deliveries.given_up == []
        assert deliveries.settled

    on_virtual_time(main())


def test_an_import_that_does_not_help_ends_in_the_dead_letters() -> None:
    """Not in a circle."""

    async def main() -> None:
        refusal = Refusal(70107, "unknown", again=False)

        def answer(request: Request) -> Verdict:
            named = {user: refusal for user in request.parts if user == "unknown"}
            return Verdict(outcome=Outcome.CONFIRMED, refused=named)

        deliveries = Deliveries(answer, unknown=UnknownAccounts.IMPORT)
        async with deliveries.running():
            deliveries.tell("good", urgent=True)
            deliveries.tell("unknown", urgent=True)
            await asyncio.sleep(1)
            deliveries.tell("good", urgent=True)
            await asyncio.sleep(10)

        assert deliveries.imports == ["unknown"]
        assert [user for user, _ in deliveries.given_up] == ["unknown"]
        assert deliveries.settled

    on_virtual_time(main())


def test_the_end_of_a_tenure_does_not_wait_for_a_question_about_accounts() -> None:
    """Partitions must be handed over in time; the next owner asks anew."""

    async def main() -> None:
        deliveries = Deliveries(refusing("bad"))
        async with deliveries.running():
            deliveries.tell("bad", urgent=True)
            deliveries.tell("good", urgent=True)
            await asyncio.sleep(1.5 * deliveries.answer_seconds + TIMES.fill_seconds)
            assert deliveries.accounts_asked == 1
            before = asyncio.get_running_loop().time()
            await deliveries.delivery.end(deliveries.tenure)
            assert asyncio.get_running_loop().time() - before < deliveries.answer_seconds / 2
            deliveries.tenure = a_tenure(asyncio.get_running_loop().time())
            deliveries.delivery.begin(deliveries.tenure, share=1.0)
            await asyncio.sleep(5)

        assert not deliveries.given_up

    on_virtual_time(main())


def test_a_check_without_an_answer_is_made_again() -> None:
    """Otherwise a short trouble of the API would make an unknown user a doubtful one."""

    async def main() -> None:
        deliveries = Deliveries(refusing("unknown", verdict=UNKNOWN))
        deliveries.absent = {"unknown"}

        def trouble() -> None:
            if deliveries.accounts_asked == 1:
                raise TryAgain("account_check", 91000, "internal")

        deliveries.accounts_answer = trouble
        async with deliveries.running():
            deliveries.tell("unknown", urgent=True)
            await asyncio.sleep(30)

        assert [user for user, _ in deliveries.given_up] == ["unknown"]

    on_virtual_time(main())


def test_a_search_that_meets_no_answer_goes_on_when_there_are_some() -> None:
    async def main() -> None:
        answers = iter([REFUSED, NO_ANSWER, NO_ANSWER])
        deliveries = Deliveries(lambda request: next(answers, refusing("user-42")(request)))
        async with deliveries.running():
            a_hundred(deliveries)
            await asyncio.sleep(120)

        assert [user for user, _ in deliveries.given_up] == ["user-42"]
        assert deliveries.settled

    on_virtual_time(main())
