"""Secrets and certificates whose files change while the service runs."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from audience_sync.rotation import LOOK_SECONDS, Rotated, Rotation
from audience_sync.telemetry.metrics import Credential


class Seen:
    """What came of each look at two files that belong together."""

    def __init__(self, *files: Path) -> None:
        self.files = files
        self.steps: list[Callable[[], object]] = []
        self.taken: list[str] = []
        self.told: list[str] = []

    def credential_taken(self, credential: Credential) -> None:
        """It applies."""
        self.told.append(f"{credential} taken")

    def credential_refused(self, credential: Credential, reason: str) -> None:
        """The old one applies."""
        self.told.append(f"{credential} refused: {reason}")

    def credential_unchanged(self, credential: Credential) -> None:
        """The files were put back."""
        self.told.append(f"{credential} unchanged")

    def load(self) -> str:
        """What the service makes of the files."""
        found = " ".join(file.read_text() for file in self.files)
        if "bad" in found:
            raise ValueError("it is bad")
        return found

    async def sleep(self, seconds: float) -> None:
        """Between two looks, the next step happens; after the last one it ends."""
        assert seconds == LOOK_SECONDS
        if not self.steps:
            raise asyncio.CancelledError
        self.steps.pop(0)()

    async def run(self, *steps: Callable[[], object]) -> None:
        """Look after each step."""
        self.steps = list(steps)
        rotated = Rotated(Credential.KAFKA, self.files, load=self.load, take=self.taken.append)
        await asyncio.gather(Rotation([rotated], sleep=self.sleep, watch=self).run(), return_exceptions=True)


def written(file: Path, text: str) -> Callable[[], object]:
    return lambda: file.write_text(text)


def nothing() -> None:
    """Nobody touches the files."""


async def test_what_has_changed_is_taken_once(tmp_path: Path) -> None:
    """The second look that finds it takes it; looking again does nothing."""
    file = tmp_path / "key"
    written(file, "first")()
    seen = Seen(file)

    await seen.run(nothing, written(file, "second"), nothing, nothing, written(file, "third"), nothing)

    assert seen.taken == ["second", "third"]
    assert seen.told == ["kafka taken", "kafka taken"]


async def test_files_that_are_being_written_are_left_alone(tmp_path: Path) -> None:
    """Half of a pair, or of a file, would be refused by whoever it is shown to."""
    user, password = tmp_path / "user", tmp_path / "password"
    written(user, "a")()
    written(password, "1")()
    seen = Seen(user, password)

    await seen.run(written(user, "b"), written(password, "2"), written(password, "22"), nothing)

    assert seen.taken == ["b 22"]


async def test_what_can_not_be_used_is_told_once_and_the_old_one_stays(tmp_path: Path) -> None:
    """What is put right later is taken then."""
    file = tmp_path / "key"
    written(file, "first")()
    seen = Seen(file)

    await seen.run(written(file, "bad"), nothing, nothing, written(file, "good"), nothing)

    assert seen.taken == ["good"]
    assert seen.told == ["kafka refused: it is bad", "kafka taken"]


async def test_files_that_were_put_back_are_no_longer_outdated(tmp_path: Path) -> None:
    """Nothing has to be taken, and the alert ends."""
    file = tmp_path / "key"
    written(file, "first")()
    seen = Seen(file)

    await seen.run(written(file, "bad"), nothing, written(file, "first"), nothing)

    assert seen.taken == []
    assert seen.told == ["kafka refused: it is bad", "kafka unchanged"]


async def test_a_link_that_is_turned_is_a_change(tmp_path: Path) -> None:
    """So a Secret changes in a pod: the file's own link stays, and one above it is replaced."""
    for generation in ("1", "2"):
        (tmp_path / generation).mkdir()
        written(tmp_path / generation / "key", f"key {generation}")()
    now = tmp_path / "..data"
    now.symlink_to("1")
    file = tmp_path / "key"
    file.symlink_to("..data/key")
    seen = Seen(file)

    def turn() -> None:
        turned = tmp_path / "..data_tmp"
        turned.symlink_to("2")
        turned.replace(now)

    await seen.run(turn, nothing)

    assert seen.taken == ["key 2"]


async def test_a_file_that_is_away_is_refused_like_a_bad_one(tmp_path: Path) -> None:
    """Its absence is told once, and what was in it goes on applying."""
    file = tmp_path / "key"
    written(file, "first")()
    seen = Seen(file)

    def load() -> str:
        if not file.exists():
            raise ValueError("it can't be read")
        return file.read_text()

    seen.load = load  # type: ignore[method-assign]  # what settings do with a file that is away
    await seen.run(file.unlink, nothing, nothing, written(file, "first"), nothing)

    assert seen.taken == []
    assert seen.told == ["kafka refused: it can't be read", "kafka unchanged"]
