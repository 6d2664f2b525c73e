"""How a probe's plan and its findings are shown."""

import msgspec

from audience_sync.chat_api.profile import Document
from audience_sync.commands.terminal.output import View, output
from audience_sync.commands.terminal.words import counted, say
from audience_sync.probe.calling import PUSH_SECONDS
from audience_sync.probe.inquiry import Found
from audience_sync.probe.plan import Plan, Step
from audience_sync.probe.report import rows


class Row(msgspec.Struct, frozen=True):
    """One open point of the documentation, after the asking."""

    switch: str
    value: str
    why: str


_STEPS: View[Step] = View(
    columns=("question", "decides", "calls", "how, or why not"),
    rows=lambda step: [
        (
            step.question,
            ", ".join(step.decides),
            "-" if step.not_asked else str(step.most_calls),
            f"not asked: {step.not_asked}" if step.not_asked else step.asks,
        )
    ],
    fields=msgspec.structs.asdict,
)
_ROWS: View[Row] = View(
    columns=("open point", "found", "evidence, or why it stays open"),
    rows=lambda row: [(row.switch, row.value, row.why)],
    fields=msgspec.structs.asdict,
)


def cost(plan: Plan, calls_per_second: float) -> str:
    """What a plan costs, in words."""
    seconds = plan.most_calls / calls_per_second + plan.most_pushes * PUSH_SECONDS
    pushes = f"{plan.most_pushes} push{'' if plan.most_pushes == 1 else 'es'}"
    return f"at most {counted(plan.most_calls, 'call')}, {pushes} among them, in about {seconds:.0f} seconds"


def show_plan(plan: Plan, *, calls_per_second: float, as_json: bool) -> None:
    """Show what would be asked."""
    if as_json:
        print(msgspec.json.encode(plan).decode())
        return
    output(as_json=False).show(_STEPS, plan.steps)
    say(f"In all {cost(plan, calls_per_second)}. Nothing was asked.")


def show_findings(found: Found, document: Document, *, as_json: bool) -> None:
    """Show what was found; beside it, what is not as it was."""
    if as_json:
        shown = {**msgspec.to_builtins(document), "remains": found.remains, "stopped": found.stopped}
        print(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())
    else:
        output(as_json=False).show(_ROWS, (Row(*row) for row in rows(found)))
    for remark in found.remains:
        say(f"Not as it was: {remark}")
