"""Each limit one below, at, and one above; and each shape that no page shows."""

import json
from typing import Any

import pytest

from audience_sync.emulator.endpoints import ACCOUNT_COMMANDS, ENDPOINTS
from tests.unit.emulator.given import DEVICE, an_api, attributes, code, outcome, tags

BOTH = ("im_", "timpush/")
"""What the commands of each family begin with."""

OF_USERS = ("set_attr", "remove_attr", "get_attr", "add_tag", "remove_tag", "get_tag")
USER_ENDPOINTS = [
    *(family + command for family in BOTH for command in OF_USERS),
    *("im_remove_all_tags", "timpush/clear_all_tags"),
    *("multiaccount_import", "account_check", "account_delete"),
]


def users(count: int) -> list[str]:
    return [f"user-{number}" for number in range(count)]


def body_for(endpoint: str, count: int) -> dict[str, object]:
    """A sound body of so many users for any endpoint that names users."""
    match endpoint.removeprefix("im_").removeprefix("timpush/"):
        case "set_attr":
            return {"UserAttrs": [{"To_Account": user, "Attrs": {"sex": "x"}} for user in users(count)]}
        case "remove_attr":
            return {"UserAttrs": [{"To_Account": user, "Attrs": ["sex"]} for user in users(count)]}
        case "add_tag" | "remove_tag":
            return {"UserTags": [{"To_Account": user, "Tags": ["t"]} for user in users(count)]}
        case "multiaccount_import":
            return {"AccountList": [{"UserID": user} for user in users(count)]}
        case "account_check":
            return {"CheckItem": [{"UserID": user} for user in users(count)]}
        case "account_delete":
            return {"DeleteItem": [{"UserID": user} for user in users(count)]}
        case _:
            return {"To_Account": users(count)}


@pytest.mark.parametrize("endpoint", USER_ENDPOINTS)
@pytest.mark.parametrize("count", [1, 99, 100, 101, 500])
def test_a_hundred_users_a_request(endpoint: str, count: int) -> None:
    """Each endpoint that names users takes 1 to 100 of them; the accounts have a code of their own."""
    api = an_api()
    too_many = 70402 if endpoint in ACCOUNT_COMMANDS else 90018
    expected = too_many if count > 100 else 0
    assert code(api, endpoint, body_for(endpoint, count)) == expected
    assert len(api.counters.broken_limits) == (1 if expected else 0)
    assert api.counters.user_parts.get(endpoint, 0) == (0 if expected else count)


@pytest.mark.parametrize("family", BOTH)
@pytest.mark.parametrize(("count", "expected"), [(9, 0), (10, 0), (11, 90032)])
def test_ten_tags_in_an_add(family: str, count: int, expected: int) -> None:
    """For one user in one request; one that is there twice counts twice."""
    assert code(an_api(), family + "add_tag", tags("a", *map(str, range(count)))) == expected
    assert code(an_api(), family + "add_tag", tags("a", *["t"] * count)) == expected


@pytest.mark.parametrize(("count", "expected"), [(99, 0), (100, 0), (101, 90032)])
def test_a_hundred_tags_that_replace_the_others(count: int, expected: int) -> None:
    """With the successor's Replace."""
    body = {"Replace": 1, **tags("a", *map(str, range(count)))}
    assert code(an_api(), "timpush/add_tag", body) == expected


@pytest.mark.parametrize("family", BOTH)
def test_a_removal_takes_more_tags(family: str) -> None:
    """Nothing is documented that would forbid it."""
    assert code(an_api(), family + "remove_tag", tags("a", *map(str, range(100)))) == 0


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


@pytest.mark.parametrize("endpoint", [family + each for family in BOTH for each in ("add_tag", "remove_tag")])
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
    for family in BOTH:
        assert code(an_api(), family + "set_attr", attributes(user, sex="x")) == expected
        assert code(an_api(), family + "get_tag", {"To_Account": [user]}) == expected
    of_accounts = 70402 if expected else 0
    assert code(an_api(), "account_import", {"UserID": user}) == of_accounts
    assert code(an_api(), "multiaccount_import", {"Accounts": [user]}) == of_accounts


def test_the_successor_takes_a_device_for_a_user() -> None:
    """Its registration id is longer than any user; the older family and the accounts know no devices."""
    api = an_api()
    assert code(api, "timpush/add_tag", tags(DEVICE, "t")) == 0
    assert api.store.user(DEVICE).tags == ["t"]
    assert code(api, "timpush/add_tag", tags(DEVICE.lower(), "t")) == 90035
    assert code(api, "im_add_tag", tags(DEVICE, "t")) == 90035
    assert code(api, "account_import", {"UserID": DEVICE}) == 70402


@pytest.mark.parametrize("field", ["Nick", "FaceUrl"])
@pytest.mark.parametrize(
    ("text", "expected"), [("", 0), ("x" * 500, 0), ("x" * 501, 40601), ("深" * 167, 40601)]
)
def test_five_hundred_bytes_a_field_of_a_profile(field: str, text: str, expected: int) -> None:
    """Documented for account_import; taken for the import of many too."""
    assert code(an_api(), "account_import", {"UserID": "a", field: text}) == expected
    many = {"AccountList": [{"UserID": "a", field: text}]}
    assert code(an_api(), "multiaccount_import", many) == expected


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
ACCOUNT_SHAPES: list[tuple[str, Any]] = [
    ("account_import", {}),
    ("account_import", {"UserID": None}),
    ("account_import", {"UserID": ["a"]}),
    ("account_import", {"UserID": "a", "Nick": 1}),
    ("account_import", {"UserID": "a", "FaceUrl": None}),
    ("account_import", {"UserID": 1, "Identifier": "a"}),
    ("multiaccount_import", {}),
    ("multiaccount_import", {"Accounts": []}),
    ("multiaccount_import", {"Accounts": ["a", 1]}),
    ("multiaccount_import", {"Accounts": [{"UserID": "a"}]}),
    ("multiaccount_import", {"AccountList": ["a"]}),
    ("multiaccount_import", {"AccountList": [{"Identifier": "a"}]}),
    ("multiaccount_import", {"AccountList": None, "Accounts": ["a"]}),
    ("account_check", {"CheckItem": ["a"]}),
    ("account_check", {"CheckItem": [{}]}),
    ("account_check", {"DeleteItem": [{"UserID": "a"}]}),
    ("account_delete", {"DeleteItem": {"UserID": "a"}}),
    ("account_delete", {"CheckItem": [{"UserID": "a"}]}),
]
TYPES: list[Any] = [None, [], {"1": 0}, {"0": 2}, {"0": True}, {"0": "0"}]
SUCCESSOR_SHAPES: list[tuple[str, Any, int]] = [
    *(("timpush/add_tag", {"Replace": value, **tags("a", "t")}, 90019) for value in (2, -1, True, "1", None)),
    *(("timpush/set_attr_name", {"AttrNames": {"0": "sex"}, "AttrTypes": types}, 90001) for types in TYPES),
]
SHAPES = [
    *(
        (family + command, body, expected)
        for family in BOTH
        for command, bodies, expected in [
            ("set_attr", [*ATTRIBUTE_SHAPES, {"UserAttrs": [{"To_Account": "a", "Attrs": ["sex"]}]}], 90019),
            # the documentation shows an array of names; a public Java SDK sends an object
            ("remove_attr", [*ATTRIBUTE_SHAPES, attributes("a", sex="x")], 90021),
            ("add_tag", TAG_SHAPES, 90019),
            ("remove_tag", TAG_SHAPES, 90021),
            ("get_attr", USER_SHAPES, 90023),
            ("get_tag", USER_SHAPES, 90023),
            ("set_attr_name", NAME_SHAPES, 90001),
            ("set_attr", [{"UserAttrs": attributes_of("a", sex=value)} for value in NO_STRINGS], 90033),
        ]
        for body in bodies
    ),
    *(("im_remove_all_tags", body, 90021) for body in USER_SHAPES),
    *(("timpush/clear_all_tags", body, 90021) for body in USER_SHAPES),
    *((endpoint, body, 70402) for endpoint, body in ACCOUNT_SHAPES),
    *SUCCESSOR_SHAPES,
]


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
    """90001 in both families of the push API; the gateway's own code for the accounts."""
    expected = 60003 if endpoint in ACCOUNT_COMMANDS else 90001
    assert json.loads(outcome(an_api(), endpoint, body).body)["ErrorCode"] == expected
