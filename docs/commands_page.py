"""Makes docs/commands.md from what the commands themselves say: `make docs`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer.main

from audience_sync.commands import app

HEAD: Final = """\
# Commands

<!-- Made from the code by `make docs`. Change it there. -->

What `--help` says of each. Results go to standard output, everything else to standard error. Whose account, which
brokers and which rules: the [settings](settings.md) say so, for all commands alike.
"""

MORE: Final = {
    "run": "[operations](operations.md#starting-and-stopping), [a rehearsal](planning.md#beside-production)",
    "check-config": "[operations](operations.md#starting-and-stopping)",
    "plan": "[planning](planning.md)",
    "capacity": "[how it grows](scale.md)",
    "emulate": "[the emulator](emulator.md)",
    "demo": "[the demo](demo.md)",
    "probe": "[the probe](probe.md)",
    "status": "[the operator's page](operators-page.md)",
    "rules": "[cases for rules](planning.md#cases-for-rules)",
    "chat": "[the Chat API from the shell](chat-commands.md)",
    "dead-letters": "[dead letters](dead-letters.md)",
}
"""{command or group: where more is told}."""

WORDS: Final = {
    "str": "text",
    "int": "whole number",
    "int range": "whole number",
    "float": "number",
    "float range": "number",
    "path": "path of a file",
}
"""{a type, as the library calls it: as the page does}."""


def commands_page() -> str:
    """Every command with its arguments and options."""
    program: Any = typer.main.get_command(app)
    return "\n".join((HEAD, *_sections(program, "", level=2)))


def _sections(group: Any, path: str, *, level: int) -> Iterator[str]:
    for name, command in group.commands.items():
        more = f" More: {MORE[name]}." if level == 2 and name in MORE else ""
        yield f"{'#' * level} {path}{name}\n\n{_line(command.help)}{more}\n"
        if hasattr(command, "commands"):
            yield from _sections(command, f"{path}{name} ", level=level + 1)
        elif command.params:
            rows = "".join(_row(parameter) for parameter in command.params)
            yield f"| option | may be | default | what it says |\n| --- | --- | --- | --- |\n{rows}"


def _row(parameter: Any) -> str:
    """An option by its names, an argument as help shows it."""
    is_option = parameter.param_type_name == "option"
    name = ", ".join(parameter.opts) if is_option else parameter.name.upper()
    is_told = parameter.default not in (None, False, "") and not isinstance(parameter.default, Path)
    default = f"`{_plain(parameter.default)}`" if is_told else ""
    return f"| `{name}` | {_kind(parameter)} | {default} | {_line(parameter.help)} |\n"


def _kind(parameter: Any) -> str:
    if getattr(parameter, "is_flag", False):
        return ""
    kind = parameter.type
    if choices := getattr(kind, "choices", None):
        return ", ".join(f"`{_plain(choice)}`" for choice in choices)
    words = [WORDS.get(kind.name, kind.name)]
    if (low := getattr(kind, "min", None)) is not None:
        words.append(f"from {low:,.12g}")
    if (high := getattr(kind, "max", None)) is not None:
        words.append(f"up to {high:,.12g}")
    return " ".join(words)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(getattr(value, "value", value))


def _line(text: str | None) -> str:
    """One line, for a cell of a table."""
    return " ".join((text or "").split()).replace("|", "\\|")
