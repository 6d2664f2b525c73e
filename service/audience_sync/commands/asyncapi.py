"""`audience-sync asyncapi`: what the service reads and writes, as a document for other teams and tools."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
from ruamel.yaml import YAML
from typer import Option

from audience_sync import __version__
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.events.asyncapi import document
from audience_sync.rules.file import DEFAULT_RULES, load_rules
from audience_sync.rules.problems import RulesError
from audience_sync.settings import PREFIX, DeadLetterSettings, KafkaSettings


def asyncapi(
    rules: Annotated[
        Path, Option(envvar=f"{PREFIX}RULES_FILE", help="The rules (YAML).", show_default="those that ship")
    ] = DEFAULT_RULES,
    dead_letter_topic: Annotated[
        str, Option(envvar=f"{PREFIX}DEAD_LETTERS__TOPIC", help="Where goes what can't be applied.")
    ] = DeadLetterSettings().topic,
    bootstrap_servers: Annotated[
        str, Option(envvar=f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS", help="The brokers that the document names.")
    ] = KafkaSettings().bootstrap_servers,
    as_yaml: Annotated[bool, Option("--yaml", help="YAML instead of JSON.")] = False,
) -> None:
    """Print the AsyncAPI document of what the service reads and writes. Connects to nothing, needs no key."""
    try:
        parsed = load_rules(rules)
    except RulesError as error:
        raise Stop(ExitCode.BAD_INPUT, str(error)) from error
    content = document(
        parsed,
        dead_letter_topic=dead_letter_topic,
        bootstrap_servers=[server.strip() for server in bootstrap_servers.split(",")],
        version=__version__,
    )
    text = msgspec.json.format(msgspec.json.encode(content), indent=2).decode()
    if as_yaml:
        _yaml().dump(msgspec.json.decode(text), sys.stdout)
    else:
        print(text)


def _yaml() -> YAML:
    """A writer that keeps the order and repeats what stands twice."""
    writer = YAML()
    writer.width = 110
    writer.representer.ignore_aliases = lambda _: True
    return writer
