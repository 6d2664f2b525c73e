"""`audience-sync rules test | schema | new`: what writes and checks a rules file."""

import sys
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from typer import Argument, Option

from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.commands.terminal.words import counted, printable, say
from audience_sync.events.translator import Translator
from audience_sync.formats import FormatError
from audience_sync.rules.cases import Result, Told, beside, judged, topics_of_cases
from audience_sync.rules.file import DEFAULT_RULES, load_rules, parse_rules
from audience_sync.rules.problems import RulesError
from audience_sync.rules.proposal import Proposal, proposed, written
from audience_sync.rules.schema import json_schema
from audience_sync.settings import PREFIX

rules_commands: Final = typer.Typer(
    name="rules",
    help="Write and check a rules file. Connects to nothing, and needs no other setting.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

RulesOption = Annotated[
    Path,
    Option("--rules", envvar=f"{PREFIX}RULES_FILE", help="The rules (YAML).", show_default="those that ship"),
]


@rules_commands.command("test")
def try_cases(
    cases: Annotated[
        Path | None, Argument(help="The cases (YAML).", show_default="beside the rules: rules.cases.yaml")
    ] = None,
    rules: RulesOption = DEFAULT_RULES,
    as_json: Annotated[bool, Option("--json", help="One JSON object a case.")] = False,
) -> None:
    """Try the rules on cases: an event in, changes out. Ends with 1 if a case comes out otherwise."""
    file = cases or beside(rules)
    try:
        known = load_rules(rules)
        if known.patterns:
            known = load_rules(rules, topics=topics_of_cases(file))
        translator = Translator(known, find=lambda _: None)
        results = judged(file, topics=known.topics, translate=translator.translate, apply=known.translate)
    except (RulesError, FormatError) as error:
        raise Stop(ExitCode.BAD_INPUT, str(error)) from error
    for result in results:
        if as_json:
            print(msgspec.json.encode(result).decode())
        elif not result.passed:
            print(printable(_difference(file, result), but="\n"))
    failed = sum(not result.passed for result in results)
    if failed:
        raise Stop(ExitCode.FAILED, f"{failed} of {counted(len(results), 'case')} came out otherwise.")
    say(f"{counted(len(results), 'case')}, all as expected.")


@rules_commands.command()
def schema() -> None:
    """Print the JSON Schema of rules files, which an editor completes from."""
    print(msgspec.json.format(msgspec.json.encode(json_schema()), indent=2).decode())


@rules_commands.command()
def new(
    sample: Annotated[
        Path,
        Option("--sample", help="A file with one event as JSON; `-` for standard input, without questions."),
    ],
    topic: Annotated[str | None, Option("--topic", help="The topic that such events come from.")] = None,
    user: Annotated[str | None, Option("--user", metavar="FIELD", help="Where the user stands.")] = None,
    attributes: Annotated[
        list[str] | None,
        Option("--attribute", metavar="FIELD", help="A field that becomes an attribute; may be repeated."),
    ] = None,
    tags: Annotated[
        list[str] | None,
        Option("--tag", metavar="TEMPLATE", help='A tag, such as "bought:{data.product}"; may be repeated.'),
    ] = None,
) -> None:
    """Print rules for events like a sample: what fits by its names. Asks on a terminal, where nothing is said."""
    fields = _sample(sample)
    asks = str(sample) != "-" and sys.stdin.isatty() and sys.stderr.isatty()
    topic = topic or (typer.prompt("Topic", err=True) if asks else None)
    if topic is None:
        raise Stop(ExitCode.BAD_INPUT, "Which topic do such events come from? Say it with --topic.")
    proposal = proposed(fields, topic=topic)
    if asks and user is None:
        proposal.user = typer.prompt("Field with the user", default=proposal.user, err=True)
    if asks and attributes is None and tags is None:
        answer = typer.prompt(
            "Fields that become attributes", default=" ".join(proposal.attributes), err=True
        )
        proposal.attributes = answer.split()
    _choose(proposal, user=user, attributes=attributes, tags=tags)
    text = written(proposal, sample=sample.name)
    try:
        parse_rules(text, file="the proposal")
    except RulesError as error:
        raise Stop(
            ExitCode.BAD_INPUT, f"{error}\nChoose otherwise: --topic, --user, --attribute, --tag."
        ) from error
    print(text, end="")


def _choose(
    proposal: Proposal, *, user: str | None, attributes: list[str] | None, tags: list[str] | None
) -> None:
    """Let what was said win over what was found, and see that it is enough."""
    there = ", ".join(leaf.path for leaf in proposal.leaves)
    if user is not None:
        proposal.user = user
    if attributes is not None or tags is not None:
        proposal.attributes, proposal.tags = attributes or [], tags or []
    for field in filter(None, (proposal.user, *proposal.attributes)):
        if field not in {leaf.path for leaf in proposal.leaves}:
            raise Stop(
                ExitCode.BAD_INPUT,
                f"The sample has no field {field!r} with a text or an integer; it has {there}.",
            )
    if proposal.user is None:
        raise Stop(
            ExitCode.BAD_INPUT, f"No field looks like a user; say which with --user. There are {there}."
        )
    if not proposal.attributes and not proposal.tags:
        raise Stop(
            ExitCode.BAD_INPUT,
            f"Nothing looks like an attribute; say what changes with --attribute or --tag: {there}.",
        )


def _sample(file: Path) -> dict[str, object]:
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return msgspec.json.decode(content, type=dict[str, object])
    except OSError as error:
        raise Stop(ExitCode.BAD_INPUT, f"{file}: {error.strerror or error}; give a readable file") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Stop(ExitCode.BAD_INPUT, f"{file}: {error}; the sample is one event, a JSON object") from error


def _difference(file: Path, result: Result) -> str:
    why = f" ({result.why})" if result.why else ""
    return (
        f"{file}, line {result.line}: {result.name}\n"
        f"  expected {_shown(result.expected)}\n"
        f"  came out {_shown(result.found)}{why}"
    )


def _shown(what: Told) -> str:
    return what if isinstance(what, str) else msgspec.json.encode(what).decode()
