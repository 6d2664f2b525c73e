"""Questions about the app's ten slots for attribute names. The app's own names stand in every definition."""

from audience_sync.chat_api.wire import Command
from audience_sync.probe.bodies import OWN_NAMES, of_attributes, of_users
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

FIRST, SECOND, RENAMED = OWN_NAMES


def _own(given: Given) -> tuple[str, str]:
    own = given.slots.own
    assert own is not None, "the question needs slots of its own"
    return own


async def _ask_names(interview: Interview, given: Given) -> None:
    first, second = _own(given)
    define = Command.SET_ATTRIBUTE_NAMES
    await interview.ask("define the first", define, given.slots.body({first: FIRST}))
    await interview.ask("leave it out", define, given.slots.body({second: SECOND}))
    await interview.ask("names after", Command.GET_ATTRIBUTE_NAMES, {})
    await interview.ask("define both", define, given.slots.body({first: FIRST, second: SECOND}))


def _judge_names(given: Given, answers: Answers) -> Findings:
    first, second = _own(given)
    for what, answer in answers.items():
        if answer.code:
            return left_open(f"{what}: {answer.code} {answer.info}", "names")
    names = answers["names after"].attribute_names or {}
    without_ours = {slot: name for slot, name in names.items() if slot not in (first, second)}
    if names.get(second) != SECOND or without_ours != given.slots.of_the_app:
        return left_open(f"not what was defined: {names}", "names")
    match names.get(first):
        case None:
            return found(names="overwrite")
        case name if name == FIRST:
            return found(names="merge")
        case name:
            return left_open(f"the slot that was left out is called {name!r}", "names")


NAMES = Question(
    name="slots left out",
    decides=("names",),
    asks=f"Defines `{FIRST}` in a free slot, then `{SECOND}` in another, leaving out the first; reads the names.",
    most_calls=4,
    needs=Needs(own_slots=True),
    ask=_ask_names,
    judge=_judge_names,
)


async def _ask_renamed(interview: Interview, given: Given) -> None:
    first, second = _own(given)
    user, define = given.accounts[0], Command.SET_ATTRIBUTE_NAMES
    await interview.ask("set", Command.SET_ATTRIBUTES, of_attributes((user, {FIRST: "1"})))
    await interview.ask("before", Command.GET_ATTRIBUTES, of_users(user))
    await interview.ask("rename", define, given.slots.body({first: RENAMED, second: SECOND}))
    await interview.ask("after", Command.GET_ATTRIBUTES, of_users(user))
    await interview.ask("rename back", define, given.slots.body({first: FIRST, second: SECOND}))


def _judge_renamed(given: Given, answers: Answers) -> Findings:
    user = given.accounts[0]
    before, after = (answers[what].attributes_of(user) for what in ("before", "after"))
    if code := answers["rename"].code:
        return left_open(f"another name was refused with {code}", "renamed")
    if before is None or after is None or before.get(FIRST) != "1":
        return left_open("the attribute could not be set, or not be read", "renamed")
    if after.get(RENAMED) == "1" and FIRST not in after:
        return found(renamed="kept")
    if RENAMED not in after and FIRST not in after:
        return found(renamed="dropped")
    return left_open(f"after it has another name, the account has {after}", "renamed")


RENAMED_SLOT = Question(
    name="renamed slot",
    decides=("renamed",),
    asks=f"Sets `{FIRST}`, gives its slot the name `{RENAMED}`, reads the attributes, and gives the name back.",
    most_calls=5,
    needs=Needs(own_slots=True, attributes=1),
    ask=_ask_renamed,
    judge=_judge_renamed,
)
