"""Questions about reading back, both families, deleted accounts, and callers who are no administrators."""

from typing import Final

from audience_sync.chat_api.wire import Command, Family
from audience_sync.probe.bodies import of_accounts, of_attributes, of_tags, of_users, tag
from audience_sync.probe.calling import StoppedError
from audience_sync.probe.question import (
    Answers,
    Findings,
    Given,
    Interview,
    Needs,
    Question,
    found,
    left_open,
)

NOT_ADMIN: Final = frozenset({60010, 90009, 70403})
"""The codes that say "for administrators only"."""

LOOKS: Final = 6
"""So often a new tag is looked for, before it is said that reads do not show what was written."""

BETWEEN_LOOKS_SECONDS: Final = 1.0

LATER_SECONDS: Final = 5.0
"""After this, what is still there of a deleted account is taken to stay."""


async def _ask_freshness(interview: Interview, given: Given) -> None:
    user = given.accounts[0]
    await interview.ask("add", Command.ADD_TAGS, of_tags((user, [tag(1)])))
    for look in range(LOOKS):
        answer = await interview.ask(f"look {look}", Command.GET_TAGS, of_users(user))
        if tag(1) in (answer.tags_of(user) or ()):
            interview.caller.reading_waits_seconds = 2 * look * BETWEEN_LOOKS_SECONDS
            return
        await interview.caller.sleep(BETWEEN_LOOKS_SECONDS)
    raise StoppedError(
        f"a tag that was added to {user} could not be read for {LOOKS * BETWEEN_LOOKS_SECONDS:g} s, and every"
        f" question needs that; adding it was answered {interview.answers['add'].code_of(user)}"
    )


FRESHNESS = Question(
    name="reading back",
    decides=(),
    asks="Adds a tag and reads until it shows. Where that takes a while, every later read waits twice as long.",
    most_calls=LOOKS + 1,
    needs=Needs(),
    ask=_ask_freshness,
    judge=lambda _given, _answers: Findings(),
)


async def _ask_stores(interview: Interview, given: Given) -> None:
    user = given.accounts[0]
    await interview.ask("add", Command.ADD_TAGS, of_tags((user, [tag(1)])))
    await interview.ask("read", Command.GET_TAGS, of_users(user))
    other = Family.TIMPUSH if given.family is Family.ALL_MEMBER_PUSH else Family.ALL_MEMBER_PUSH
    await interview.ask("read with the other", Command.GET_TAGS, of_users(user), family=other, whatever=True)


def _judge_stores(given: Given, answers: Answers) -> Findings:
    user = given.accounts[0]
    if tag(1) not in (answers["read"].tags_of(user) or ()):
        return left_open("a tag could not be added, or not be read", "stores")
    other = answers["read with the other"]
    seen = other.tags_of(user)
    if seen is None:
        return left_open(f"the other family does not show the account: {other.code_of(user)}", "stores")
    return found(stores="one" if tag(1) in seen else "separate")


STORES = Question(
    name="both families",
    decides=("stores",),
    asks="Adds a tag with one family of commands and reads it with the other.",
    most_calls=3,
    needs=Needs(),
    ask=_ask_stores,
    judge=_judge_stores,
)


async def _ask_not_admin(interview: Interview, given: Given) -> None:
    await interview.ask("names", Command.GET_ATTRIBUTE_NAMES, {}, via=given.other_chat, whatever=True)


def _judge_not_admin(_: Given, answers: Answers) -> Findings:
    answer = answers["names"]
    if answer.code in NOT_ADMIN:
        return found(not_admin_code=answer.code)
    why = "was let in: an administrator" if answer.code == 0 else f"answered {answer.code} {answer.info}"
    return left_open(why, "not_admin_code")


NOT_ADMINISTRATOR = Question(
    name="no administrator",
    decides=("not_admin_code",),
    asks="Reads the attribute names with a signature for somebody who is no administrator.",
    most_calls=1,
    needs=Needs(permission="other"),
    ask=_ask_not_admin,
    judge=_judge_not_admin,
)


async def _ask_deleted(interview: Interview, given: Given) -> None:
    user = given.permissions.delete or ""
    await interview.ask("add", Command.ADD_TAGS, of_tags((user, [tag(1)])))
    if given.attributes:
        value = of_attributes((user, {given.attributes[0]: "1"}))
        await interview.ask("set", Command.SET_ATTRIBUTES, value)
    await interview.ask("before", Command.GET_TAGS, of_users(user))
    await interview.ask("delete", Command.DELETE_ACCOUNTS, of_accounts("DeleteItem", user), whatever=True)
    await interview.caller.sleep(LATER_SECONDS)
    await interview.ask("tags after", Command.GET_TAGS, of_users(user), whatever=True)
    if given.attributes:
        await interview.ask("attributes after", Command.GET_ATTRIBUTES, of_users(user), whatever=True)


def _judge_deleted(given: Given, answers: Answers) -> Findings:
    user = given.permissions.delete or ""
    if code := answers["delete"].deletion_code_of(user):
        return left_open(f"the deletion was answered {code}", "deleted")
    if tag(1) not in (answers["before"].tags_of(user) or ()):
        return left_open("a tag could not be added before, or not be read", "deleted")
    is_there = {tag(1) in (answers["tags after"].tags_of(user) or ())}
    if "attributes after" in answers:
        is_there.add(given.attributes[0] in (answers["attributes after"].attributes_of(user) or ()))
    if len(is_there) == 2:
        return left_open("of tags and attributes, one is still there and one is gone", "deleted")
    return found(deleted="kept" if is_there.pop() else "forgotten")


DELETED = Question(
    name="deleted account",
    decides=("deleted",),
    asks="Gives an account a tag and an attribute, deletes it, and reads. Its id is gone for three months.",
    most_calls=6,
    needs=Needs(permission="delete"),
    ask=_ask_deleted,
    judge=_judge_deleted,
)
