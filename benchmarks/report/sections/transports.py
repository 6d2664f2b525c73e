"""What a request costs, by HTTP client."""

from benchmarks.measuring import Spread
from benchmarks.parts.transports import Figures
from benchmarks.report.charts.bars import Bar, Panel, Row, bars
from benchmarks.report.numbers import ratio, spread
from benchmarks.report.section import Goal, Part, Section, picture


def goals(_: Figures | None) -> list[Goal]:
    """None was promised: the part shows what a choice costs."""
    return []


def section(figures: Figures) -> Section:
    """All three, and what ours is of the others."""
    return Section(
        title="A request of a hundred users, by HTTP client",
        text=f"""\
{picture("transports", "CPU a request with three HTTP clients")}

A request as the service sends it, signed and with its verdicts read, costs
{spread(figures.ours_milliseconds, _milliseconds)} of CPU. The same over httpx's own transport costs
{spread(figures.httpx_milliseconds, _milliseconds)}: ours is {spread(figures.ours_per_httpx, ratio)} of it. aiohttp
alone, where the body is encoded and the answer decoded and nothing is signed, checked or judged, takes
{spread(figures.aiohttp_milliseconds, _milliseconds)}; ours is {spread(figures.ours_per_aiohttp, ratio)} times that.
Median (lowest to highest) of {figures.ours_milliseconds.count} turns; eight requests at once, in one process.
[Why httpx on aiohttp](decisions/0008-httpx-on-aiohttps-connections.md).""",
        pictures={"transports": _picture(figures)},
    )


def _picture(figures: Figures) -> str:
    return bars(
        title="A request of a hundred users, by HTTP client",
        below="In turns in one process. Whiskers: from the lowest turn to the highest",
        rows=[Row("httpx as it comes"), Row("ours: httpx on aiohttp", 0), Row("aiohttp alone")],
        panels=[
            Panel(
                title="milliseconds of CPU a request",
                better="less",
                bars=[
                    _bar(each)
                    for each in (
                        figures.httpx_milliseconds,
                        figures.ours_milliseconds,
                        figures.aiohttp_milliseconds,
                    )
                ],
            )
        ],
    )


def _bar(of: Spread) -> Bar:
    return Bar(of.median, f"{of.median:.2f}", of.lowest, of.highest)


def _milliseconds(value: float) -> str:
    return f"{value:.2f} ms"


PART = Part("transports", Figures, goals, section)
