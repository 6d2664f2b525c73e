"""Whatever is sent, the emulator answers, and accepts only what the pages show."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from audience_sync.emulator.api import Api
from audience_sync.emulator.endpoints import ENDPOINTS
from tests.unit.emulator.given import an_api, ask, outcome

names = st.sampled_from(
    ["UserAttrs", "UserTags", "To_Account", "Attrs", "Tags", "AttrNames", "sex", "0"]
) | st.text(max_size=60)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
likely_users = st.text(max_size=34) | json_values
likely_tags = st.lists(st.text(max_size=52), max_size=12) | json_values
likely_attributes = (
    st.dictionaries(st.sampled_from(["sex", "city", "age"]), st.text(max_size=52) | json_values, max_size=3)
    | json_values
)
likely_entries = st.lists(
    st.fixed_dictionaries(
        {"To_Account": likely_users}, optional={"Tags": likely_tags, "Attrs": likely_attributes}
    ),
    max_size=3,
)
bodies = st.one_of(
    json_values,
    st.fixed_dictionaries({}, optional={"UserTags": likely_entries, "UserAttrs": likely_entries}),
    st.fixed_dictionaries({"To_Account": st.lists(likely_users, max_size=3) | json_values}),
    st.fixed_dictionaries(
        {"AttrNames": st.dictionaries(names, st.text(max_size=52) | json_values, max_size=3)}
    ),
)


def sized(value: object, most: int) -> bool:
    return isinstance(value, str) and 1 <= len(value.encode()) <= most


def is_sound(endpoint: str, body: Any) -> bool:
    """What the pages allow, written once more the other way round: what may be accepted."""
    match endpoint, body:
        case "im_get_attr_name", dict():
            return True
        case "im_set_attr_name", {"AttrNames": dict(slots)} if slots:
            return all(slot in set("0123456789") and sized(name, 50) for slot, name in slots.items())
        case "im_set_attr", {"UserAttrs": list(entries)} if entries:
            return all(
                isinstance(entry, dict)
                and sized(entry.get("To_Account"), 32)
                and isinstance(entry.get("Attrs"), dict)
                and entry["Attrs"]
                and all(
                    name in ("sex", "city") and sized(value, 50) for name, value in entry["Attrs"].items()
                )
                for entry in entries
            )
        case ("im_remove_attr", {"UserAttrs": list(entries)}) if entries:
            return all(
                isinstance(entry, dict)
                and sized(entry.get("To_Account"), 32)
                and isinstance(entry.get("Attrs"), list)
                and entry["Attrs"]
                and all(name in ("sex", "city") for name in entry["Attrs"])
                for entry in entries
            )
        case ("im_add_tag" | "im_remove_tag", {"UserTags": list(entries)}) if entries:
            return all(
                isinstance(entry, dict)
                and sized(entry.get("To_Account"), 32)
                and isinstance(entry.get("Tags"), list)
                and entry["Tags"]
                and all(sized(tag, 50) for tag in entry["Tags"])
                and (endpoint == "im_remove_tag" or len(entry["Tags"]) <= 10)
                for entry in entries
            )
        case ("im_remove_all_tags" | "im_get_attr" | "im_get_tag", {"To_Account": list(entries)}) if entries:
            return all(sized(user, 32) for user in entries)
        case _:
            return False


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(ENDPOINTS), bodies)
def test_whatever_is_sent_is_answered_and_only_what_the_pages_show_is_accepted(
    endpoint: str, body: object
) -> None:
    """No body breaks the emulator; none that breaks a rule gets through; every sound one does."""
    api = an_api()
    answer = ask(api, endpoint, body)
    duplicate_name = answer["ErrorInfo"].startswith("attrName:") and endpoint == "im_set_attr_name"
    assert (answer["ErrorCode"] == 0) == (is_sound(endpoint, body) and not duplicate_name)
    assert (answer["ActionStatus"] == "OK") == (answer["ErrorCode"] == 0)
    assert within_limits(api)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ENDPOINTS), st.binary(max_size=200))
def test_whatever_bytes_are_sent_are_answered(endpoint: str, body: bytes) -> None:
    """Bytes that are no JSON are refused as such."""
    assert json.loads(outcome(an_api(), endpoint, body).body)["ErrorCode"] in (0, 90001, 90019, 90021, 90023)


def within_limits(api: Api) -> bool:
    """Nothing stored passes a limit, whatever was accepted."""
    return all(
        sized(user, 32)
        and len(state.tags) <= 100
        and all(sized(tag, 50) for tag in state.tags)
        and all(sized(value, 50) for value in state.attributes.values())
        for user, state in api.store.users().items()
    )
