"""The profile: whole or not there, and never over another one's head."""

from pathlib import Path

import msgspec
import pytest

from audience_sync.chat_api.profile import Document, Seen, read_profile
from audience_sync.chat_api.wire import Family
from audience_sync.probe.inquiry import Found
from audience_sync.probe.question import Findings, found, joined, left_open
from audience_sync.probe.questions import QUESTIONS
from audience_sync.probe.report import document_of, rows, write_profile

BY_NAME = {question.name: question for question in QUESTIONS}


def result(*findings: tuple[str, Findings]) -> Found:
    taken = Found(open={})
    for name, each in findings:
        taken.add(BY_NAME[name], each)
        taken.seen.append(Seen(question=name, command="im_add_tag", code=90048))
    return taken


def document(taken: Found) -> Document:
    return document_of(taken, app_id=1400000000, family=Family.ALL_MEMBER_PUSH, asked_at=1_790_000_000.0)


def test_what_one_question_found_another_does_not_open() -> None:
    """Two questions look for what becomes of a batch."""
    taken = result(
        ("unknown user in a batch", found(batch="reject")),
        ("full user in a batch", left_open("strange", "batch")),
    )
    assert taken.switches == {"batch": "reject"}
    assert taken.open == {}


def test_what_one_question_left_open_another_may_find() -> None:
    """Then the reason is gone."""
    taken = result(
        ("unknown user in a batch", left_open("strange", "batch")),
        ("full user in a batch", found(batch="reject")),
    )
    assert (taken.switches, taken.open) == ({"batch": "reject"}, {})


def test_all_reasons_are_kept() -> None:
    """Each tells what else could be tried."""
    taken = result(
        ("unknown user in a batch", left_open("one", "batch")),
        ("full user in a batch", left_open("two", "batch")),
    )
    assert taken.open == {"batch": "one; two"}


def test_a_profile_is_what_a_client_reads(tmp_path: Path) -> None:
    """With the moment, what was found, what was not, and the evidence."""
    findings = joined(found(overfull="refused", overfull_code=90046), left_open("why", "twice"))
    write_profile(document(result(("more tags than fit", findings))), tmp_path / "app.json")
    assert read_profile(tmp_path / "app.json").app_id == 1400000000
    assert msgspec.json.decode((tmp_path / "app.json").read_bytes()) == {
        "profile": 1,
        "family": "all_member_push",
        "app_id": 1400000000,
        "asked_at": "2026-09-21T14:13:20Z",
        "switches": {"overfull": "refused", "overfull_code": 90046},
        "open": {"twice": "why"},
        "seen": [
            {
                "question": "more tags than fit",
                "command": "im_add_tag",
                "code": 90048,
                "info": "",
                "asked": "",
                "named": {},
            }
        ],
    }


def test_nothing_is_left_beside_a_profile(tmp_path: Path) -> None:
    """Nor in its place, when it can't be written."""
    path = tmp_path / "app.json"
    write_profile(document(result()), path)
    write_profile(document(result(("the same user twice", found(twice="refused")))), path)
    assert [each.name for each in tmp_path.iterdir()] == ["app.json"]
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_profile(document(result()), tmp_path / "folder")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["app.json", "folder"]


def test_rows_have_what_was_found_first_and_say_why() -> None:
    """A person reads from the top."""
    findings = joined(found(accounts="imported"), left_open("differs: 90012, 90048", "unknown_account_code"))
    assert list(rows(result(("unknown write", findings)))) == [
        ("accounts", "imported", "unknown write: im_add_tag 90048"),
        ("unknown_account_code", "open", "differs: 90012, 90048"),
    ]


def test_no_limit_is_told_in_words() -> None:
    """Not as None."""
    taken = result(("tags in a removal", found(most_tags_per_removal=None)))
    assert next(rows(taken))[:2] == ("most_tags_per_removal", "no limit")
