"""Profiles as a client reads them: what was found counts, what is wrong is named, and the rest is as documented."""

from pathlib import Path

import pytest

from audience_sync.chat_api.profile import Batch, Combined, Profile, ProfileError, read_profile

HEAD = '{"profile": 1, "family": "all_member_push", "app_id": 1400000000, "asked_at": "2026-11-22T10:00:00Z"'


def file_with(folder: Path, rest: str) -> Path:
    path = folder / "app.json"
    path.write_text(f"{HEAD}, {rest}}}")
    return path


def test_what_was_found_is_gone_by(tmp_path: Path) -> None:
    """With the words of the file; the code that was found joins those of the pages."""
    path = file_with(
        tmp_path,
        '"switches": {"batch": "partial", "combined": "refused", "unknown_account_code": 90035,'
        ' "most_tags_per_removal": 25, "repeat_window_seconds": 1.0}, "open": {"twice": "why"}, "seen": []',
    )
    assert read_profile(path) == Profile(
        batch=Batch.PARTIAL,
        combined=Combined.REFUSED,
        unknown_account_codes=frozenset({70107, 90048, 90012, 90035}),
        most_tags_per_removal=25,
        repeat_window_seconds=1.0,
        app_id=1400000000,
        family="all_member_push",
    )


def test_what_was_not_found_is_as_if_nothing_was_asked(tmp_path: Path) -> None:
    """A profile narrows what is open, and never opens more. What only the emulator knows is no error."""
    path = file_with(tmp_path, '"switches": {"twice": "refused", "of_a_later_version": 7}')
    assert read_profile(path) == Profile(app_id=1400000000, family="all_member_push")


@pytest.mark.parametrize(("found", "most"), [("null", 100), ("5", 5), ("1000", 100)])
def test_a_removal_never_names_more_than_a_user_can_carry(tmp_path: Path, found: str, most: int) -> None:
    """No limit is as good as one of a hundred: nobody carries more."""
    path = file_with(tmp_path, f'"switches": {{"most_tags_per_removal": {found}}}')
    assert read_profile(path).most_tags_per_removal == most


@pytest.mark.parametrize(
    ("rest", "field"),
    [
        ('"switches": {"batch": "some"}', "switches.batch"),
        ('"switches": {"batch": null}', "switches.batch"),
        ('"switches": {"most_tags_per_removal": 0}', "switches.most_tags_per_removal"),
        ('"switches": {"unknown_account_code": "90048"}', "switches.unknown_account_code"),
        ('"switches": {"repeat_window_seconds": -1}', "switches.repeat_window_seconds"),
        ('"switches": []', "switches"),
        ('"open": {}', "switches"),
        ('"switches": {}, "profile": 2', "profile"),
        ('"switches": {', "app.json"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(tmp_path: Path, rest: str, field: str) -> None:
    """The reader of the message edits that file, at that field."""
    path = file_with(tmp_path, rest)
    with pytest.raises(ProfileError, match=field) as caught:
        read_profile(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A wrong path is the commonest mistake."""
    with pytest.raises(ProfileError, match="the profile cannot be read"):
        read_profile(tmp_path / "nowhere.json")
