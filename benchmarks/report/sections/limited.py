"""How well the service uses the calls that the API allows."""

from collections.abc import Sequence
from typing import Final

from benchmarks.parts.limited import Figures, Run
from benchmarks.report.charts.bars import Bar, Panel, Row, bars
from benchmarks.report.numbers import exact, percent, ratio
from benchmarks.report.section import Goal, Part, Section, picture, table

OVER_FEWEST: Final = 1.02
USERS: Final = 99.0
REFUSED: Final = 0.001
PACE: Final = 0.98
OVER_MODEL: Final = 1.02


def goals(figures: Figures | None) -> list[Goal]:
    """Full requests, none refused, all of the pace, and nothing sent that the debounce does not ask for."""
    backlog = None if figures is None else figures.backlog
    parts = None if figures is None else figures.crowd.parts_over_ideal
    refused = None if figures is None else max(figures.backlog.refused_share, figures.crowd.refused_share)
    return [
        Goal(
            key="requests-over-fewest",
            what="at the API's limit, requests ÷ as many as full ones would be",
            wanted="at most 1.02",
            reached=None if backlog is None else ratio(backlog.requests_over_fewest),
            met=backlog is not None and backlog.requests_over_fewest <= OVER_FEWEST,
        ),
        Goal(
            key="users-per-request",
            what="users a request there",
            wanted="at least 99",
            reached=None if backlog is None else f"{backlog.users_per_request:.1f}",
            met=backlog is not None and backlog.users_per_request >= USERS,
        ),
        Goal(
            key="refused-for-their-rate",
            what="requests refused for their rate, with attributes alone and with tags",
            wanted="at most 0.1 %",
            reached=None if refused is None else percent(refused),
            met=refused is not None and refused <= REFUSED,
        ),
        Goal(
            key="pace-used",
            what="of the configured pace (97 % of the limit), used while users are ready",
            wanted="at least 98 %",
            reached=None if backlog is None else percent(backlog.pace_used),
            met=backlog is not None and backlog.pace_used >= PACE,
        ),
        Goal(
            key="parts-over-the-model",
            what="parts of users sent ÷ those that an ideal sender with the same debounce would send",
            wanted="at most 1.02",
            reached=None if parts is None else ratio(parts),
            met=parts is not None and parts <= OVER_MODEL,
        ),
    ]


def section(figures: Figures) -> Section:
    """Both runs."""
    return Section(
        title="At the API's limit",
        text=f"""\
{picture("limited", "Users a request, the part of the pace that is used, and requests beyond the fewest")}

{
            table(
                (
                    "",
                    "events",
                    "users",
                    "limit, calls a second",
                    "requests ÷ fewest",
                    "users a request",
                    "refused",
                    "pace used",
                    "parts ÷ model",
                    "requests ÷ model",
                    "CPU s in s",
                    "users out of step",
                ),
                [
                    _row("backlog, attributes", figures.backlog),
                    _row("stream, attributes and tags", figures.crowd),
                ],
            )
        }

The model (`benchmarks/ideal.py`) is an ideal sender with the same debounce and the same pace, and shares no code with
the service. Its own requests are not all full in the stream: who has tags and attributes stands in line for one call
after another. The pace is that of the endpoint with the most calls, between the first tenth of them and the last.""",
        pictures={"limited": _picture((("backlog", figures.backlog), ("stream", figures.crowd)))},
    )


def _row(name: str, run: Run) -> list[str]:
    return [
        name,
        exact(run.events),
        exact(run.users),
        f"{run.calls_per_second:g}",
        ratio(run.requests_over_fewest),
        f"{run.users_per_request:.1f}",
        percent(run.refused_share),
        percent(run.pace_used),
        "" if run.parts_over_ideal is None else ratio(run.parts_over_ideal),
        "" if run.requests_over_ideal is None else ratio(run.requests_over_ideal),
        f"{run.cpu_seconds:.0f} in {run.seconds:.0f}",
        exact(run.out_of_step),
    ]


def _picture(both: Sequence[tuple[str, Run]]) -> str:
    runs = [run for _, run in both]
    return bars(
        title="At the API's limit",
        below="A backlog at 100 calls a second, and a stream that brings more than its limit carries",
        rows=[Row(name, 0) for name, _ in both],
        panels=[
            Panel(
                title="users a request, of 100",
                better="more",
                bars=[Bar(run.users_per_request, f"{run.users_per_request:.1f}") for run in runs],
                goal=(USERS, "goal: 99"),
            ),
            Panel(
                title="of the pace used, %",
                better="more",
                bars=[Bar(100 * run.pace_used, percent(run.pace_used)) for run in runs],
                goal=(100 * PACE, "goal: 98 %"),
            ),
            Panel(
                title="requests ÷ fewest",
                better="less",
                bars=[Bar(run.requests_over_fewest, ratio(run.requests_over_fewest)) for run in runs],
                goal=(OVER_FEWEST, "goal: 1.02"),
            ),
        ],
    )


PART = Part("limited", Figures, goals, section)
