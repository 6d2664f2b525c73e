"""Whatever is sent, the emulator answers, and accepts only what the pages show: 10,000 requests in all."""

import json
from copy import deepcopy
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from audience_sync.emulator.api import Api
from audience_sync.emulator.endpoints import ACCOUNT_COMMANDS, ENDPOINTS
from tests.unit.emulator.given import DEVICE, NOW, an_api, outcome
from tests.unit.emulator.sound import is_sound, sized

USERS: Final = {"To_Account": ["a", "深圳", DEVICE]}
TAGGED: Final = {
    "UserTags": [{"To_Account": "a", "Tags": ["t", "u"]}, {"To_Account": "b", "Tags": ["t"]}],
    "Replace": 0,
}
SAMPLES: Final[dict[str, list[dict[str, Any]]]] = {
    "set_attr_name": [{"AttrNames": {"0": "sex", "2": "level"}, "AttrTypes": {"2": 1}}],
    "get_attr_name": [{}],
    "set_attr": [
        {
            "UserAttrs": [
                {"To_Account": "a", "Attrs": {"sex": "x", "city": "y"}},
                {"To_Account": "b", "Attrs": {"sex": "z"}},
            ]
        }
    ],
    "remove_attr": [{"UserAttrs": [{"To_Account": "a", "Attrs": ["sex", "city"]}]}],
    "get_attr": [USERS],
    "add_tag": [TAGGED],
    "remove_tag": [TAGGED],
    "remove_all_tags": [USERS],
    "clear_all_tags": [USERS],
    "get_tag": [USERS],
    "account_import": [{"UserID": "a", "Nick": "A", "FaceUrl": "http://x"}, {"Identifier": "a"}],
    "multiaccount_import": [{"AccountList": [{"UserID": "a", "Nick": "A"}]}, {"Accounts": ["a", "b"]}],
    "account_check": [{"CheckItem": [{"UserID": "a"}, {"UserID": "b"}]}],
    "account_delete": [{"DeleteItem": [{"UserID": "a"}]}],
    "push": [
        {
            "From_Account": "admin",
            "MsgRandom": 389475,
            "Condition": {"AttrsAnd": {"sex": "x", "city": "y"}, "AttrsOr": None},
            "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}],
        },
        {
            "MsgRandom": 1,
            "Condition": {"TagsOr": ["t"], "TagsAnd": ["u", "v"]},
            "MsgBody": [
                {"MsgType": "TIMCustomElem", "MsgContent": {"Data": "x"}},
                {"MsgType": "TIMFaceElem", "MsgContent": {"Index": 1}},
                {"MsgType": "TIMLocationElem", "MsgContent": {"Latitude": 1.5, "Longitude": 2}},
            ],
            "OfflinePushInfo": {
                "PushFlag": 0,
                "Title": "x",
                "AndroidInfo": {"PushStyle": 1},
                "ApnsInfo": {"BadgeMode": 1},
            },
        },
    ],
    "revoke": [{"TaskId": "x"}],
}
"""Sound bodies, from which the others are made by small mistakes."""

FIELDS: Final = [
    *(
        "UserAttrs",
        "UserTags",
        "To_Account",
        "Attrs",
        "Tags",
        "AttrNames",
        "AttrTypes",
        "Replace",
        "sex",
        "age",
        "0",
        "9",
    ),
    *("UserID", "Identifier", "Nick", "FaceUrl", "AccountList", "Accounts", "CheckItem", "DeleteItem"),
    *(
        "From_Account",
        "MsgRandom",
        "MsgLifeTime",
        "OnlineOnlyFlag",
        "MsgBody",
        "Condition",
        "OfflinePushInfo",
        "TaskId",
    ),
    *(
        "MsgType",
        "MsgContent",
        "Text",
        "Data",
        "TagsOr",
        "TagsAnd",
        "TagsNot",
        "AttrsOr",
        "AttrsAnd",
        "nonsense",
    ),
]
VALUES: Final[list[Any]] = [
    *(None, True, False, 0, 1, -1, 2, 1.5, 604_800, 604_801, 4_294_967_295, 4_294_967_296, 10**30),
    *("", "a", "b", "sex", "city", "深" * 10, "深" * 11, "深" * 16, "深" * 17, DEVICE, DEVICE.lower()),
    *("x" * 32, "x" * 33, "x" * 50, "x" * 51, "x" * 500, "x" * 501, "TIMTextElem", "TIMFaceElem", "\x00"),
    *([], {}, [None], [1], ["a"], [[]], [{}], {"sex": "x"}, {"age": "7"}, {"0": 0}, {"0": 1}, {"9": "sex"}),
    *(
        ["t"] * 10,
        ["t"] * 11,
        [f"t-{number}" for number in range(100)],
        [f"t-{number}" for number in range(101)],
    ),
    *(
        ["sex"],
        ["age"],
        {"Text": 1},
        {"Text": "x"},
        {"TagsOr": ["t"]},
        [{"UserID": f"user-{number}"} for number in range(101)],
        "x" * 11_000,
    ),
]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=60),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)

OF_USERS: Final = [
    name
    for name in ENDPOINTS
    if "push" not in name.rpartition("/")[2] and name not in (*ACCOUNT_COMMANDS, "timpush/revoke")
]
OF_PUSHES: Final = ["im_push", "timpush/push", "timpush/revoke"]


numbers = st.integers(0, 999)
ways = st.sampled_from(["replace", "replace", "replace", "remove", "add", "repeat"])
fields = st.sampled_from(FIELDS)
values = st.sampled_from(VALUES)


@st.composite
def requests(draw: DrawFn, endpoints: list[str]) -> tuple[str, Any]:
    """An endpoint, and a body for it with up to three mistakes, not all of which need be any."""
    endpoint = endpoints[draw(numbers) % len(endpoints)]
    samples = SAMPLES[endpoint.removeprefix("im_").removeprefix("timpush/")]
    holder = {"body": deepcopy(samples[draw(numbers) % len(samples)])}
    for _ in range(draw(numbers) % 4):
        places = list(_places(holder))
        place, key = places[-1 - draw(numbers) % len(places)]  # the likeliest is far inside
        _spoil(draw, place, key)
    return endpoint, holder.get("body")


def _places(value: Any) -> Any:
    """Everything that can be replaced: (the object or array, key or index), from the outside in."""
    found = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    for key, inner in found:
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def _spoil(draw: DrawFn, place: Any, key: Any) -> None:
    match draw(ways):
        case "remove" if key != "body":  # there is always one
            del place[key]
        case "add" if isinstance(place[key], dict):
            place[key][draw(fields)] = deepcopy(draw(values))
        case "repeat" if isinstance(place[key], list) and len(place[key]) < 100:
            place[key] = [deepcopy(each) for each in place[key] * (2, 10, 60)[draw(numbers) % 3]]
        case _:
            place[key] = deepcopy(draw(values))


def judge(endpoint: str, body: Any) -> None:
    """The emulator says to this body what the second opinion says, and keeps nothing of what it refuses."""
    api = an_api()
    sent = json.dumps(body).encode()
    answer = json.loads(outcome(api, endpoint, sent).body)
    assert (answer["ErrorCode"] == 0) == is_sound(endpoint, body, sent_bytes=len(sent)), answer
    assert (answer["ActionStatus"] == "OK") == (answer["ErrorCode"] == 0)
    assert within_limits(api)
    if answer["ErrorCode"]:
        assert api.store.users() == {}
        assert api.pushing.sent == []
        assert api.store.attribute_names() == {"0": "sex", "1": "city"}


def within_limits(api: Api) -> bool:
    """Nothing stored passes a limit, whatever was accepted."""
    return all(
        (sized(user, 32) or len(user) == 36)
        and len(state.tags) <= 100
        and all(sized(tag, 50) for tag in state.tags)
        and all(sized(value, 50) for value in state.attributes.values())
        for user, state in api.store.users().items()
    )


@settings(max_examples=4_000)
@given(requests(OF_USERS))
def test_attributes_and_tags(request: tuple[str, Any]) -> None:
    """Both families."""
    judge(*request)


@settings(max_examples=1_500)
@given(requests(list(ACCOUNT_COMMANDS)))
def test_accounts(request: tuple[str, Any]) -> None:
    """All four calls."""
    judge(*request)


@settings(max_examples=3_000)
@given(requests(OF_PUSHES))
def test_pushes(request: tuple[str, Any]) -> None:
    """Both families, and taking back."""
    judge(*request)


@settings(max_examples=800)
@given(st.sampled_from(ENDPOINTS), json_values)
def test_any_json(endpoint: str, body: object) -> None:
    """Also what looks like nothing that was ever documented."""
    judge(endpoint, body)


@settings(max_examples=700)
@given(st.sampled_from(ENDPOINTS), st.binary(max_size=200))
def test_any_bytes(endpoint: str, body: bytes) -> None:
    """What is no JSON is refused as such."""
    code = json.loads(outcome(an_api(), endpoint, body).body)["ErrorCode"]
    assert code in (0, 90001, 90002, 90019, 90021, 90023, 90049, 60003, 70402)


@settings(max_examples=200)
@given(st.lists(requests(OF_USERS + list(ACCOUNT_COMMANDS) + OF_PUSHES), min_size=2, max_size=12))
def test_any_history(history: list[tuple[str, Any]]) -> None:
    """One after the other, whatever was before: each is answered, and no limit is passed."""
    api = an_api()
    for number, (endpoint, body) in enumerate(history):
        answer = json.loads(outcome(api, endpoint, json.dumps(body).encode(), now=NOW + 2 * number).body)
        assert (answer["ActionStatus"] == "OK") == (answer["ErrorCode"] == 0)
        assert within_limits(api)
