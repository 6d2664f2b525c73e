"""Plays a scenario and compares its figures with what the file expects. Every promise is judged besides."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from tests.scenarios import figures
from tests.scenarios.figures import Figures
from tests.scenarios.scenario import Scenario, first_sentence, read_scenario
from tests.scenarios.staging import plan_of, trouble_begins_at, trouble_ends_at
from tests.simulation.runner import broken_by
from tests.simulation.world import World, live


class Played(msgspec.Struct, frozen=True):
    """What came of a scenario. broken: the promise that was broken, with its timetable, or nothing."""

    sentence: str
    figures: Mapping[str, float]
    wrong: list[str]
    broken: str | None

    @property
    def is_as_expected(self) -> bool:
        """Whether all is well."""
        return not self.wrong and self.broken is None

    def told(self) -> str:
        """What was not as expected, a line each."""
        return "\n".join([*self.wrong, *([self.broken] if self.broken else [])])


def read(file: Path) -> Scenario:
    """The scenario in a file. Raises ScenarioError."""
    return read_scenario(file.read_text(), file=file.name, figures=figures.NAMES)


def play(file: Path) -> Played:
    """Play the scenario in a file. Raises ScenarioError, SettingsError."""
    scenario = read(file)
    seen: list[Figures] = []

    def watch(world: World) -> Figures:
        seen.append(Figures(world, (trouble_begins_at(scenario), trouble_ends_at(scenario))))
        return seen[0]

    world = live(plan_of(scenario), watch)
    found = {name: seen[0].of(name) for name in figures.NAMES}
    broken = broken_by(world)
    return Played(
        sentence=first_sentence(file.read_text()),
        figures=found,
        wrong=list(_wrong(scenario, found)),
        broken=None if broken is None else "\n".join([f"{broken.promise}: {broken.what}", *broken.lines]),
    )


def _wrong(scenario: Scenario, found: Mapping[str, float]) -> Iterator[str]:
    for name, (least, most) in scenario.expect.items():
        if not least <= found[name] <= most:
            yield f"{name} is {found[name]:g}, and not between {least:g} and {most:g}"
