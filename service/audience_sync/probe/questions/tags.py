"""Questions about how many tags: of a user, in a removal, of the app."""

from collections.abc import Generator
from typing import Final

from audience_sync.chat_api.wire import Command, Family
from audience_sync.core.limits import TAGS_PER_USER, TAGS_PER_USER_AND_REQUEST
from audience_sync.probe.bodies import of_tags, of_users, tag, tags
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

TOO_MANY_TAGS: Final = 90046

DISTINCT_TAGS: Final = 1100
"""What `--may-fill` tries. Documented for the successor: an app can have a thousand."""


async def fill(interview: Interview, user: str, first: int, last: int) -> None:
    """Add the tags from *first* to *last* to a user, as many at a time as the API takes."""
    for start in range(first, last + 1, TAGS_PER_USER_AND_REQUEST):
        end = min(start + TAGS_PER_USER_AND_REQUEST - 1, last)
        await interview.ask(f"add {start} to {end}", Command.ADD_TAGS, of_tags((user, tags(start, end))))


async def _ask_overfull(interview: Interview, given: Given) -> None:
    user = given.bare[0]
    await fill(interview, user, 1, TAGS_PER_USER - 1)
    await interview.ask("before", Command.GET_TAGS, of_users(user))
    two = of_tags((user, [tag(TAGS_PER_USER), tag(TAGS_PER_USER + 1)]))
    await interview.ask("two more", Command.ADD_TAGS, two)
    await interview.ask("after", Command.GET_TAGS, of_users(user))


def _judge_overfull(given: Given, answers: Answers) -> Findings:
    user, decided = given.bare[0], ("overfull", "overfull_code")
    old, new = tags(1, TAGS_PER_USER - 1), tags(TAGS_PER_USER, TAGS_PER_USER + 1)
    before, after = (answers[what].tags_of(user) for what in ("before", "after"))
    if before is None or after is None or set(before) != set(old):
        carried = "cannot be read" if before is None or after is None else f"carries {len(before)}"
        return left_open(f"{len(old)} tags were added, and the account {carried}", *decided)
    code, stayed = answers["two more"].code_of(user), set(after)
    if code and stayed == set(old):
        return found(overfull="refused", overfull_code=code)
    unsaid = left_open("nothing is refused", "overfull_code")
    if code == 0 and stayed == {*old[1:], *new}:
        return joined(found(overfull="oldest_leaves"), unsaid)
    if code == 0 and stayed - set(new) == set(old) and len(stayed) == TAGS_PER_USER:
        return joined(found(overfull="dropped"), unsaid)
    if code == 0 and stayed == set(old) and given.known.get("batch") == "ignore":
        return joined(found(overfull="refused"), left_open("nobody says it", "overfull_code"))
    return left_open(f"two more were answered {code}, and the account carries {len(after)}", *decided)


OVERFULL = Question(
    name="more tags than fit",
    decides=("overfull", "overfull_code"),
    asks="Gives an account 99 tags, then two more in one call, and reads which are there.",
    most_calls=13,
    needs=Needs(bare=1),
    ask=_ask_overfull,
    judge=_judge_overfull,
)


async def _ask_removal_size(interview: Interview, given: Given) -> None:
    search = sizes()
    size = next(search)
    while True:
        taken = await _remove(interview, given.accounts[0], size)
        try:
            size = search.send(taken)
        except StopIteration:
            return


async def _remove(interview: Interview, user: str, size: int) -> bool:
    last = tag(size)  # the others are not there; were they left out silently, the last one would stay
    await interview.ask(f"add for {size}", Command.ADD_TAGS, of_tags((user, [last])))
    answer = await interview.ask(f"remove {size}", Command.REMOVE_TAGS, of_tags((user, tags(1, size))))
    await interview.ask(f"after {size}", Command.GET_TAGS, of_users(user))
    return answer.code_of(user) == 0


def sizes() -> Generator[int, bool, None]:
    """The sizes of removals to try, one after the other; is sent whether each was taken.

    Two, as a check; a hundred, more than which nobody carries; the documented number for adding, and one more;
    then halves of what is left.
    """
    if not (yield 2) or (yield TAGS_PER_USER):
        return
    taken, refused = 2, TAGS_PER_USER
    likely = iter((TAGS_PER_USER_AND_REQUEST, TAGS_PER_USER_AND_REQUEST + 1))
    while refused - taken > 1:
        size = next((each for each in likely if taken < each < refused), (taken + refused) // 2)
        if (yield size):
            taken = size
        else:
            refused = size


def _judge_removal_size(given: Given, answers: Answers) -> Findings:
    user = given.accounts[0]
    sized = [int(what.removeprefix("remove ")) for what in answers if what.startswith("remove ")]
    codes = {size: answers[f"remove {size}"].code_of(user) for size in sized}
    for size, code in codes.items():
        left = answers[f"after {size}"].tags_of(user)
        if answers[f"add for {size}"].code_of(user) or left is None or (tag(size) in left) is (code == 0):
            why = f"{size} tags were answered {code}, and what is left does not fit to it"
            return left_open(why, "most_tags_per_removal")
    taken, refused = ([size for size in sized if (codes[size] == 0) is ok] for ok in (True, False))
    if TAGS_PER_USER in taken and not refused:
        return found(most_tags_per_removal=None)
    if taken and refused and max(taken) + 1 == min(refused) and len({codes[size] for size in refused}) == 1:
        return found(most_tags_per_removal=max(taken))
    told = ", ".join(f"{size} {code}" for size, code in codes.items())
    return left_open(f"no limit fits to the answers: {told}", "most_tags_per_removal")


REMOVAL_SIZE = Question(
    name="tags in a removal",
    decides=("most_tags_per_removal",),
    asks="Removes a tag together with others that are not there: a hundred, or else as many as are taken.",
    most_calls=33,
    needs=Needs(),
    ask=_ask_removal_size,
    judge=_judge_removal_size,
)


async def _ask_distinct(interview: Interview, given: Given) -> None:
    users = given.bare[: DISTINCT_TAGS // TAGS_PER_USER]
    for number, user in enumerate(users):
        if not await _fill_until_refused(interview, user, number * TAGS_PER_USER + 1):
            break
    await interview.ask("after", Command.GET_TAGS, of_users(*given.accounts))


async def _fill_until_refused(interview: Interview, user: str, first: int) -> bool:
    steps = [*range(first, first + TAGS_PER_USER, TAGS_PER_USER_AND_REQUEST)]
    for start in steps:
        if await _add(interview, user, start, start + TAGS_PER_USER_AND_REQUEST - 1):
            continue
        for single in range(start, start + TAGS_PER_USER_AND_REQUEST):
            if not await _add(interview, user, single, single):
                break
        return False
    return True


async def _add(interview: Interview, user: str, first: int, last: int) -> bool:
    answer = await interview.ask(
        f"add {first} to {last}", Command.ADD_TAGS, of_tags((user, tags(first, last)))
    )
    return answer.code_of(user) == 0


def _judge_distinct(given: Given, answers: Answers) -> Findings:
    users = given.bare[: DISTINCT_TAGS // TAGS_PER_USER]
    added: set[str] = set()
    codes: set[int] = set()
    for what, answer in answers.items():
        if what.startswith("add "):
            first, last = map(int, what.removeprefix("add ").split(" to "))
            code = answer.code_of(users[(first - 1) // TAGS_PER_USER])
            added.update(() if code else tags(first, last))
            codes.add(code)
    carried = {each for user in given.accounts for each in answers["after"].tags_of(user) or ()}
    there, refusals = carried & set(tags(1, DISTINCT_TAGS)), codes - {0}
    if there != added:
        return left_open(f"{len(added)} tags were taken, and {len(there)} are there", "most_tags_of_the_app")
    if not refusals and len(added) == DISTINCT_TAGS:
        return found(most_tags_of_the_app=None)
    is_exact = f"add {len(added) + 1} to {len(added) + 1}" in answers
    if refusals == {TOO_MANY_TAGS} and added and is_exact:
        return found(most_tags_of_the_app=len(carried))
    told = ", ".join(map(str, sorted(refusals)))
    return left_open(f"after {len(added)} distinct tags, more were answered {told}", "most_tags_of_the_app")


DISTINCT = Question(
    name="distinct tags of the app",
    decides=("most_tags_of_the_app",),
    asks=f"Gives eleven accounts up to {DISTINCT_TAGS} distinct tags, until one is refused. Right only where nobody"
    " else of the app carries tags.",
    most_calls=121,
    needs=Needs(accounts=11, bare=11, permission="fill", family=Family.ALL_MEMBER_PUSH),
    ask=_ask_distinct,
    judge=_judge_distinct,
)
