"""Questions about bodies: which shapes are taken, and what is said of the others."""

from typing import Final

from audience_sync.chat_api.wire import Command
from audience_sync.probe.bodies import of_attributes, of_users, tag
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

MISSHAPEN: Final = {"set": 90019, "add": 90019, "remove attribute": 90021, "remove tag": 90021, "read": 90023}
"""{call: its own code for a body of a wrong shape}; from a draft of the pages."""

STRUCTURE: Final = 90001
"""The general one."""

INVALID_ATTRIBUTE: Final = 90033

NO_STRINGS: Final = {"number": (7, "7"), "boolean": (True, "true"), "null": (None, "null")}
"""{kind: (a value that is no string, the text that JSON has for it)}."""


async def _ask_structure(interview: Interview, given: Given) -> None:
    user = given.accounts[0]
    tagged = {"To_Account": user, "Tags": [tag(1)]}
    valued = {"To_Account": user, "Attrs": dict.fromkeys(given.attributes[:1], "1")}
    await interview.ask("set", Command.SET_ATTRIBUTES, {"UserAttrs": valued}, whatever=True)
    await interview.ask("add", Command.ADD_TAGS, {"UserTags": tagged}, whatever=True)
    await interview.ask("remove attribute", Command.REMOVE_ATTRIBUTES, {"UserAttrs": valued}, whatever=True)
    await interview.ask("remove tag", Command.REMOVE_TAGS, {"UserTags": tagged}, whatever=True)
    await interview.ask("read", Command.GET_TAGS, {"To_Account": user}, whatever=True)


def _judge_structure(_: Given, answers: Answers) -> Findings:
    codes = {what: answer.code for what, answer in answers.items()}
    if codes == MISSHAPEN:
        return found(structure="own")
    if set(codes.values()) == {STRUCTURE}:
        return found(structure="general")
    told = ", ".join(f"{what} {code}" for what, code in codes.items())
    return left_open(f"neither set of codes: {told}", "structure")


STRUCTURE_CODES = Question(
    name="wrong shape",
    decides=("structure",),
    asks="Sends an object, or a text, where an array belongs: to set, add, remove and read.",
    most_calls=5,
    needs=Needs(),
    ask=_ask_structure,
    judge=_judge_structure,
)


async def _ask_values(interview: Interview, given: Given) -> None:
    user, name = given.accounts[0], given.attributes[0]
    await interview.ask("string", Command.SET_ATTRIBUTES, of_attributes((user, {name: "1"})))
    for kind, (value, _) in NO_STRINGS.items():
        await interview.ask(kind, Command.SET_ATTRIBUTES, of_attributes((user, {name: value})))
        await interview.ask(f"after {kind}", Command.GET_ATTRIBUTES, of_users(user))


def _judge_values(given: Given, answers: Answers) -> Findings:
    user, name = given.accounts[0], given.attributes[0]
    if code := answers["string"].code_of(user):
        return left_open(f"a value that is a string was refused with {code}", "values")
    codes = {kind: answers[kind].code_of(user) for kind in NO_STRINGS}
    shown = {kind: (answers[f"after {kind}"].attributes_of(user) or {}).get(name) for kind in NO_STRINGS}
    if set(codes.values()) == {INVALID_ATTRIBUTE} and set(shown.values()) == {"1"}:
        return found(values="strings")
    if set(codes.values()) == {0} and shown == {kind: text for kind, (_, text) in NO_STRINGS.items()}:
        return found(values="any")
    told = ", ".join(f"{kind} {codes[kind]}, then {shown[kind]!r}" for kind in NO_STRINGS)
    return left_open(f"neither all refused with {INVALID_ATTRIBUTE} nor all kept as texts: {told}", "values")


VALUES = Question(
    name="values that are no strings",
    decides=("values",),
    asks="Sets an attribute to a string, a number, a boolean and null, and reads it back each time.",
    most_calls=7,
    needs=Needs(attributes=1),
    ask=_ask_values,
    judge=_judge_values,
)


async def _ask_removal(interview: Interview, given: Given) -> None:
    user, name = given.accounts[0], given.attributes[0]
    value = of_attributes((user, {name: "1"}))
    await interview.ask("set", Command.SET_ATTRIBUTES, value)
    await interview.ask("remove with an object", Command.REMOVE_ATTRIBUTES, value)
    await interview.ask("after", Command.GET_ATTRIBUTES, of_users(user))


def _judge_removal(given: Given, answers: Answers) -> Findings:
    user, name = given.accounts[0], given.attributes[0]
    code, shown = answers["remove with an object"].code_of(user), answers["after"].attributes_of(user)
    if answers["set"].code_of(user) or shown is None:
        return left_open("the attribute could not be set, or not be read", "removal")
    if code == 0 and name not in shown:
        return found(removal="object_too")
    if code and shown.get(name) == "1":
        return found(removal="array")
    there = "still there" if name in shown else "gone"
    return left_open(f"answered {code}, and the value is {there}", "removal")


REMOVAL = Question(
    name="removal as an object",
    decides=("removal",),
    asks="Sets an attribute, removes it with an object instead of an array of names, and reads it back.",
    most_calls=3,
    needs=Needs(attributes=1),
    ask=_ask_removal,
    judge=_judge_removal,
)


async def _ask_unset(interview: Interview, given: Given) -> None:
    user, (name, unset) = given.accounts[0], given.attributes[:2]
    await interview.ask("set", Command.SET_ATTRIBUTES, of_attributes((user, {name: "1"})))
    await interview.ask("before", Command.GET_ATTRIBUTES, of_users(user))
    await interview.ask("remove both", Command.REMOVE_ATTRIBUTES, of_attributes((user, [unset, name])))
    await interview.ask("after", Command.GET_ATTRIBUTES, of_users(user))


def _judge_unset(given: Given, answers: Answers) -> Findings:
    user, name = given.accounts[0], given.attributes[0]
    before, after = (answers[what].attributes_of(user) for what in ("before", "after"))
    if before is None or after is None or name not in before or given.attributes[1] in before:
        return left_open("one attribute with a value and one without could not be had", "unset")
    code, is_there = answers["remove both"].code_of(user), name in after
    if code == 0 and not is_there:
        return found(unset="ok")
    if is_there and (code == INVALID_ATTRIBUTE or (code == 0 and given.known.get("batch") == "ignore")):
        return found(unset="refused")
    there = "still there" if is_there else "gone"
    return left_open(f"answered {code}, and the one with a value is {there}", "unset")


UNSET = Question(
    name="removal of what is not set",
    decides=("unset",),
    asks="Removes an attribute without a value together with one that has a value, and reads back.",
    most_calls=4,
    needs=Needs(attributes=2),
    ask=_ask_unset,
    judge=_judge_unset,
)
