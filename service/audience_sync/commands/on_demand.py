"""Commands that are imported when one of them is asked for, since each needs another part of the program."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any, Final, cast

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

PLACES: Final = {
    "run": "run:run",
    "check-config": "check_config:check_config",
    "plan": "plan:plan",
    "capacity": "capacity:capacity",
    "asyncapi": "asyncapi:asyncapi",
    "emulate": "emulate:emulate",
    "demo": "demo:demo",
    "probe": "probe:probe",
    "status": "operator.status:status",
    "user": "operator.user:user",
    "pause": "operator.pausing:pause",
    "resume": "operator.pausing:resume",
    "log-level": "operator.log_level:log_level",
    "rules": "rules:rules_commands",
    "chat": "chat:chat_commands",
    "dead-letters": "dead_letters:dead_letter_commands",
}
"""{command: module in this folder, and its name there}, in the order in which the help names them."""


class OnDemand(TyperGroup):
    """The program: it knows the names of its commands, and imports only what is asked for."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = cast(Any, _Commands())

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - as the library calls it
        """Their names."""
        return list(PLACES)


class _Commands(Mapping[str, Any]):
    def __getitem__(self, name: str) -> Any:
        return _imported(name)

    def __contains__(self, name: object) -> bool:
        return name in PLACES

    def __iter__(self) -> Iterator[str]:
        return iter(PLACES)

    def __len__(self) -> int:
        return len(PLACES)


@cache
def _imported(name: str) -> Any:
    """The command, or the group of commands. Raises KeyError if there is none of that name."""
    module, _, attribute = PLACES[name].partition(":")
    found = getattr(import_module(f"{__package__}.{module}"), attribute)
    if isinstance(found, typer.Typer):
        return get_group(found)
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command(name)(found)
    return get_command(alone)
