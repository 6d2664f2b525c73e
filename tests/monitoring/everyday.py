"""An hour of the real service on virtual time, as Prometheus would have scraped it."""

from contextvars import Context, copy_context
from pathlib import Path
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry

from audience_sync.telemetry.gauges import keep_gauges
from audience_sync.telemetry.metrics import Metrics
from audience_sync.telemetry.watch import Watch
from tests.scenarios import figures
from tests.scenarios.scenario import read_scenario
from tests.scenarios.staging import plan_of
from tests.simulation.chat import Judge
from tests.simulation.loop import this_process
from tests.simulation.world import World, live

SCENARIO: Final = Path(__file__).with_name("everyday.yaml")
SCRAPE_SECONDS: Final = 15
HOUR_SECONDS: Final = 3600

Labels = tuple[tuple[str, str], ...]


class Series(NamedTuple):
    """One series of one replica."""

    name: str
    labels: Labels

    def text(self) -> str:
        """As Prometheus writes it."""
        labels = ",".join(f'{name}="{value}"' for name, value in self.labels)
        return f"{self.name}{{{labels}}}"


Scraped = dict[Series, list[float | None]]
"""One value a scrape; None where its replica did not live."""


class Scrapes(Judge):
    """Scrapes every replica that lives, each quarter of a minute."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._registries: dict[str, tuple[Context, CollectorRegistry]] = {}
        self._values: Scraped = {}
        self.scrapes = 0
        world.loop.later(0.0, self._scrape)

    def registry(self) -> CollectorRegistry:
        """A new one for the process that asks."""
        made = CollectorRegistry()
        self._registries[this_process().name] = (copy_context(), made)  # gauges ask the process's own clock
        return made

    def _scrape(self) -> None:
        for replica in self._world.replicas:
            process = replica.process
            if process is not None and not process.is_parked and process.name in self._registries:
                context, registry = self._registries[process.name]
                for series, value in context.run(_samples, registry, f"replica-{replica.number}"):
                    values = self._values.setdefault(series, [])
                    values += [None] * (self.scrapes - len(values))
                    values.append(value)
        self.scrapes += 1
        if self.scrapes <= HOUR_SECONDS // SCRAPE_SECONDS and not self._world.over.is_set():
            self._world.loop.later(SCRAPE_SECONDS, self._scrape)

    def scraped(self) -> Scraped:
        """Every series from the first scrape to the last."""
        return {
            series: [*values, *[None] * (self.scrapes - len(values))]
            for series, values in self._values.items()
        }


def _samples(registry: CollectorRegistry, instance: str) -> list[tuple[Series, float]]:
    ours = (("instance", instance), ("job", "audience-sync"))
    return [
        (Series(sample.name, tuple(sorted((*sample.labels.items(), *ours)))), sample.value)
        for family in registry.collect()
        for sample in family.samples
        if not sample.name.endswith("_created")
    ]


def everyday_hour() -> Scrapes:
    """Live through it. Every promise is judged besides: AssertionError if one was broken."""
    seen: list[Scrapes] = []

    def watch(world: World) -> Scrapes:
        seen.append(Scrapes(world))
        return seen[0]

    scenario = read_scenario(SCENARIO.read_text(), file=SCENARIO.name, figures=figures.NAMES)
    world = live(
        plan_of(scenario),
        watch,
        but={
            "CollectorRegistry": lambda: seen[0].registry(),
            "Metrics": Metrics,
            "keep_gauges": keep_gauges,
            "Watch": Watch,
        },
    )
    assert world.violation is None, world.violation
    return seen[0]
