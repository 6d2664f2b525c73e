"""Questions about accounts that do not exist, and about one that a request names twice."""

from collections.abc import Sequence
from typing import Final

from audience_sync.chat_api.wire import Command, Family
from audience_sync.probe.answer import Answer
from audience_sync.probe.bodies import of_accounts, of_attributes, of_tags, of_users, tag
from audience_sync.probe.question import (
    Answers,
    Findings,
    Given,
    Interview,
    Needs,
    Question,
    codes_of,
    found,
    joined,
    left_open,
)

NOT_IMPORTED: Final = 70107
"""What ErrorList is documented to say of an unknown account."""

REFUSED_TWICE: Final = 90001
"""The body is of another structure."""


async def _ask_unknown_read(interview: Interview, given: Given) -> None:
    both = of_users(given.accounts[0], given.unknown)
    await interview.ask("tags of both", Command.GET_TAGS, both)
    if given.attributes:
        await interview.ask("attributes of both", Command.GET_ATTRIBUTES, both)


def _judge_unknown_read(given: Given, answers: Answers) -> Findings:
    seen = {_reading(answer, given) for answer in answers.values()}
    if len(seen) == 1 and (reading := seen.pop()) in ("empty", "omit", "refuse"):
        return found(unknown_read=reading)
    return left_open("the reads answered: " + codes_of(given.unknown, answers), "unknown_read")


def _reading(answer: Answer, given: Given) -> str | None:
    if answer.code:
        return "refuse"
    known, unknown = (
        [shown for shown in (answer.tags_of(user), answer.attributes_of(user)) if shown is not None]
        for user in (given.accounts[0], given.unknown)
    )
    if not known:
        return None
    if not unknown:
        return "omit" if answer.named == {given.unknown: NOT_IMPORTED} else None
    return "empty" if not any(unknown) and not answer.named else None


UNKNOWN_READ = Question(
    name="unknown read",
    decides=("unknown_read",),
    asks="Reads the tags and attributes of an account that exists and of one that does not, in one request.",
    most_calls=2,
    needs=Needs(family=Family.ALL_MEMBER_PUSH),
    ask=_ask_unknown_read,
    judge=_judge_unknown_read,
)


async def _ask_unknown_write(interview: Interview, given: Given) -> None:
    for who, user in (("known", given.accounts[0]), ("unknown", given.unknown)):
        await interview.ask(f"tag {who}", Command.ADD_TAGS, of_tags((user, [tag(1)])))
        if given.attributes:
            value = of_attributes((user, {given.attributes[0]: "1"}))
            await interview.ask(f"attribute {who}", Command.SET_ATTRIBUTES, value)
    await interview.ask("tags after", Command.GET_TAGS, of_users(given.unknown), whatever=True)
    check = of_accounts("CheckItem", given.unknown)
    await interview.ask("account after", Command.CHECK_ACCOUNTS, check, whatever=True)


def _judge_unknown_write(given: Given, answers: Answers) -> Findings:
    known = [answer.code_of(given.accounts[0]) for what, answer in answers.items() if what.endswith(" known")]
    writes = [answer for what, answer in answers.items() if what.endswith(" unknown")]
    decided = "accounts", "unknown_account_code"
    if any(known):
        return left_open(f"a write to an account that exists was refused too: {known}", *decided)
    codes = {answer.code_of(given.unknown) for answer in writes}
    if codes == {0}:
        return _taken(given, answers)
    if 0 in codes:
        return left_open(
            "one write was taken, another refused: " + codes_of(given.unknown, answers), *decided
        )
    said = {answer.code for answer in writes}
    if len(said) == 1 and 0 not in said:
        return found(accounts="imported", unknown_account_code=said.pop())
    why = "no request was refused: he was named, with " if said == {0} else "differs: "
    codes_told = ", ".join(map(str, sorted(codes)))
    return joined(found(accounts="imported"), left_open(why + codes_told, "unknown_account_code"))


def _taken(given: Given, answers: Answers) -> Findings:
    code = left_open("writes to an unknown account are not refused", "unknown_account_code")
    tags = answers["tags after"].tags_of(given.unknown)
    if tags and tag(1) in tags:
        return joined(found(accounts="auto"), code)
    if answers["account after"].is_imported(given.unknown) is False:
        return joined(found(accounts="imported"), code)
    why = "the write was taken, shows nowhere, and yet he exists now, or nobody says whether"
    return joined(left_open(why, "accounts"), code)


UNKNOWN_WRITE = Question(
    name="unknown write",
    decides=("accounts", "unknown_account_code"),
    asks="Adds a tag and sets an attribute of an account that exists, then of one that does not; looks who is there.",
    most_calls=6,
    needs=Needs(),
    ask=_ask_unknown_write,
    judge=_judge_unknown_write,
)


async def _ask_twice(interview: Interview, given: Given) -> None:
    user = given.accounts[0]
    await interview.ask("tags", Command.ADD_TAGS, of_tags((user, [tag(1)]), (user, [tag(2)])))
    await interview.ask("tags after", Command.GET_TAGS, of_users(user))
    if given.attributes:
        name = given.attributes[0]
        values = of_attributes((user, {name: "1"}), (user, {name: "2"}))
        await interview.ask("attributes", Command.SET_ATTRIBUTES, values)
        await interview.ask("attributes after", Command.GET_ATTRIBUTES, of_users(user))


def _judge_twice(given: Given, answers: Answers) -> Findings:
    user = given.accounts[0]
    carried = answers["tags after"].tags_of(user)
    seen = {_served(answers["tags"], carried, expected=[tag(1), tag(2)], ours={tag(1), tag(2)})}
    if "attributes" in answers:
        values = answers["attributes after"].attributes_of(user)
        value = None if values is None else [values[name] for name in given.attributes[:1] if name in values]
        seen.add(_served(answers["attributes"], value, expected=["2"], ours={"1", "2"}))
    if len(seen) == 1 and (outcome := seen.pop()) is not None:
        return found(twice=outcome)
    return left_open(
        "the requests ended in ways that do not fit together: " + codes_of(user, answers), "twice"
    )


def _served(
    answer: Answer, shown: Sequence[object] | None, *, expected: list[str], ours: set[str]
) -> str | None:
    if shown is None or answer.named:
        return None
    there = [one for one in shown if one in ours]
    if answer.code == 0 and sorted(map(str, there)) == expected:
        return "in_order"
    return "refused" if answer.code == REFUSED_TWICE and not there else None


TWICE = Question(
    name="the same user twice",
    decides=("twice",),
    asks="Names one account twice in a request, with two tags and with two values of an attribute; reads back.",
    most_calls=4,
    needs=Needs(),
    ask=_ask_twice,
    judge=_judge_twice,
)
