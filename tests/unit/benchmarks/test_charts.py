"""Pictures of figures: well-formed, with the values that they were given, and words for who can't see them."""

import xml.etree.ElementTree as ET
from typing import Final

import pytest

from benchmarks.report.charts.bars import Bar, Panel, Row, bars
from benchmarks.report.charts.lines import Axis, Point, Series, Zone, lines
from benchmarks.report.charts.ranges import Range, Spot, ranges
from benchmarks.report.charts.scale import linear, logarithmic, short
from benchmarks.report.charts.svg import WIDTH, width_of

SVG: Final = "{http://www.w3.org/2000/svg}"
ROWS: Final = (Row("ours", 0), Row("another <one> & more"))


def parsed(picture: str) -> ET.Element:
    """The picture's root, with what each has to have."""
    root = ET.fromstring(picture)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title"
    assert root[1].tag == f"{SVG}desc"
    assert root[0].text
    assert root[1].text
    style = root.find(f"{SVG}style")
    assert style is not None
    assert "prefers-color-scheme:dark" in (style.text or "")
    for element in root.iter():
        for name in ("x", "x1", "x2", "cx"):
            if (value := element.get(name)) is not None:
                assert 0 <= float(value) <= WIDTH, ET.tostring(element)
        for name in ("y", "y1", "y2", "cy"):
            if (value := element.get(name)) is not None:
                assert 0 <= float(value) <= float(root.get("height", "0")), ET.tostring(element)
    for element in root.iter(f"{SVG}text"):
        left, right = extent(element)
        assert left >= 0, element.text
        assert right <= WIDTH, element.text
    return root


def extent(element: ET.Element) -> tuple[float, float]:
    """About where a text begins and ends."""
    classes, x = (element.get("class") or "").split(), float(element.get("x", "0"))
    size = 18 if "title" in classes else 11.5 if "small" in classes else 13
    wide = width_of(element.text or "", size) * 0.95  # it is rather too much
    if "middle" in classes:
        return x - wide / 2, x + wide / 2
    return (x - wide, x) if "end" in classes else (x, x + wide)


def texts(root: ET.Element) -> list[str]:
    """What is written in it."""
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def widths(root: ET.Element, hue: int) -> list[float]:
    """How long the bars of one colour are."""
    return [
        float(element.get("width", "0"))
        for element in root.iter(f"{SVG}rect")
        if element.get("class") == f"f{hue}"
    ]


def panel(*values: float | None, **more: object) -> Panel:
    """A panel with these values, written as they are."""
    bars_of = [None if value is None else Bar(value, f"{value:g}") for value in values]
    return Panel(title="things a second", better="more", bars=bars_of, **more)  # type: ignore[arg-type]


def test_bars_are_as_long_as_their_values() -> None:
    """One twice as long as the other."""
    root = parsed(bars(title="Two", below="", rows=ROWS, panels=[panel(40.0, 20.0)]))

    assert widths(root, 0)[0] == pytest.approx(2 * widths(root, 1)[0], rel=0.01)
    assert {"Two", "things a second", "more is better", "ours", "another <one> & more", "40", "20"} <= {
        *texts(root)
    }


def test_what_was_not_run_has_no_bar() -> None:
    """And says so, also to who can't see it."""
    root = parsed(bars(title="Two", below="", rows=ROWS, panels=[panel(40.0, None)]))

    assert widths(root, 1) == []
    assert "not run" in texts(root)
    assert "things a second: ours: 40; another <one> & more: not run." in (root[1].text or "")


def test_a_goal_stands_where_its_value_is() -> None:
    """On the axis of the bars."""
    root = parsed(
        bars(title="Two", below="", rows=ROWS, panels=[panel(40.0, 20.0, goal=(20.0, "half of it"))])
    )

    [goal] = [line for line in root.iter(f"{SVG}line") if line.get("class") == "goal"]
    [half] = [rect for rect in root.iter(f"{SVG}rect") if rect.get("class") == "f1"]
    assert float(goal.get("x1", "")) == pytest.approx(
        float(half.get("x", "")) + float(half.get("width", "")), abs=0.1
    )
    assert "half of it" in texts(root)


def test_by_factors_each_power_is_as_far_as_the_next() -> None:
    """Dots, as a bar's length would mean nothing."""
    root = parsed(bars(title="Two", below="", rows=ROWS, panels=[panel(10.0, 100.0, by_factors=True)]))

    ten, hundred = (float(dot.get("cx", "")) for dot in root.iter(f"{SVG}circle"))
    one = min(float(line.get("x1", "")) for line in root.iter(f"{SVG}line"))
    assert ten - one == pytest.approx(hundred - ten, abs=0.1)
    assert widths(root, 0) == []


def test_many_panels_stand_below_each_other() -> None:
    """The names of the rows beside each line of them."""
    root = parsed(bars(title="Five", below="", rows=ROWS, panels=[panel(1.0, 2.0)] * 5, across=3))

    assert texts(root).count("ours") == 2
    assert texts(root).count("things a second") == 5


def test_lines_go_up_where_values_do() -> None:
    """And carry their names and values."""
    root = parsed(
        lines(
            title="By number",
            below="",
            axis=Axis("users", logarithmic(1e3, 1e5), [(1e3, "1,000"), (1e5, "100,000")]),
            unit="µs",
            series=[
                Series("ours", 0, [Point(1e3, 5.0, "5.0"), Point(1e5, 10.0, "10.0", 9.0, 11.0)]),
                Series("other", 1, [Point(1e3, 10.0), Point(1e5, 10.0)]),
            ],
            zone=Zone(4.0, 6.0, "within a fifth"),
            goal=(12.0, "at most"),
        )
    )

    first, second, *_ = (float(dot.get("cy", "")) for dot in root.iter(f"{SVG}circle"))
    assert second < first
    assert {"ours", "other", "5.0", "10.0", "users", "within a fifth", "at most", "1,000"} <= {*texts(root)}
    names = [float(each.get("y", "")) for each in root.iter(f"{SVG}text") if each.text in ("ours", "other")]
    assert abs(names[0] - names[1]) >= 18
    assert "ours (µs), by users: 1,000: 5.0; 100,000: 10.0." in (root[1].text or "")


def test_ranges_go_from_one_point_to_another() -> None:
    """Also where they nearly meet, their texts side by side then."""
    root = parsed(
        ranges(
            title="Delay",
            below="",
            unit="ms",
            names=[("p50", 0), ("p99", 2)],
            rows=[
                Range("half", [Spot(100, "100", 0), Spot(400, "400", 2)]),
                Range("close", [Spot(300, "300", 0), Spot(310, "310", 2)]),
            ],
            goal=(450, "goal"),
        )
    )

    assert {"p50", "p99", "100", "400", "300 · 310", "goal", "half"} <= {*texts(root)}
    assert "half (ms): p50 100, p99 400." in (root[1].text or "")


@pytest.mark.parametrize(
    ("values", "top", "ticks"),
    [((7.0,), 8.0, [0, 2, 4, 6, 8]), ((0.0,), 1.0, [0, 0.5, 1]), ((161_000.0,), 200_000.0, 5)],
)
def test_an_axis_ends_at_a_round_mark(
    values: tuple[float, ...], top: float, ticks: list[float] | int
) -> None:
    """At or above the largest value."""
    scale = linear(*values)

    assert scale.top == top
    assert (len(scale.ticks()) if isinstance(ticks, int) else scale.ticks()) == ticks


def test_what_is_written_at_the_edge_stays_on_the_paper() -> None:
    """However long it is."""
    row = Range("before and after", [Spot(10, "10", 0), Spot(100, "a hundred and many words more", 1)])
    parsed(ranges(title="Two", below="", unit="%", names=[("after", 0), ("before", 1)], rows=[row]))


def test_marks_are_short() -> None:
    """As they stand on an axis."""
    assert [short(value) for value in (0, 0.5, 150, 2000, 1.5e6)] == ["0", "0.5", "150", "2 k", "1.5 M"]
