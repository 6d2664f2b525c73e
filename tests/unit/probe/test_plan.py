"""What would be asked is told before anything is, with what it costs at most."""

from dataclasses import replace

from audience_sync.chat_api.wire import Family
from audience_sync.probe.plan import plan_for
from audience_sync.probe.question import Given, Permissions
from audience_sync.probe.questions import QUESTIONS
from audience_sync.probe.switches import ASKED, NOT_ASKED

TWO = Given(accounts=("alice", "bob"), unknown="nobody")
ALL = replace(
    TWO,
    accounts=tuple(f"user{number}" for number in range(11)),
    permissions=Permissions(push=True, fill=True, delete="doomed", other="nobody"),
)


def not_asked(given: Given) -> dict[str, str]:
    return {step.question: step.not_asked for step in plan_for(given).steps if step.not_asked}


def test_without_permissions_nobody_is_pushed_to_filled_or_deleted() -> None:
    """These have to be said."""
    assert not_asked(TWO) == {
        "full user in a batch": "needs 3 accounts, 2 were given",
        "no administrator": "needs --other-identifier NAME",
        "distinct tags of the app": "needs --may-fill",
        "repeated push": "needs --may-push",
        "both lists of tags": "needs --may-push",
        "deleted account": "needs --may-delete NAME",
    }
    assert plan_for(TWO).most_pushes == 0


def test_with_all_permissions_everything_is_asked() -> None:
    """With three pushes of the day's hundred."""
    assert not_asked(ALL) == {}
    assert plan_for(ALL).most_pushes == 3


def test_what_is_about_one_family_is_not_asked_of_the_other() -> None:
    """The successor documents its own ways."""
    assert not_asked(replace(ALL, family=Family.TIMPUSH)) == dict.fromkeys(
        ("unknown read", "unknown user in a batch", "full user in a batch", "distinct tags of the app"),
        "is about all_member_push; timpush was asked",
    )


def test_more_questions_cost_more() -> None:
    """And what is put back costs, too."""
    assert plan_for(TWO, questions=()).most_calls > 0
    assert plan_for(TWO).most_calls > sum(question.most_calls for question in QUESTIONS[:3])
    assert plan_for(ALL).most_calls > plan_for(TWO).most_calls


def test_every_open_point_has_its_question_or_its_reason() -> None:
    """And only one of both."""
    decided = [switch for question in QUESTIONS for switch in question.decides]
    assert set(decided) == ASKED.keys()
    assert not ASKED.keys() & NOT_ASKED.keys()
    assert len({question.name for question in QUESTIONS}) == len(QUESTIONS)


def test_what_a_question_needs_is_found_before_it() -> None:
    """Else it would never be asked."""
    before: set[str] = set()
    for question in QUESTIONS:
        assert question.needs.found.keys() <= before, question.name
        before |= set(question.decides)


def test_an_unknown_account_is_read_before_it_is_written_to() -> None:
    """Where a write makes it come into being, a later read would find an account that exists."""
    names = [question.name for question in QUESTIONS]
    assert names.index("unknown read") < names.index("unknown write") < names.index("unknown user in a batch")
