"""A rules file that changes while the service runs."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from audience_sync.core.rules import Rules
from audience_sync.rules.file import load_rules
from audience_sync.rules.reload import Reload

RULES = """
sources:
  - {{topic: cities, format: json, type: moved}}
rules:
  - name: {name}
    event: moved
    user: "{{user_id}}"
    changes: [{{set_attribute: {{name: city, value: "{{city}}"}}}}]
"""


class Seen:
    """What came of each look."""

    def __init__(self, file: Path, *, refuses: str | None = None) -> None:
        self.file = file
        self.refuses = refuses
        self.steps: list[Callable[[], object]] = []
        self.taken: list[str] = []
        self.told: list[str] = []

    def rules_taken(self, rules: Rules) -> None:
        """They apply."""
        self.told.append(f"taken: {rules.rules[0].name}")

    def rules_refused(self, problems: list[str]) -> None:
        """The old ones apply."""
        self.told += [f"refused: {problem}" for problem in problems]

    def rules_unchanged(self) -> None:
        """The file was put back."""
        self.told.append("unchanged")

    async def take(self, rules: Rules) -> None:
        """What the service does with rules that fit."""
        if self.refuses:
            raise ValueError(self.refuses)
        self.taken.append(rules.rules[0].name)

    async def sleep(self, seconds: float) -> None:
        """Between two looks, the next step happens; after the last one it ends."""
        assert seconds == 10.0
        if not self.steps:
            raise asyncio.CancelledError
        self.steps.pop(0)()

    async def run(self, *steps: Callable[[], object]) -> None:
        """Look after each step."""
        self.steps = list(steps)
        reload = Reload(
            self.file,
            load_rules(self.file),
            load=lambda: load_rules(self.file),
            take=self.take,
            every_seconds=10.0,
            sleep=self.sleep,
            watch=self,
        )
        await asyncio.gather(reload.run(), return_exceptions=True)


def written(file: Path, name: str) -> Callable[[], object]:
    return lambda: file.write_text(RULES.format(name=name))


def nothing() -> None:
    """Nobody touches the file."""


async def test_changed_rules_are_taken_once(tmp_path: Path) -> None:
    """Looking again at the same file does nothing."""
    file = tmp_path / "rules.yaml"
    written(file, "first")()
    seen = Seen(file)

    await seen.run(nothing, written(file, "second"), nothing, written(file, "third"))

    assert seen.taken == ["second", "third"]
    assert seen.told == ["taken: second", "taken: third"]


async def test_a_file_that_can_not_be_used_is_refused_once_and_the_old_rules_stay(tmp_path: Path) -> None:
    """The message names file, line and way out, as at the start."""
    file = tmp_path / "rules.yaml"
    written(file, "first")()
    seen = Seen(file)

    await seen.run(lambda: file.write_text("sources: []\nruels: []\n"), nothing, file.unlink, nothing)

    assert not seen.taken
    assert any("ruels" in line and "line 2" in line for line in seen.told)
    assert "No such file" in seen.told[-1]
    assert all(line.startswith("refused: ") for line in seen.told)


async def test_a_file_that_is_put_back_is_told_and_not_taken_again(tmp_path: Path) -> None:
    """The alert ends."""
    file = tmp_path / "rules.yaml"
    written(file, "first")()
    seen = Seen(file)

    await seen.run(lambda: file.write_text("no rules"), written(file, "first"))

    assert not seen.taken
    assert seen.told[-1] == "unchanged"


async def test_other_topics_need_a_restart(tmp_path: Path) -> None:
    """Who owns which partition hangs on them."""
    file = tmp_path / "rules.yaml"
    written(file, "first")()
    seen = Seen(file)

    await seen.run(
        lambda: file.write_text(RULES.format(name="first").replace("topic: cities", "topic: towns"))
    )

    assert not seen.taken
    assert seen.told == [
        f"refused: {file}: the topics are others (+towns, -cities), and a running service can't change them; "
        "restart all replicas"
    ]


async def test_rules_that_can_not_apply_here_are_refused(tmp_path: Path) -> None:
    """An attribute without a free slot, say."""
    file = tmp_path / "rules.yaml"
    written(file, "first")()
    seen = Seen(file, refuses="there is no free slot")

    await seen.run(written(file, "second"))

    assert seen.told == [f"refused: {file}: there is no free slot"]


async def test_a_config_map_is_swapped_two_links_away(tmp_path: Path) -> None:
    """As the kubelet does it: a file links into `..data`, and that is another folder at once."""
    for version, name in (("v1", "first"), ("v2", "second")):
        (tmp_path / version).mkdir()
        written(tmp_path / version / "rules.yaml", name)()
    (tmp_path / "..data").symlink_to("v1")
    file = tmp_path / "rules.yaml"
    file.symlink_to("..data/rules.yaml")

    def swap() -> None:
        (tmp_path / "..data_tmp").symlink_to("v2")
        (tmp_path / "..data_tmp").rename(tmp_path / "..data")

    seen = Seen(file)
    await seen.run(swap, nothing)

    assert seen.taken == ["second"]
