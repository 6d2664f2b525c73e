"""The findings as a page: sections of rows, for a terminal or for a file."""

from dataclasses import dataclass

from audience_sync.commands.demonstration.findings import Findings, fewest_calls
from audience_sync.core.limits import USERS_PER_REQUEST


@dataclass(frozen=True)
class Section:
    """A heading and its rows: what, and how much."""

    title: str
    rows: list[tuple[str, str]]


def page(findings: Findings) -> list[Section]:
    """All that is worth telling, the most important last: what scrolls away first is read least."""
    return [
        _what_came_in(findings),
        _what_went_out(findings),
        *(_sample(findings, user) for user in findings.samples()),
        Section(
            "Audiences",
            [
                (each.name, f"{each.in_chat:,} users ({each.by_events:,} by the events)")
                for each in findings.audiences()
            ],
        ),
        Section(
            "What must hold",
            [
                (check.name, f"{'ok' if check.held else 'WRONG'}: {check.found}")
                for check in findings.checks()
            ],
        ),
    ]


def text(sections: list[Section]) -> str:
    """The page as plain lines."""
    width = max(len(name) for section in sections for name, _ in section.rows)
    lines = []
    for section in sections:
        lines += ["", section.title, *(f"  {name:<{width}}  {value}" for name, value in section.rows)]
    return "\n".join(lines)


def _what_came_in(findings: Findings) -> Section:
    rows = [
        ("events", f"{findings.sent:,} of {len(findings.truth):,} users"),
        ("changes they caused", f"{findings.reading.changes:,}"),
    ]
    causes = ", ".join(f"{cause} {count}" for cause, count in sorted(findings.reading.dead_letters.items()))
    return Section("What came in", [*rows, ("dead letters", f"{findings.letters:,} ({causes or 'none'})")])


def _what_went_out(findings: Findings) -> Section:
    reading, counts = findings.reading, findings.reading.counts
    rows = [
        (endpoint, _requests(calls, counts.user_parts.get(endpoint, 0)))
        for endpoint, calls in sorted(counts.calls.items())
    ]
    rows.append(("all requests", _requests(counts.requests, counts.parts)))
    saved = f" ({reading.saved_calls / reading.changes:.1%})" if reading.changes else ""
    if counts.parts:
        folded = reading.changes / counts.parts
        rows.append(
            ("folding", f"{reading.changes:,} changes into {counts.parts:,} user parts, {folded:.1f} each")
        )
    rows.append(("one call for each change", f"would be {reading.changes:,} calls"))
    rows.append(("calls saved", f"{reading.saved_calls:,}{saved}"))
    if fewest := fewest_calls(counts):
        rows.append(
            (
                "calls / minimum",
                f"{counts.requests / fewest:.2f} (if each but the last were full, "
                f"{USERS_PER_REQUEST} users: {fewest:,} calls)",
            )
        )
    rows.append(("in step", f"{findings.settled_seconds:.1f} s after the last event"))
    return Section("What went out, as the Chat API counted it", rows)


def _requests(calls: int, parts: int) -> str:
    average = f", {parts / calls:.1f} users a request" if calls else ""
    return f"{calls:,} requests, {parts:,} user parts{average}"


def _sample(findings: Findings, user: str) -> Section:
    truth, found = findings.truth.get(user), findings.users.get(user)
    title = f"{user}, the restless one" if user == findings.restless else user
    rows = []
    if truth is not None:
        rows.append((f"the last of {truth.events:,} events", ", ".join(truth.last)))
        rows.append(("by the events", _told(truth.attributes, truth.tags)))
    rows.append(("in the Chat API", _told(found.attributes, found.tags) if found else "nothing"))
    return Section(title, rows)


def _told(attributes: dict[str, str], tags: list[str] | set[str]) -> str:
    return ", ".join([*(f"{name} {attributes[name]}" for name in sorted(attributes)), *sorted(tags)])
