"""What others would use, beside us."""

from collections.abc import Callable, Sequence

from benchmarks.measuring import Spread, spread
from benchmarks.parts.peers import Figures
from benchmarks.report.charts.bars import Bar, Panel, Row, bars
from benchmarks.report.numbers import count, exact, megabytes, microseconds, ratio
from benchmarks.report.numbers import spread as with_spread
from benchmarks.report.section import Goal, Part, Section, picture, table
from benchmarks.rig import Outcome

Of = Callable[[Outcome], float]


def _events_per_second(run: Outcome) -> float:
    return run.events_per_second


def _cpu(run: Outcome) -> float:
    return run.microseconds_per_event


def _calls(run: Outcome) -> float:
    return run.requests / run.fewest_requests


def _peak(run: Outcome) -> float:
    return run.memory.peak_resident


def _wrong(run: Outcome) -> float:
    return run.out_of_step or 0


def goals(figures: Figures | None) -> list[Goal]:
    """Ahead of everybody in everything at once."""
    what = "ahead of every peer at once in events a second, CPU an event, calls, and users in step"
    if figures is None:
        return [Goal(key="ahead-of-every-peer", what=what, wanted="in all four")]
    behind = list(_behind(figures))
    return [
        Goal(
            key="ahead-of-every-peer",
            what=what,
            wanted="in all four",
            reached=f"behind in {', '.join(behind)}" if behind else "ahead in all four",
            met=not behind,
        )
    ]


def _behind(figures: Figures) -> Sequence[str]:
    """What somebody does better than our worse run. Nobody is behind where both are the same."""
    ours, others = _ours(figures.all_known), _others(figures.all_known)
    wrong = _ours(figures.with_strangers), _others(figures.with_strangers)
    compared: list[tuple[str, Of, bool, tuple[list[Outcome], list[Outcome]]]] = [
        ("events a second", _events_per_second, True, (ours, others)),
        ("CPU an event", _cpu, False, (ours, others)),
        ("calls", _calls, False, (ours, others)),
        ("users in step", _wrong, False, (ours, others)),
        ("users in step beside unknown ones", _wrong, False, wrong),
    ]
    found = []
    for name, of, more_is_better, (mine, theirs) in compared:
        sign = -1 if more_is_better else 1
        worse = max(sign * of(each) for each in mine)
        better = sorted({each.contestant for each in theirs if sign * of(each) < worse})
        if better:
            found.append(f"{name} ({', '.join(better)})")
    return found


def section(figures: Figures) -> Section:
    """Each one's figures, and how it was set up."""
    ours = _ours(figures.all_known)
    names = _names(figures)
    partial = sorted({run.contestant for run in figures.all_known if run.events < ours[0].events})
    first = {run.contestant: exact(run.events) for run in figures.all_known}
    notes = [
        f"*{name}* was given the first {first[name]} events only; all would take too long."
        for name in partial
    ]
    configurations = "\n".join(f"- *{name}*: {text}" for name, text in figures.configurations.items())
    missing = "\n".join(f"- *{name}*: {why}." for name, why in figures.not_here.items())
    rows = [_row(name, figures) for name in names]
    head = (
        "",
        "events a second",
        "CPU an event",
        "calls ÷ fewest",
        "peak memory",
        "users out of step",
        "beside unknown ones",
    )
    return Section(
        title="Beside what others would use",
        text=f"""\
{exact(ours[0].events)} events over {exact(ours[0].users)} users, no limit of calls, the same stub of the Chat API
for all. Each folds what it can, sends requests of up to 100 users, and commits what is confirmed. We ran first and
last. Calls are divided by the fewest that could carry what all events add up to.

{picture("peers", "Events a second, CPU an event, calls and users out of step, beside others")}

{table(head, rows)}

The last column is of a second run, in which the API does not know {figures.strangers} of the users, and refuses every
request with one of them: how many of the *other* users are not as their events say. {" ".join(notes)}

{configurations}

Not measured:

{missing}""",
        pictures={"peers": _picture(figures, names)},
    )


def _names(figures: Figures) -> list[str]:
    return list(dict.fromkeys(run.contestant for run in figures.all_known))


def _ours(runs: Sequence[Outcome]) -> list[Outcome]:
    """The first is ours."""
    return [run for run in runs if run.contestant == runs[0].contestant]


def _others(runs: Sequence[Outcome]) -> list[Outcome]:
    return [run for run in runs if run.contestant != runs[0].contestant]


def _of(name: str, runs: Sequence[Outcome], of: Of) -> Spread | None:
    found = [of(run) for run in runs if run.contestant == name]
    return spread(found) if found else None


def _row(name: str, figures: Figures) -> list[str]:
    def written(of: Of, how: Callable[[float], str], runs: Sequence[Outcome] = figures.all_known) -> str:
        found = _of(name, runs, of)
        return "no end" if found is None else with_spread(found, how)

    return [
        name,
        written(_events_per_second, count),
        written(_cpu, microseconds),
        written(_calls, ratio),
        written(_peak, megabytes),
        written(_wrong, exact),
        written(_wrong, exact, figures.with_strangers),
    ]


def _picture(figures: Figures, names: Sequence[str]) -> str:
    def drawn(
        of: Of, how: Callable[[float], str], runs: Sequence[Outcome] = figures.all_known
    ) -> list[Bar | None]:
        found = [_of(name, runs, of) for name in names]
        return [
            None
            if each is None
            else Bar(each.median, how(each.median), *((each.lowest, each.highest) if each.count > 1 else ()))
            for each in found
        ]

    return bars(
        title="Beside what others would use",
        below="The same events in one run. The last one: with users whom the API does not know among them",
        rows=[Row(name, 1 if number else 0) for number, name in enumerate(names)],
        across=2,
        panels=[
            Panel(title="events a second", better="more", bars=drawn(_events_per_second, count)),
            Panel(title="µs of CPU an event", better="less", by_factors=True, bars=drawn(_cpu, count)),
            Panel(title="calls ÷ fewest", better="less", by_factors=True, bars=drawn(_calls, ratio)),
            Panel(
                title="other users wrong", better="less", bars=drawn(_wrong, exact, figures.with_strangers)
            ),
        ],
    )


PART = Part("peers", Figures, goals, section)
