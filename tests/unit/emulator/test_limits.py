"""Each limit one below, at, and one above; and each shape that no page shows."""

import json
from typing import Any

import pytest

from audience_sync.emulator.endpoints import ENDPOINTS
from tests.unit.emulator.given import an_api, attributes, code, outcome, tags


def users(count: int) -> list[str]:
    return [f"user-{number}" for number in range(count)]


PARTS: dict[str, dict[str, object]] = {
    "im_set_attr": {"Attrs": {"sex": "x"}},
    "im_remove_attr": {"Attrs": ["sex"]},
}


def body_for(endpoint: str, count: int) -> dict[str, object]:
    """A sound body of so many users for any endpoint that names users."""
    part = PARTS.get(endpoint, {"Tags": ["t"]})
    entries = [{"To_Account": user, **part} for user in users(count)]
    match endpoint:
        case "im_set_attr" | "im_remove_attr":
            return {"UserAttrs": entries}
        case "im_add_tag" | "im_remove_tag":
            return {"UserTags": entries}
        case _:
            return {"To_Account": users(count)}


@pytest.mark.parametrize(
    "endpoint", [name for name in ENDPOINTS if name not in ("im_set_attr_name", "im_get_attr_name")]
)
@pytest.mark.parametrize(("count", "expected"), [(1, 0), (99, 0), (100, 0), (101, 90018), (500, 90018)])
def test_a_hundred_users_a_request(endpoint: str, count: int, expected: int) -> None:
    """Each of the seven endpoints takes 1 to 100 users."""
    api = an_api()
    assert code(api, endpoint, body_for(endpoint, count)) == expected
    assert len(api.counters.broken_limits) == (1 if expected else 0)
    assert api.counters.user_parts.get(endpoint, 0) == (0 if expected else count)


@pytest.mark.parametrize(("count", "expected"), [(9, 0), (10, 0), (11, 90032)])
def test_ten_tags_in_an_add(count: int, expected: int) -> None:
    """For one user in one request."""
    assert code(an_api(), "im_add_tag", tags("a", *map(str, range(count)))) == expected


def test_a_removal_takes_more_tags() -> None:
    """Nothing is documented that would forbid it."""
    assert code(an_api(), "im_remove_tag", tags("a", *map(str, range(100)))) == 0


@pytest.mark.parametrize(
    ("held", "added", "expected"), [(90, 9, 0), (90, 10, 0), (91, 10, 90046), (100, 1, 90046)]
)
def test_a_hundred_stored_tags(held: int, added: int, expected: int) -> None:
    """What a user carries already counts; what he carries already and gets again does not count twice."""
    api = an_api()
    names = [f"held-{number}" for number in range(held)]
    for start in range(0, held, 10):
        assert code(api, "im_add_tag", tags("a", *names[start : start + 10])) == 0
    assert code(api, "im_add_tag", tags("a", *(f"new-{number}" for number in range(added)))) == expected
    assert len(api.store.user("a").tags) == (held if expected else held + added)
    assert code(api, "im_add_tag", tags("a", *names[:10])) == 0


def test_a_user_named_twice_cannot_get_past_the_stored_tags() -> None:
    """His two entries count together, and the whole request is refused."""
    api = an_api()
    for start in range(0, 90, 10):
        assert code(api, "im_add_tag", tags("a", *(f"held-{start + number}" for number in range(10)))) == 0
    entries = [{"To_Account": "a", "Tags": [f"{part}-{number}" for number in range(6)]} for part in "xy"]
    assert code(api, "im_add_tag", {"UserTags": [{"To_Account": "b", "Tags": ["t"]}, *entries]}) == 90046
    assert len(api.store.user("a").tags) == 90
    assert api.store.user("b").tags == []


@pytest.mark.parametrize("endpoint", ["im_add_tag", "im_remove_tag"])
@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("", 90034),
        ("x", 0),
        ("x" * 49, 0),
        ("x" * 50, 0),
        ("x" * 51, 90034),
        ("深" * 16, 0),
        ("深" * 17, 90034),
    ],
)
def test_fifty_bytes_a_tag(endpoint: str, tag: str, expected: int) -> None:
    """Bytes of UTF-8, not characters."""
    assert code(an_api(), endpoint, tags("a", tag)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", 90030), ("x", 0), ("x" * 50, 0), ("x" * 51, 90030), ("深" * 16 + "xx", 0), ("深" * 17, 90030)],
)
def test_fifty_bytes_a_value(value: str, expected: int) -> None:
    """And at least one."""
    assert code(an_api(), "im_set_attr", attributes("a", sex=value)) == expected


@pytest.mark.parametrize(
    ("user", "expected"), [("", 90035), ("x" * 31, 0), ("x" * 32, 0), ("x" * 33, 90035), ("深" * 11, 90035)]
)
def test_thirty_two_bytes_a_user(user: str, expected: int) -> None:
    """Documented on the account pages."""
    assert code(an_api(), "im_set_attr", attributes(user, sex="x")) == expected
    assert code(an_api(), "im_get_tag", {"To_Account": [user]}) == expected


@pytest.mark.parametrize(("name", "expected"), [("", 90030), ("x" * 50, 0), ("x" * 51, 90030)])
def test_fifty_bytes_a_name(name: str, expected: int) -> None:
    """Of an attribute."""
    assert code(an_api(), "im_set_attr_name", {"AttrNames": {"9": name}}) == expected


def test_ten_slots() -> None:
    """The slots are "0" to "9"; there is no eleventh."""
    api = an_api(attribute_names=())
    assert (
        code(api, "im_set_attr_name", {"AttrNames": {str(slot): f"name-{slot}" for slot in range(10)}}) == 0
    )
    for slot in ("10", "-1", "00", "a", ""):
        assert code(api, "im_set_attr_name", {"AttrNames": {slot: "eleventh"}}) == 90001


def test_an_attribute_nobody_defined() -> None:
    """It is no broken limit: the request is sound, the app is not set up for it."""
    api = an_api()
    mixed = {"UserAttrs": [*attributes_of("a", sex="x"), *attributes_of("b", age="7")]}
    assert code(api, "im_set_attr", mixed) == 90033
    assert code(api, "im_remove_attr", {"UserAttrs": [{"To_Account": "a", "Attrs": ["sex", "age"]}]}) == 90033
    assert api.store.users() == {}
    assert api.counters.broken_limits == []


def attributes_of(user: str, **values: object) -> list[dict[str, object]]:
    return [{"To_Account": user, "Attrs": values}]


ATTRIBUTE_SHAPES: list[Any] = [
    {},
    {"UserAttrs": None},
    {"UserAttrs": []},
    {"UserAttrs": {"To_Account": "a", "Attrs": {"sex": "x"}}},
    {"UserAttrs": ["a"]},
    {"UserAttrs": [{"Attrs": {"sex": "x"}}]},
    {"UserAttrs": [{"To_Account": 1, "Attrs": {"sex": "x"}}]},
    {"UserAttrs": [{"To_Account": "a"}]},
    {"UserAttrs": [{"To_Account": "a", "Attrs": "sex"}]},
    {"UserAttrs": [{"To_Account": "a", "Attrs": {}}]},
    {"UserAttrs": [{"To_Account": "a", "Attrs": []}]},
    {"Attrs": [{"To_Account": "a", "Attrs": {"sex": "x"}}]},  # a public Go SDK sends this
    {"To_Account": ["a"], "Attrs": ["sex"]},  # the official Java SDK sends this
]
TAG_SHAPES: list[Any] = [
    {},
    {"UserTags": [{"To_Account": "a", "Tags": []}]},
    {"UserTags": [{"To_Account": "a", "Tags": "x"}]},
    {"UserTags": [{"To_Account": "a", "Tags": {"x": 1}}]},
    {"UserTags": [{"To_Account": "a", "Tags": ["x", 1]}]},
    {"UserTags": [{"To_Account": ["a"], "Tags": ["x"]}]},
    {"Tags": [{"To_Account": "a", "Tags": ["x"]}]},
    {"To_Account": ["a"], "Tags": ["x"]},
]
USER_SHAPES: list[Any] = [
    {},
    {"To_Account": "a"},
    {"To_Account": []},
    {"To_Account": [1]},
    {"To_Account": [None]},
    {"To_Account": {"a": 1}},
]
NAME_SHAPES: list[Any] = [{}, {"AttrNames": ["sex"]}, {"AttrNames": {}}, {"AttrNames": {"0": 1}}]
NO_STRINGS: list[object] = [1, True, None, ["x"], {}]
SHAPES = (
    [
        ("im_set_attr", body, 90019)
        for body in [*ATTRIBUTE_SHAPES, {"UserAttrs": [{"To_Account": "a", "Attrs": ["sex"]}]}]
    ]
    + [("im_remove_attr", body, 90021) for body in ATTRIBUTE_SHAPES]
    # the documentation shows an array of names; a public Java SDK sends an object
    + [("im_remove_attr", attributes("a", sex="x"), 90021)]
    + [("im_add_tag", body, 90019) for body in TAG_SHAPES]
    + [("im_remove_tag", body, 90021) for body in TAG_SHAPES]
    + [("im_remove_all_tags", body, 90021) for body in USER_SHAPES]
    + [(endpoint, body, 90023) for endpoint in ("im_get_attr", "im_get_tag") for body in USER_SHAPES]
    + [("im_set_attr_name", body, 90001) for body in NAME_SHAPES]
    + [("im_set_attr", {"UserAttrs": attributes_of("a", sex=value)}, 90033) for value in NO_STRINGS]
)


@pytest.mark.parametrize(("endpoint", "body", "expected"), SHAPES)
def test_a_wrong_shape(endpoint: str, body: object, expected: int) -> None:
    """Refused with the code of its endpoint, applied not at all, and kept as a mistake of the client."""
    api = an_api()
    assert code(api, endpoint, body) == expected
    assert api.store.users() == {}
    assert [(broken.endpoint, broken.code) for broken in api.counters.broken_limits] == [(endpoint, expected)]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"1",
        b'"x"',
        b"\xff",
        b'{"a":"\xed\xa0\x80"}',
        b"[" * 100_000,
        b'{"a":1e999}',
    ],
)
def test_what_is_no_json_object(endpoint: str, body: bytes) -> None:
    """90001 everywhere."""
    assert json.loads(outcome(an_api(), endpoint, body).body)["ErrorCode"] == 90001
