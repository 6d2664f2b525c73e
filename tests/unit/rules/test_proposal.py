"""Rules for a sample event: what is found by its names, and that they apply to it."""

from typing import Any

import msgspec
import pytest

from audience_sync.core.event import Translated
from audience_sync.events.translator import Translator
from audience_sync.formats import RawRecord
from audience_sync.rules.file import parse_rules
from audience_sync.rules.proposal import proposed, written

PAID = {
    "specversion": "1.0",
    "id": "7",
    "source": "/shop",
    "type": "com.example.order.paid",
    "time": "2026-11-22T08:30:00Z",
    "data": {"order_id": 7, "customer": {"id": "alice"}, "product": "tea", "note": "x" * 51, "gift": True},
}


@pytest.mark.parametrize(
    ("sample", "user", "type_field", "time_field", "attributes"),
    [
        (PAID, "data.customer.id", None, None, ["data.product"]),
        (
            {"kind": "moved", "user_id": "alice", "city": "Shenzhen", "occurred_at": "2026-11-22T08:30:00Z"},
            "user_id",
            "kind",
            "occurred_at",
            ["city"],
        ),
        (
            {"userId": 7, "eventType": "moved", "address": {"city": "X"}},
            "userId",
            "eventType",
            None,
            ["address.city"],
        ),
        ({"member": "alice", "level": "gold", "createdAt": 5}, "member", None, None, ["level"]),
        ({"a.b": "x", "c": [1], "uid": "u", "n": None, "f": 1.5, "city": "X"}, "uid", None, None, ["city"]),
    ],
    ids=["a CloudEvent", "plain", "camel case", "without a type", "what templates can't reach"],
)
def test_names_tell_where_things_stand(
    sample: dict[str, Any], user: str, type_field: str | None, time_field: str | None, attributes: list[str]
) -> None:
    """As most producers call them."""
    found = proposed(sample, topic="orders")

    assert (found.user, found.type_field, found.time_field) == (user, type_field, time_field)
    assert found.attributes == attributes


@pytest.mark.parametrize(
    "sample", [PAID, {"kind": 'it\'s "new": #1', "user_id": "alice", "city": "Shenzhen"}]
)
def test_what_is_proposed_applies_to_the_sample(sample: dict[str, Any]) -> None:
    """Whatever its text looks like in YAML."""
    rules = parse_rules(written(proposed(sample, topic="orders"), sample="it"), file="it")

    came = Translator(rules).translate("orders", RawRecord(msgspec.json.encode(sample)))
    assert isinstance(came, Translated)
    assert came.user == "alice"


def test_what_is_left_over_is_named() -> None:
    """So that nobody has to look the sample up."""
    assert "# Not used: data.order_id, data.note\n" in written(proposed(PAID, topic="orders"), sample="it")


def test_two_fields_of_one_name_are_one_attribute() -> None:
    """An event can't write an attribute twice."""
    found = proposed({"user": "u", "old": {"city": "A"}, "new": {"city": "B"}}, topic="moves")
    assert found.attributes == ["new.city"]
