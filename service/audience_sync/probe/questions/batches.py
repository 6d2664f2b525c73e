"""Questions about a request in which one user can't be served: what becomes of the others."""

from audience_sync.chat_api.wire import Command, Family
from audience_sync.core.limits import TAGS_PER_USER
from audience_sync.probe.answer import Answer
from audience_sync.probe.bodies import of_attributes, of_tags, of_users, tag, tags
from audience_sync.probe.question import (
    Answers,
    Findings,
    Given,
    Interview,
    Needs,
    Question,
    codes_of,
    found,
    left_open,
)
from audience_sync.probe.questions.tags import fill


async def _ask_batch(interview: Interview, given: Given) -> None:
    left, right = given.accounts[:2]
    for number, users in ((1, (left, given.unknown, right)), (2, (right, given.unknown, left))):
        body = of_tags(*((user, [tag(number)]) for user in users))
        await interview.ask(f"tags {number}", Command.ADD_TAGS, body)
    await interview.ask("tags after", Command.GET_TAGS, of_users(left, right))
    if given.attributes:
        values = ((user, {given.attributes[0]: "1"}) for user in (left, given.unknown, right))
        await interview.ask("attributes", Command.SET_ATTRIBUTES, of_attributes(*values))
        await interview.ask("attributes after", Command.GET_ATTRIBUTES, of_users(left, right))


def _judge_batch(given: Given, answers: Answers) -> Findings:
    left, right = given.accounts[:2]
    carried = {user: answers["tags after"].tags_of(user) for user in (left, right)}
    valued = {}
    if "attributes" in answers:
        valued = {user: answers["attributes after"].attributes_of(user) for user in (left, right)}
    if None in (*carried.values(), *valued.values()):
        return left_open("what became of the others could not be read", "batch")
    seen = {
        _kind(
            answers[f"tags {number}"],
            before=tag(number) in (carried[before] or ()),
            after=tag(number) in (carried[after] or ()),
            bad=given.unknown,
        )
        for number, before, after in ((1, left, right), (2, right, left))
    }
    if valued:
        before, after = (given.attributes[0] in (valued[user] or ()) for user in (left, right))
        seen.add(_kind(answers["attributes"], before=before, after=after, bad=given.unknown))
    return _batch(seen, codes_of(given.unknown, answers))


def _kind(answer: Answer, *, before: bool, after: bool, bad: str) -> str | None:
    """What a request became, by who was served of those before and after the bad user."""
    match answer.code != 0, before, after:
        case True, False, False:
            return "reject"
        case True, True, False:
            return "prefix"
        case False, True, True if not answer.named:
            return "ignore"
        case False, True, True if list(answer.named) == [bad]:
            return "partial"
        case _:
            return None


def _batch(seen: set[str | None], told: str) -> Findings:
    """The one kind that all requests had."""
    if len(seen) == 1 and (kind := seen.pop()) is not None:
        return found(batch=kind)
    return left_open(f"the requests ended in ways that do not fit together: {told}", "batch")


BATCH = Question(
    name="unknown user in a batch",
    decides=("batch",),
    asks="Writes to two accounts with an unknown one between them, tags in both orders and an attribute; reads back.",
    most_calls=5,
    needs=Needs(accounts=2, found={"accounts": "imported"}, family=Family.ALL_MEMBER_PUSH),
    ask=_ask_batch,
    judge=_judge_batch,
)


def _three(given: Given) -> tuple[str, str, str]:
    full = given.bare[0]
    left, right = [user for user in given.accounts if user != full][:2]
    return left, full, right


async def _ask_full_batch(interview: Interview, given: Given) -> None:
    left, full, right = _three(given)
    await fill(interview, full, 1, TAGS_PER_USER)
    one_more = tag(TAGS_PER_USER + 1)
    for number, users in ((1, (left, full, right)), (2, (right, full, left))):
        body = of_tags(*((user, [one_more if user == full else tag(number)]) for user in users))
        await interview.ask(f"tags {number}", Command.ADD_TAGS, body)
    await interview.ask("after", Command.GET_TAGS, of_users(left, full, right))


def _judge_full_batch(given: Given, answers: Answers) -> Findings:
    left, full, right = _three(given)
    carried = {user: answers["after"].tags_of(user) for user in (left, full, right)}
    if set(carried[full] or ()) != set(tags(1, TAGS_PER_USER)) or None in carried.values():
        return left_open("a full account could not be had, or not be read", "batch")
    seen = {
        _kind(
            answers[f"tags {number}"],
            before=tag(number) in (carried[before] or ()),
            after=tag(number) in (carried[after] or ()),
            bad=full,
        )
        for number, before, after in ((1, left, right), (2, right, left))
    }
    return _batch(seen, codes_of(full, answers))


FULL_BATCH = Question(
    name="full user in a batch",
    decides=("batch",),
    asks="Where unknown accounts come into being: the same with one that has a hundred tags and gets one more.",
    most_calls=13,
    needs=Needs(
        accounts=3, bare=1, found={"accounts": "auto", "overfull": "refused"}, family=Family.ALL_MEMBER_PUSH
    ),
    ask=_ask_full_batch,
    judge=_judge_full_batch,
)
