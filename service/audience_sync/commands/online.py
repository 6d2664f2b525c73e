"""What `check-config --online` asks: the broker, and the Chat API. It changes neither."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from audience_sync.chat_api import ChatApiError
from audience_sync.commands.chat.connection import client_of
from audience_sync.commands.chat.ending import what_happened, what_next
from audience_sync.commands.schemas import finding
from audience_sync.commands.terminal.output import View, output
from audience_sync.commands.terminal.words import printable
from audience_sync.core.attribute_slots import NamesDoNotFitError, Slot, slots, to_be_added, told
from audience_sync.core.rules import Rules
from audience_sync.events.inspection import Finding, Wanted, Weight, of_kafka
from audience_sync.events.translator import Translator
from audience_sync.outside.kafka import kafka_address, security_of
from audience_sync.settings import Settings

CHAT: Final = "Chat API"


def kafka_findings(settings: Settings, rules: Rules) -> list[Finding]:
    """What is found about the broker and its topics. Blocks."""
    kafka = settings.kafka
    address = kafka_address(settings, security_of(kafka))
    wanted = Wanted(
        sources=rules.topics,
        dead_letters=settings.dead_letters.topic,
        replays=settings.dead_letters.replays,
        group=kafka.group_id,
        may_create=kafka.create_topics,
        refuse_unsafe=settings.dead_letters.unsafe_topic == "refuse",
    )
    translator = Translator(rules, finding(settings.registry) or (lambda _: None))
    return list(of_kafka(address, wanted, translate=translator.translate))


async def attribute_slots(settings: Settings, rules: Rules) -> tuple[list[Slot], list[Finding]]:
    """The app's slots with the rules that use them, and what is found about them. One call, which changes nothing."""
    try:
        async with client_of(settings.chat) as chat:
            defined = await chat.get_attribute_names()
    except ChatApiError as error:
        what = printable(f"{what_happened(error)} {what_next(error)}")
        return [], [Finding(Weight.PROBLEM, CHAT, what)]
    return slots(defined, rules.rules), list(_of_names(defined, rules, settings.chat.attribute_names))


def show(found: list[Slot], findings: list[Finding]) -> None:
    """Print the slots and the findings, the weightiest first."""
    where = output(as_json=False)
    where.show(_SLOTS, found)
    where.show(_FINDINGS, sorted(findings, key=lambda finding: list(Weight).index(finding.weight)))


def _of_names(
    defined: Mapping[int, str], rules: Rules, seen_to: Literal["check", "add", "off"]
) -> Iterator[Finding]:
    try:
        lacking = to_be_added(defined, rules.attribute_names)
    except NamesDoNotFitError as error:
        yield Finding(Weight.PROBLEM if seen_to != "off" else Weight.WARNING, CHAT, str(error))
        return
    if not lacking:
        yield Finding(Weight.NOTE, CHAT, "the app has every attribute that the rules write")
    elif seen_to == "add":
        yield Finding(Weight.NOTE, CHAT, f"attributes are added at the service's start: {told(lacking)}")
    else:
        yield Finding(
            Weight.PROBLEM,
            CHAT,
            "the app lacks attributes that the rules write; `audience-sync chat set-attribute-names "
            f"{told(lacking)}` defines them, or AUDIENCE_SYNC_CHAT__ATTRIBUTE_NAMES=add lets the service do it",
        )


_SLOTS: Final[View[Slot]] = View(
    columns=("slot", "attribute", "written by"),
    rows=lambda slot: [
        (
            str(slot.number),
            "(free)" if slot.name is None else f"{slot.name} (missing)" if slot.is_proposed else slot.name,
            ", ".join(slot.rules) or "-",
        )
    ],
    fields=lambda slot: {"slot": slot.number, "attribute": slot.name, "rules": list(slot.rules)},
)

_FINDINGS: Final[View[Finding]] = View(
    columns=("", "about", "finding"),
    rows=lambda finding: [(finding.weight.value, finding.about, finding.what)],
    fields=lambda finding: {"weight": finding.weight.value, "about": finding.about, "what": finding.what},
)
