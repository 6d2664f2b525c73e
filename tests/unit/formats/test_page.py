"""The page about formats: what each example says comes of a record is what comes of it."""

import re
from pathlib import Path

import pytest

from audience_sync.core.event import Cause, Event, Unusable
from audience_sync.core.rule import Format, Source
from audience_sync.events.formats.debezium import OPERATIONS, UPSERT
from audience_sync.events.formats.decoders import decoder_of
from audience_sync.formats import RawRecord
from tests.support.connect import version_of
from tests.support.installed import installed
from tests.support.page_examples import Example, examples, shown

PAGE = (Path(__file__).parents[3] / "docs" / "formats.md").read_text()


@pytest.mark.parametrize("example", [*examples(PAGE)], ids=lambda example: example.told)
def test_an_example_does_what_the_page_says(example: Example) -> None:
    """An example that does something else teaches the wrong thing."""
    assert shown(example, file="docs/formats.md") == example.told


def test_every_format_and_operation_is_on_the_page() -> None:
    """What the page leaves out would be found in the code only, or not at all."""
    words = [*Format, *OPERATIONS.values(), UPSERT]

    assert [word for word in words if not re.search(rf"^\| `{word}`", PAGE, re.MULTILINE)] == []


def test_the_debezium_on_the_page_is_the_one_that_is_tested() -> None:
    """Other versions may write other events."""
    told = re.search(r"Debezium (\S+) and Kafka\s+Connect (\d+\.\d+\.\d+)", PAGE)

    assert told is not None
    assert told.groups() == (version_of("debezium-connector-postgres"), version_of("connect-runtime"))


def test_the_format_of_ones_own_reads_records(tmp_path: Path) -> None:
    """The code on the page, installed as a distribution would be."""
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    with installed(tmp_path, module="our_formats", source=code, formats={"lines": "lines"}):
        decode = decoder_of(Source(topic="t", format="lines"))

        assert decode(RawRecord(b"moved alice Shenzhen")) == Event(
            "moved", {"user_id": "alice", "city": "Shenzhen"}
        )
        assert decode(RawRecord(b"moved")) == Unusable(
            Cause.UNREADABLE, "three words are needed, and there are 1"
        )
