"""`audience-sync check-config`: the settings and rules in effect, or what is wrong with them."""

import asyncio
import os
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import msgspec
import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from audience_sync.commands import online
from audience_sync.commands.configuration import read_settings_and_rules, with_topics_of_the_broker
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.commands.terminal.words import counted
from audience_sync.core.rules import Rules
from audience_sync.events.inspection import Weight
from audience_sync.events.kafka_admin import KafkaAdminError
from audience_sync.events.security import KafkaSecurityError, tls_context
from audience_sync.outside.chat import signing_key
from audience_sync.outside.kafka import security_of
from audience_sync.rules.problems import RulesError
from audience_sync.settings import PREFIX, Settings, SettingsError, operator_token
from audience_sync.tracing import wanted


def check_config(
    is_online: Annotated[
        bool, typer.Option("--online", help="Ask the broker and the Chat API too. Changes nothing there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Show the settings and rules in effect, secrets masked; or all that is wrong. Connects to nothing.

    With --online it shows what it finds instead: topics, partitions, keys, dead letters, rights, attribute slots.
    """
    settings, rules = read_settings_and_rules()
    if problems := list(_problems(settings)):
        raise Stop(ExitCode.BAD_INPUT, "\n".join(problems))
    if is_online:
        _look_around(settings, rules, as_json=as_json)
        return
    shown = dict(effective(settings))
    if as_json:
        print(
            msgspec.json.format(
                msgspec.json.encode({"settings": shown, "rules": _told(rules)}), indent=2
            ).decode()
        )
        return
    _show(shown, rules)


def _look_around(settings: Settings, rules: Rules, *, as_json: bool) -> None:
    """What the service would meet, all of it at once; a problem ends the command with its code."""
    try:
        rules = with_topics_of_the_broker(settings, rules)
    except RulesError as error:
        raise Stop(ExitCode.BAD_INPUT, str(error)) from error
    except KafkaAdminError:
        pass  # it is found again, and told with the rest
    found, of_names = asyncio.run(online.attribute_slots(settings, rules))
    findings = [*online.kafka_findings(settings, rules), *of_names]
    if as_json:
        content = {"slots": found, "findings": findings}
        print(msgspec.json.format(msgspec.json.encode(content), indent=2).decode())
    else:
        online.show(found, findings)
    if problems := sum(finding.weight is Weight.PROBLEM for finding in findings):
        raise Stop(
            ExitCode.UNAVAILABLE, f"{counted(problems, 'problem')}: the service would not do its work."
        )


def effective(group: BaseModel, name: str = PREFIX) -> Iterator[tuple[str, Any]]:
    """Each setting as its variable and a JSON value; secrets as asterisks."""
    for field in type(group).model_fields:
        value = getattr(group, field)
        variable = f"{name}{field.upper()}"
        if isinstance(value, BaseModel):
            yield from effective(value, f"{variable}__")
        else:
            yield variable, value if value is None or isinstance(value, int | float | str) else str(value)


def _problems(settings: Settings) -> Iterator[str]:
    """What is wrong with the files that settings name: they are read, and what is in them is not told."""

    def security() -> None:
        protection = security_of(settings.kafka)
        tls_context(protection)
        if protection.token is not None:
            protection.token()

    checks: tuple[Callable[[], object], ...] = (
        lambda: signing_key(settings.chat),
        security,
        lambda: operator_token(settings.admin),
        lambda: wanted(os.environ),
    )
    for check in checks:
        try:
            check()
        except (SettingsError, KafkaSecurityError) as error:
            yield str(error)


def _told(rules: Rules) -> dict[str, Any]:
    return {
        "topics": list(rules.topics),
        "attributes": list(rules.attribute_names),
        "rules": [
            {
                "name": rule.name,
                "events": list(rule.events),
                "topics": list(rule.topics),
                "urgent": rule.urgent,
            }
            for rule in rules.rules
        ],
    }


def _show(settings: dict[str, Any], rules: Rules) -> None:
    console = Console()
    if not console.is_terminal:
        for name, value in settings.items():
            print(f"{name}={'' if value is None else value}")
        return
    table = Table("setting", "value")
    for name, value in settings.items():
        table.add_row(name, "" if value is None else str(value))
    console.print(table)
    table = Table("rule", "events", "topics")
    for rule in rules.rules:
        table.add_row(rule.name, ", ".join(rule.events), ", ".join(rule.topics))
    console.print(table)
