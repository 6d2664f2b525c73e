"""Where to start, and up to where to read before anything is sent."""

import pytest

from audience_sync.core.hold import Note, Start, start_from


def test_without_a_commit_reading_starts_at_the_earliest_record_with_no_hold() -> None:
    """Nothing was ever sent, so nothing can go back."""
    assert start_from(committed=None, beginning=3, end=90, bound=50) == Start(3, 3, None, clean=True)


@pytest.mark.parametrize(
    ("position", "sent_below", "beginning", "end", "start", "target"),
    [
        pytest.param(10, 40, 0, 90, 10, 40, id="up to where the last owner may have sent from"),
        pytest.param(10, 40, 0, 25, 10, 25, id="not further than there are records"),
        pytest.param(10, 10, 0, 90, 10, 10, id="an owner who had sent nothing beyond leaves no hold"),
        pytest.param(10, 40, 20, 90, 20, 40, id="retention has deleted the first of them"),
        pytest.param(10, 40, 60, 90, 60, 60, id="retention has deleted all of them"),
    ],
)
def test_the_hold_goes_up_to_its_target(
    position: int, sent_below: int, beginning: int, end: int, start: int, target: int
) -> None:
    note = Note(sent_below=sent_below, clean=True)

    found = start_from(committed=(position, note.text()), beginning=beginning, end=end, bound=50)

    assert found == Start(start, target, note, clean=True)


@pytest.mark.parametrize(
    "metadata",
    [
        "",
        "some tool's words",
        "{}",
        '{"sent_below": 1}',
        '{"sent_below": 1, "clean": true, "v": 2}',
        "\ud800",
        "null",
    ],
)
def test_a_commit_without_our_note_holds_as_far_as_an_owner_may_have_gone(metadata: str) -> None:
    """A tool has reset it while the service was stopped, or not quite."""
    note = Note(sent_below=60, clean=False)

    assert start_from(committed=(10, metadata), beginning=0, end=90, bound=50) == Start(
        10, 60, note, clean=False
    )


def test_a_commit_above_the_end_is_of_another_log() -> None:
    """A topic that was made anew: to start at the old position would skip what is written up to there."""
    committed = (1000, Note(sent_below=1000, clean=True).text())

    start = start_from(committed=committed, beginning=3, end=90, bound=50)

    assert start == Start(3, 90, Note(sent_below=90, clean=False), clean=False)


def test_a_note_is_short_enough_for_every_broker() -> None:
    """Brokers take 4096 bytes of metadata by default; the positions are what varies."""
    assert len(Note(sent_below=2**63, clean=False).text()) < 100
