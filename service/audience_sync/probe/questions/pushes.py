"""Questions that need a push: to a tag that only a throw-away account carries, and for those online alone."""

from typing import Final

from audience_sync.chat_api.wire import Command
from audience_sync.probe.bodies import OWN, of_push, of_tags
from audience_sync.probe.calling import FEATURE_OFF, PUSH_SECONDS
from audience_sync.probe.question import (
    Answers,
    Findings,
    Given,
    Interview,
    Needs,
    Question,
    found,
    joined,
    left_open,
)

REPEATED: Final = 90005
"""A random number that is not taken."""

BOTH_LISTS: Final = 90039
"""A condition that mixes what may not stand together."""

SHORT_WINDOW_SECONDS: Final = 1.0
"""What newer pages say. Older ones: seven days."""

RANDOMS: Final = 2**32


def _tags(given: Given) -> tuple[str, str]:
    return f"{OWN}{given.random:08x}a", f"{OWN}{given.random:08x}b"  # of this run: nobody else has them


async def _ask_repeated(interview: Interview, given: Given) -> None:
    first, second = _tags(given)
    await interview.ask("add", Command.ADD_TAGS, of_tags((given.accounts[0], [first, second])))
    push = of_push({"TagsOr": [first]}, random=given.random, family=given.family)
    answer = await interview.ask("push", Command.PUSH, push)
    if answer.code == 0:
        await interview.ask("repeat", Command.PUSH, push)


def _judge_repeated(given: Given, answers: Answers) -> Findings:
    decided = "repeated", "repeat_window_seconds"
    if code := answers["add"].code_of(given.accounts[0]):
        return left_open(f"a tag could not be added: {code}", "feature_off", *decided)
    push = answers["push"]
    if push.code == FEATURE_OFF:
        off = "push to all users is not switched on"
        return joined(found(feature_off="push"), left_open(off, *decided))
    is_on = left_open("push to all users is on", "feature_off")
    if push.code or not push.task_id:
        feature = left_open(f"the push was answered {push.code}", "feature_off") if push.code else is_on
        return joined(feature, left_open(f"the push was answered {push.code} {push.info}", *decided))
    after = f"after {given.push_seconds:g} s"
    return joined(is_on, _repeat(push.task_id, answers["repeat"].code, answers["repeat"].task_id, after))


def _repeat(first: str, code: int, task_id: str, after: str) -> Findings:
    at_least = left_open(f"a repeat {after} was recognised: at least that long", "repeat_window_seconds")
    if code == REPEATED:
        return joined(found(repeated="refused"), at_least)
    if code == 0 and task_id == first:
        return joined(found(repeated="same_task"), at_least)
    if code == 0 and task_id:
        unseen = left_open(f"a repeat {after} was a new push", "repeated")
        return joined(found(repeat_window_seconds=SHORT_WINDOW_SECONDS), unseen)
    return left_open(f"the repeat was answered {code}", "repeated", "repeat_window_seconds")


REPEATED_PUSH = Question(
    name="repeated push",
    decides=("repeated", "repeat_window_seconds", "feature_off"),
    asks=f"Pushes to a tag of one account, for those online alone, and the same again {PUSH_SECONDS:g} s later.",
    most_calls=3,
    most_pushes=2,
    needs=Needs(permission="push"),
    ask=_ask_repeated,
    judge=_judge_repeated,
)


async def _ask_combined(interview: Interview, given: Given) -> None:
    first, second = _tags(given)
    await interview.ask("add", Command.ADD_TAGS, of_tags((given.accounts[0], [first, second])))
    condition = {"TagsOr": [first], "TagsAnd": [second]}
    push = of_push(condition, random=(given.random + 1) % RANDOMS, family=given.family)
    await interview.ask("push", Command.PUSH, push)


def _judge_combined(_: Given, answers: Answers) -> Findings:
    match answers["push"].code:
        case 0:
            return left_open("taken; whether one list is enough is seen only by who receives it", "combined")
        case code if code == BOTH_LISTS:
            return found(combined="refused")
        case code:
            return left_open(f"the push was answered {code} {answers['push'].info}", "combined")


COMBINED = Question(
    name="both lists of tags",
    decides=("combined",),
    asks="Pushes to those who carry one tag (`TagsOr`) and another (`TagsAnd`), both of one account alone.",
    most_calls=2,
    most_pushes=1,
    needs=Needs(permission="push"),
    ask=_ask_combined,
    judge=_judge_combined,
)
