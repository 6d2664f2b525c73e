"""The whole path, from Kafka to a commit after the confirmation, beside reading and decoding alone."""

from benchmarks.parts.throughput import Figures, Turns
from benchmarks.report.charts.bars import Bar, Panel, Row, bars
from benchmarks.report.numbers import count, exact, microseconds, percent, ratio, spread
from benchmarks.report.section import Goal, Part, Section, picture, table

SHARE = 0.5
CPU = 2.0


def goals(figures: Figures | None) -> list[Goal]:
    """At least half as fast as the ceiling, for at most twice its CPU."""
    share = None if figures is None else figures.soon.share_of_the_ceiling
    cpu = None if figures is None else figures.by_default.times_the_ceilings_cpu
    return [
        Goal(
            key="share-of-the-ceiling",
            what="events a second through the whole path, one process, ÷ the bare consumer's",
            wanted="at least 50 %",
            reached=None if share is None else spread(share, percent),
            met=share is not None and share.median >= SHARE,
        ),
        Goal(
            key="times-the-ceilings-cpu",
            what="CPU of the whole path ÷ the bare consumer's, a million events, default settings",
            wanted="at most 2",
            reached=None if cpu is None else spread(cpu, ratio),
            met=cpu is not None and cpu.median <= CPU,
        ),
    ]


def section(figures: Figures) -> Section:
    """Both pairs of runs."""
    soon, by_default = figures.soon, figures.by_default
    configurations = "\n".join(f"- *{name}*: {text}" for name, text in figures.contestants.items())
    out_of_step = soon.users_out_of_step + by_default.users_out_of_step
    return Section(
        title="The whole path against the ceiling",
        text=f"""\
Events are read from Kafka, decoded, put through the rules, folded, sent in requests, confirmed and committed. The
ceiling only reads, decodes and commits: no service on FastStream can be faster. Both take turns, so a busy machine
slows both.

{picture("throughput", "Events a second and CPU an event, beside the ceiling")}

{
            table(
                (
                    "",
                    "events a second",
                    "ceiling",
                    "share",
                    "CPU an event",
                    "ceiling",
                    "times",
                    "calls ÷ fewest",
                ),
                [_row("sends soon (0.2 s quiet)", soon), _row("default settings (2 s quiet)", by_default)],
            )
        }

Median (lowest to highest) of {soon.events_per_second.count} and {
            by_default.events_per_second.count
        } turns, of
{exact(soon.ours[0].events)} and {exact(by_default.ours[0].events)} events over {
            exact(soon.ours[0].users)
        } and
{
            exact(by_default.ours[0].users)
        } users. Events a second of the default settings hold two seconds of waiting on purpose; CPU does not.
Users out of step at the end: {exact(out_of_step)}.

{configurations}""",
        pictures={"throughput": _picture(figures)},
    )


def _row(name: str, turns: Turns) -> list[str]:
    return [
        name,
        count(turns.events_per_second.median),
        count(turns.ceiling_events_per_second.median),
        spread(turns.share_of_the_ceiling, percent),
        microseconds(turns.microseconds_per_event.median),
        microseconds(turns.ceiling_microseconds_per_event.median),
        spread(turns.times_the_ceilings_cpu, ratio),
        ratio(turns.requests_per_fewest.median),
    ]


def _picture(figures: Figures) -> str:
    soon, by_default = figures.soon, figures.by_default
    ours, ceiling = soon.events_per_second, soon.ceiling_events_per_second
    cpu, ceiling_cpu = by_default.microseconds_per_event, by_default.ceiling_microseconds_per_event
    return bars(
        title="The whole path against the ceiling",
        below="One process each, in turns, no limit of calls. Whiskers: from the lowest turn to the highest",
        rows=[Row("bare consumer"), Row("audience-sync", 0)],
        panels=[
            Panel(
                title="events a second",
                better="more",
                bars=[
                    Bar(ceiling.median, count(ceiling.median), ceiling.lowest, ceiling.highest),
                    Bar(
                        ours.median,
                        f"{count(ours.median)} ({percent(soon.share_of_the_ceiling.median)})",
                        ours.lowest,
                        ours.highest,
                    ),
                ],
                goal=(SHARE * ceiling.median, "goal: half of it"),
            ),
            Panel(
                title="µs of CPU an event",
                better="less",
                bars=[
                    Bar(
                        ceiling_cpu.median,
                        f"{ceiling_cpu.median:.1f}",
                        ceiling_cpu.lowest,
                        ceiling_cpu.highest,
                    ),
                    Bar(
                        cpu.median,
                        f"{cpu.median:.1f} ({ratio(by_default.times_the_ceilings_cpu.median)} times)",
                        cpu.lowest,
                        cpu.highest,
                    ),
                ],
                goal=(CPU * ceiling_cpu.median, "goal: at most twice"),
            ),
        ],
    )


PART = Part("throughput", Figures, goals, section)
