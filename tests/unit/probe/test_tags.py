"""How many tags: what follows from answers, and from which nothing follows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from audience_sync.probe.answer import Answer
from audience_sync.probe.bodies import tag
from audience_sync.probe.bodies import tags as numbered
from audience_sync.probe.question import Answers
from audience_sync.probe.questions.tags import DISTINCT, OVERFULL, REMOVAL_SIZE, sizes
from audience_sync.probe.switches import Value
from tests.unit.probe.given import GIVEN, OK, judged, naming, refused, tags

FULL, NEW = numbered(1, 99), [tag(100), tag(101)]


@pytest.mark.parametrize(
    ("answer", "after", "batch", "found"),
    [
        pytest.param(
            refused(90046), FULL, None, {"overfull": "refused", "overfull_code": 90046}, id="refused"
        ),
        pytest.param(
            naming(alice=90032),
            FULL,
            None,
            {"overfull": "refused", "overfull_code": 90032},
            id="refused by name",
        ),
        pytest.param(OK, [*FULL[1:], *NEW], None, {"overfull": "oldest_leaves"}, id="the oldest is gone"),
        pytest.param(
            OK, [*FULL, NEW[0]], None, {"overfull": "dropped"}, id="one came in, the other is dropped"
        ),
        pytest.param(OK, [*FULL, NEW[1]], None, {"overfull": "dropped"}, id="the same, with the other"),
        pytest.param(OK, FULL, "ignore", {"overfull": "refused"}, id="bad users are passed over in silence"),
        pytest.param(OK, FULL, "reject", {}, id="none came in, and no reason is known"),
        pytest.param(OK, [*FULL, *NEW], None, {}, id="both came in: a hundred is no limit"),
        pytest.param(OK, [*FULL[:-1], *NEW], None, {}, id="the youngest is gone"),
        pytest.param(OK, [*FULL[2:], *NEW], None, {}, id="the two oldest are gone"),
        pytest.param(refused(90046), [*FULL, NEW[0]], None, {}, id="refused, and yet one came in"),
        pytest.param(OK, NEW, None, {}, id="only the new ones are there"),
    ],
)
def test_overfull(
    answer: Answer, after: Sequence[str], batch: str | None, found: Mapping[str, Value]
) -> None:
    """Two more on ninety-nine tell who is left out, and whether all of a request is."""
    answers = {"before": tags(alice=FULL), "two more": answer, "after": tags(alice=after)}
    assert judged(OVERFULL, answers, {} if batch is None else {"batch": batch}).switches == found


@pytest.mark.parametrize("before", [numbered(1, 10), [*FULL, "vip"]])
def test_overfull_needs_exactly_ninety_nine(before: Sequence[str]) -> None:
    """An app with another limit, or an account with other tags, would give another meaning to the rest."""
    answers = {"before": tags(alice=before), "two more": refused(90046), "after": tags(alice=before)}
    assert not judged(OVERFULL, answers).switches


def searched(most: int) -> tuple[list[int], Answers]:
    """The sizes that are tried at an app that takes so many, and its answers."""
    search, tried = sizes(), list[int]()
    answers: dict[str, Answer] = {}
    size = next(search)
    while True:
        tried.append(size)
        taken = size <= most
        answers[f"add for {size}"] = OK
        answers[f"remove {size}"] = OK if taken else refused(90032)
        answers[f"after {size}"] = tags(alice=[] if taken else [tag(size)])
        try:
            size = search.send(taken)
        except StopIteration:
            return tried, answers


@pytest.mark.parametrize("most", [*range(2, 101)])
def test_removal_size_finds_every_limit(most: int) -> None:
    """Within the calls that are planned: three for each size."""
    tried, answers = searched(most)
    assert len(tried) * 3 <= REMOVAL_SIZE.most_calls
    assert len(set(tried)) == len(tried)
    assert judged(REMOVAL_SIZE, answers).switches == {"most_tags_per_removal": None if most == 100 else most}


def test_removal_size_tries_the_likely_ones_first() -> None:
    """The documented number for adding costs four sizes."""
    assert searched(10)[0] == [2, 100, 10, 11]
    assert searched(100)[0] == [2, 100]


def test_removal_size_stays_open_where_two_are_refused() -> None:
    """Then it is no matter of how many: what is not there may not be named."""
    assert not judged(REMOVAL_SIZE, searched(1)[1]).switches


@pytest.mark.parametrize(
    "strange",
    [
        pytest.param({"after 100": tags(alice=[tag(100)])}, id="OK, and the last one is still there"),
        pytest.param(
            {"remove 2": refused(90033), "after 2": tags(alice=[tag(2)])},
            id="two are refused, a hundred taken",
        ),
        pytest.param({"after 100": tags()}, id="what is left is not shown"),
        pytest.param({"add for 100": refused(90046)}, id="the tag could not be added before"),
    ],
)
def test_removal_size_stays_open_where_answers_are_strange(strange: Answers) -> None:
    """A removal that is taken in part would be lost in silence."""
    assert not judged(REMOVAL_SIZE, {**searched(100)[1], **strange}).switches


def test_removal_size_stays_open_where_codes_differ() -> None:
    """One of them may mean something else."""
    answers = {**searched(10)[1], "remove 100": refused(90021)}
    assert not judged(REMOVAL_SIZE, answers).switches


USERS = tuple(f"user{number}" for number in range(11))


def filled(most: int, *, code: int = 90046) -> dict[str, Answer]:
    """The answers of an app that has so many distinct tags at most."""
    answers: dict[str, Answer] = {}
    for first in range(1, 1101, 10):
        if first + 9 <= most:
            answers[f"add {first} to {first + 9}"] = OK
            continue
        answers[f"add {first} to {first + 9}"] = refused(code)
        for single in range(first, most + 1):
            answers[f"add {single} to {single}"] = OK
        answers[f"add {most + 1} to {most + 1}"] = refused(code)
        break
    of_users = {
        user: numbered(number * 100 + 1, min(most, number * 100 + 100)) for number, user in enumerate(USERS)
    }
    return {**answers, "after": tags(**of_users)}


def distinct(answers: Answers) -> Mapping[str, Value]:
    given = replace(GIVEN, accounts=USERS, bare=USERS)
    findings = DISTINCT.judge(given, answers)
    assert findings.switches.keys() | findings.open.keys() == {"most_tags_of_the_app"}
    return findings.switches


@pytest.mark.parametrize("most", [1, 9, 10, 150, 999, 1000])
def test_distinct_tags_are_counted_exactly(most: int) -> None:
    """Tens first, then one by one."""
    assert distinct(filled(most)) == {"most_tags_of_the_app": most}
    assert len(filled(most)) <= DISTINCT.most_calls


def test_distinct_tags_without_a_limit() -> None:
    """More than the thousand of the successor."""
    assert distinct(filled(1100)) == {"most_tags_of_the_app": None}


def test_tags_that_accounts_had_before_count() -> None:
    """They take room, too."""
    answers = filled(150)
    entries = [{"To_Account": user, "Tags": answers["after"].tags_of(user)} for user in USERS[1:]]
    first = {"To_Account": USERS[0], "Tags": [*numbered(1, 100), "vip"]}
    answers["after"] = Answer({"ErrorCode": 0, "UserTags": [first, *entries]})
    assert distinct(answers) == {"most_tags_of_the_app": 151}


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(filled(150, code=90032), id="refused with another code"),
        pytest.param({**filled(150), "after": filled(140)["after"]}, id="fewer are there than were taken"),
        pytest.param(
            {**filled(1100), "after": filled(1000)["after"]}, id="all are taken, and not all are there"
        ),
        pytest.param({**filled(150), "after": refused(91000)}, id="what is there cannot be read"),
        pytest.param(
            {what: each for what, each in filled(150).items() if what != "add 151 to 151"},
            id="the end is not exact",
        ),
    ],
)
def test_distinct_tags_stay_open_where_answers_are_strange(answers: Answers) -> None:
    """A limit that is too low would keep the service from nothing that works."""
    assert distinct(answers) == {}
