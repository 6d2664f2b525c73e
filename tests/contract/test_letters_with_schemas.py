"""Letters and newer events of a topic with a schema registry are read by `dead-letters replay`, too."""

import pytest

from audience_sync.commands.dead_letters.replaying import translate_by
from audience_sync.commands.schemas import finding
from audience_sync.commands.stop import Stop
from audience_sync.core.changes import SetAttribute, UserId
from audience_sync.core.event import Cause, Translated, Unusable
from audience_sync.formats import RawRecord
from audience_sync.rules.file import parse_rules
from audience_sync.settings import RegistrySettings
from tests.support.registry_server import serving
from tests.support.schemas import MEMBER, avro, framed, text_of

RULES = """
sources: [{topic: members, format: avro, type: changed}]
rules:
  - {name: tier, event: changed, user: "{user_id}", changes: [set_attribute: {name: tier, value: "{tier}"}]}
"""
GOLD = RawRecord(framed(7, avro(MEMBER, {"user_id": "alice", "tier": "GOLD", "at": 0})))


async def test_a_schema_is_fetched_once_and_its_records_are_read() -> None:
    """In the running loop, which waits meanwhile; what the registry does not know makes a record unusable."""
    with serving() as registry:
        registry.schemas[7] = {"schema": text_of(MEMBER)}
        translate = translate_by(
            parse_rules(RULES, file="r.yaml"), finding(RegistrySettings(url=registry.url))
        )

        found = [translate("members", GOLD) for _ in range(3)]
        unknown = translate("members", RawRecord(framed(8, b"")))

    assert [event.user for event in found if isinstance(event, Translated)] == [UserId("alice")] * 3
    assert isinstance(found[0], Translated)
    assert found[0].changes == (SetAttribute("tier", "GOLD"),)
    assert isinstance(unknown, Unusable)
    assert unknown.cause is Cause.UNREADABLE
    assert sum("/7" in asked for asked in registry.asked) == 1


def test_a_registry_that_is_away_ends_the_replay() -> None:
    """What can't be read may be newer than a letter: better no replay than one that overrules it."""
    translate = translate_by(
        parse_rules(RULES, file="r.yaml"), finding(RegistrySettings(url="http://127.0.0.1:1"))
    )

    with pytest.raises(Stop, match=r"schema 7"):
        translate("members", GOLD)
