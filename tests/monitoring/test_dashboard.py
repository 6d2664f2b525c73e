"""The dashboard asks for what is measured, shows all of it, and is drawn in the docs from real series."""

import os
import re
import subprocess
from html import escape
from pathlib import Path
from typing import Any, Final

import pytest

from docs.dashboard.grafana import dashboard
from docs.dashboard.panels import ROWS, SELECTED, Panel, Unit
from docs.dashboard.picture import Line, axis, named, picture, told
from tests.monitoring.everyday import HOUR_SECONDS, SCRAPE_SECONDS, Scrapes
from tests.support.prometheus import Prometheus, running_prometheus

PICTURE: Final = Path(__file__).parents[2] / "docs" / "images" / "dashboard.svg"
PANELS: Final = [(row.question, panel) for row in ROWS for panel in row.panels]
BEGINNING: Final = 1_790_000_000
"""When the hour begins, in epoch seconds: any time will do."""

STEP_SECONDS: Final = 30


def asked(text: str) -> set[str]:
    """The samples that an expression names."""
    return set(re.findall(r"\baudience_sync_\w+", text))


def test_every_panel_asks_for_what_is_measured(served: dict[str, list[dict[str, str]]]) -> None:
    """Series and labels that are not there would be an empty panel."""
    for _, panel in PANELS:
        for query in panel.queries:
            assert asked(query.expression) <= served.keys(), panel.title
            labels = set().union(*(each for name in asked(query.expression) for each in served[name]))
            by = re.findall(r"by \(([\w, ]+)\)", query.expression)
            grouped = {label.strip() for each in by for label in each.split(",")}
            assert grouped <= labels | {"instance"}, panel.title
            assert set(re.findall(r"\{\{(\w+)\}\}", query.legend)) <= grouped | {"instance"}, panel.title


def test_every_metric_is_on_the_dashboard(served: dict[str, list[dict[str, str]]]) -> None:
    """Whoever adds one says where it is to be seen."""
    shown = {name for _, panel in PANELS for query in panel.queries for name in asked(query.expression)}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in served} - families == set()


def test_it_is_a_dashboard_as_grafana_wants_it() -> None:
    """Panels do not overlap, each has its number, its source and its words."""
    made = dashboard()
    panels = [panel for panel in made["panels"] if panel["type"] != "row"]
    assert len(panels) == len(PANELS)
    assert len({panel["id"] for panel in made["panels"]}) == len(made["panels"])
    cells: set[tuple[int, int]] = set()
    for panel in made["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        mine = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not mine & cells, panel["title"]
        cells |= mine
    for panel in panels:
        assert panel["description"].endswith(".")
        assert all(target["expr"] and target["datasource"] for target in panel["targets"])


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, Unit.NUMBER, "0"),
        (950.0, Unit.NUMBER, "950"),
        (1500.0, Unit.NUMBER, "1.5k"),
        (2_500_000.0, Unit.NUMBER, "2.5M"),
        (0.25, Unit.SECONDS, "250 ms"),
        (30.0, Unit.SECONDS, "30 s"),
        (180.0, Unit.SECONDS, "3 min"),
        (2.0, Unit.PER_SECOND, "2/s"),
        (0.5, Unit.PART, "50%"),
    ],
)
def test_values_are_told_in_few_characters(value: float, unit: Unit, text: str) -> None:
    """As one reads them."""
    assert told(value, unit) == text


@pytest.mark.parametrize("highest", [0.0, 0.003, 0.9, 1.0, 1.1, 9.99, 10.0, 61.0, 12_345.0])
def test_an_axis_ends_at_a_round_number_above_all_values(highest: float) -> None:
    """And not far above."""
    end, steps = axis(highest)
    assert end >= highest
    assert end <= max(2 * highest, 1.0)
    assert steps in range(2, 6)


def test_the_picture_is_drawn_from_an_hour_of_real_series(
    prometheus: str, promtool: str, hour: Scrapes, tmp_path: Path
) -> None:
    """Three replicas lived through an hour, and a real Prometheus has what they served.

    Each panel's questions were put to it.
    Each that must have an answer had one, and the picture in the docs shows all panels.
    """
    write_blocks(promtool, hour, tmp_path)
    with running_prometheus(prometheus, tmp_path, data=tmp_path / "blocks", keeps="100y") as server:
        series = {(question, panel.title): list(answers(server, panel)) for question, panel in PANELS}
    silent = {title for (_, title), lines in series.items() if not lines}
    assert silent <= {"Codes of the Chat API", "Dead letters"}  # nothing of either in a good hour
    drawn = picture(series, minutes=HOUR_SECONDS / 60)
    for question, panel in PANELS:
        assert escape(panel.title) in drawn
        assert question in drawn
    if os.environ.get("AUDIENCE_SYNC_TEST_WRITE_PAGES") == "1":
        PICTURE.write_text(drawn)
    assert PICTURE.read_text().count("<polyline") == drawn.count("<polyline")


def write_blocks(promtool: str, hour: Scrapes, folder: Path) -> None:
    """What was scraped, as Prometheus keeps it."""
    lines: list[str] = []
    for series, values in hour.scraped().items():
        for index, value in enumerate(values):
            if value is not None:
                lines.append(f"{series.text()} {value} {BEGINNING + index * SCRAPE_SECONDS}")
    (folder / "scraped").write_text("\n".join([*lines, "# EOF\n"]))
    subprocess.run(
        [promtool, "tsdb", "create-blocks-from", "openmetrics", folder / "scraped", folder / "blocks"],
        check=True,
        capture_output=True,
    )


def answers(server: Prometheus, panel: Panel) -> list[Line]:
    """The lines of a panel, from the first minute on."""
    lines: list[Line] = []
    for query in panel.queries:
        expression = query.expression.replace(SELECTED, 'job="audience-sync"').replace(
            "$__rate_interval", "2m"
        )
        found: list[dict[str, Any]] = server.query_range(
            expression, start=BEGINNING + 60, end=BEGINNING + HOUR_SECONDS, step=STEP_SECONDS
        )
        for each in found:
            points = [((at - BEGINNING) / 60, float(value)) for at, value in each["values"] if value != "NaN"]
            if points:
                lines.append((named(query.legend, each["metric"]), points))
    return lines
