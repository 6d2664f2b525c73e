"""What the demo finds at its end, and how it is told."""

import dataclasses
from typing import Final

import pytest

from audience_sync.commands.demonstration.findings import Findings, fewest_calls, out_of_step
from audience_sync.commands.demonstration.product import Truth
from audience_sync.commands.demonstration.reading import Counts, Reading
from audience_sync.commands.demonstration.summary import page, text
from audience_sync.emulator.store import UserState

FOUND: Final = Findings(
    sent=1007,
    unusable=7,
    settled_seconds=2.5,
    restless="rui",
    truth={
        "rui": Truth({"membership": "platinum", "city": "Shenzhen"}, {"stock:600519.SH"}, events=600),
        "mei": Truth({"membership": "platinum", "city": "Wuhan"}, events=250),
        "lin": Truth({"city": "Shenzhen"}, {"stock:600519.SH"}, events=150),
    },
    users={
        "rui": UserState({"membership": "platinum", "city": "Shenzhen"}, ["stock:600519.SH"]),
        "mei": UserState({"membership": "platinum", "city": "Wuhan"}),
        "lin": UserState({"city": "Shenzhen"}, ["stock:600519.SH"]),
    },
    reading=Reading(
        events=1007,
        changes=1000,
        dead_letters={"no_user": 3, "unreadable": 4},
        counts=Counts(
            calls={"im_add_tag": 3, "im_set_attr": 2}, user_parts={"im_add_tag": 201, "im_set_attr": 99}
        ),
    ),
    letters=7,
    exit_code=0,
    log="",
)


def held(findings: Findings) -> dict[str, bool]:
    """Which checks hold."""
    return {check.name: check.held for check in findings.checks()}


def test_everything_holds_when_both_sides_are_equal() -> None:
    """The command ends with 0."""
    assert all(held(FOUND).values())


@pytest.mark.parametrize(
    ("user", "state"),
    [
        ("mei", UserState({"membership": "gold", "city": "Wuhan"})),  # another value
        ("mei", UserState({"membership": "platinum"})),  # an attribute is missing
        ("lin", UserState({"city": "Shenzhen"})),  # a tag is missing
        ("lin", UserState({"city": "Shenzhen"}, ["stock:600519.SH", "vip"])),  # a tag too many
        ("zoe", UserState({"city": "Xiamen"})),  # nobody has told of him
    ],
)
def test_each_difference_is_found(user: str, state: UserState) -> None:
    """One user out of step among thousands makes the command fail, and is named."""
    changed = dataclasses.replace(FOUND, users={**FOUND.users, user: state})
    assert out_of_step(changed.truth, changed.users) == [user]
    assert not held(changed)["users in step"]
    assert user in text(page(changed))


def test_a_user_the_chat_api_has_never_heard_of_is_out_of_step() -> None:
    """Unless nothing is true of him: then both have nothing."""
    truth = {"mei": Truth({"city": "Wuhan"}), "lin": Truth()}
    assert out_of_step(truth, {}) == ["mei"]


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("dead letters", {"letters": 6}),
        ("dead letters", {"letters": 8}),
        ("the service's exit code", {"exit_code": 1}),
        ("records read and settled", {"sent": 1008}),
        ("records read and settled", {"reading": dataclasses.replace(FOUND.reading, unsettled_records=1)}),
        (
            "requests refused",
            {"reading": dataclasses.replace(FOUND.reading, counts=Counts(refused={"60007": 1}))},
        ),
        (
            "limits broken",
            {"reading": dataclasses.replace(FOUND.reading, counts=Counts(broken_limits_count=1))},
        ),
        (
            "users in two requests at once",
            {"reading": dataclasses.replace(FOUND.reading, counts=Counts(overlaps_count=1))},
        ),
    ],
)
def test_each_check_can_fail_and_alone(name: str, changed: dict[str, object]) -> None:
    """A check that can't fail says nothing."""
    findings = dataclasses.replace(FOUND, **changed)  # type: ignore[arg-type]  # the rows name fields of their own
    assert [check for check, holds in held(findings).items() if not holds] == [name]
    assert "WRONG: " in text(page(findings))


def test_the_fewest_calls_are_counted_by_endpoint() -> None:
    """A request goes to one endpoint: 201 parts need three, 99 need one."""
    assert fewest_calls(FOUND.reading.counts) == 4


def test_both_sides_of_an_audience_are_counted() -> None:
    """The emulator's side is counted from its users, and not taken from the truth."""
    followers, members = FOUND.audiences()
    assert (followers.name, followers.by_events, followers.in_chat) == ("followers of 600519.SH", 2, 2)
    assert (members.name, members.by_events, members.in_chat) == ("platinum members in Shenzhen", 1, 1)

    [nobody, _] = dataclasses.replace(FOUND, users={}).audiences()
    assert (nobody.by_events, nobody.in_chat) == (2, 0)


def test_the_page_tells_what_was_saved() -> None:
    """The figures that a reader takes along."""
    told = " ".join(text(page(FOUND)).split())
    assert "events 1,007 of 3 users" in told
    assert "all requests 5 requests, 300 user parts, 60.0 users a request" in told
    assert "calls saved 995 (99.5%)" in told
    assert "calls / minimum 1.25" in told
    assert "dead letters 7 (no_user 3, unreadable 4)" in told
    assert "followers of 600519.SH 2 users (2 by the events)" in told


def test_the_page_can_be_told_when_nothing_has_happened() -> None:
    """A demo that fails early still has a page, without a division by zero."""
    nothing = dataclasses.replace(FOUND, truth={}, users={}, reading=Reading(), sent=0, letters=0, unusable=0)
    assert "calls saved" in text(page(nothing))
