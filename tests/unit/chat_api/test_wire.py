"""The JSON both ways, and what is not sent."""

import json
from types import MappingProxyType

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_sync.chat_api.answers import ANSWER, Answer, Named
from audience_sync.chat_api.errors import BrokenLimit
from audience_sync.chat_api.wire import Family, encode, path
from audience_sync.core import limits
from audience_sync.core.changes import AddTag, Endpoint, Part, Request, SetAttribute, UserId

ALICE, BOB = UserId("alice"), UserId("bob")


@pytest.mark.parametrize(
    ("endpoint", "parts", "body"),
    [
        (
            Endpoint.ADD_TAGS,
            {ALICE: ("vip", "股票"), BOB: ["x"]},
            {
                "UserTags": [
                    {"To_Account": "alice", "Tags": ["vip", "股票"]},
                    {"To_Account": "bob", "Tags": ["x"]},
                ]
            },
        ),
        (Endpoint.REMOVE_TAGS, {ALICE: ["vip"]}, {"UserTags": [{"To_Account": "alice", "Tags": ["vip"]}]}),
        (
            Endpoint.SET_ATTRIBUTES,
            {ALICE: MappingProxyType({"city": "Shenzhen"})},
            {"UserAttrs": [{"To_Account": "alice", "Attrs": {"city": "Shenzhen"}}]},
        ),
        (
            Endpoint.REMOVE_ATTRIBUTES,
            {ALICE: ["city"]},
            {"UserAttrs": [{"To_Account": "alice", "Attrs": ["city"]}]},
        ),
        (Endpoint.REMOVE_ALL_TAGS, {ALICE: (), BOB: ()}, {"To_Account": ["alice", "bob"]}),
    ],
)
def test_bodies_are_as_documented(endpoint: Endpoint, parts: dict[UserId, Part], body: object) -> None:
    """Each sample is the documentation's, with our values. Removing attributes takes names only."""
    assert json.loads(encode(Request(endpoint, parts))) == body


@pytest.mark.parametrize(
    ("family", "endpoint", "expected"),
    [
        (Family.ALL_MEMBER_PUSH, Endpoint.SET_ATTRIBUTES, "/v4/all_member_push/im_set_attr"),
        (Family.ALL_MEMBER_PUSH, Endpoint.REMOVE_ALL_TAGS, "/v4/all_member_push/im_remove_all_tags"),
        (Family.TIMPUSH, Endpoint.ADD_TAGS, "/v4/timpush/add_tag"),
        (Family.TIMPUSH, Endpoint.REMOVE_ALL_TAGS, "/v4/timpush/clear_all_tags"),
    ],
)
def test_paths_are_as_documented(family: Family, endpoint: Endpoint, expected: str) -> None:
    assert path(family, endpoint) == expected


def many_users(count: int) -> dict[UserId, Part]:
    return {UserId(f"user-{number}"): ["vip"] for number in range(count)}


@pytest.mark.parametrize(
    ("endpoint", "parts", "words"),
    [
        (Endpoint.ADD_TAGS, {}, "with 0 users; it takes 1 to 100"),
        (Endpoint.ADD_TAGS, many_users(101), "with 101 users; it takes 1 to 100"),
        (Endpoint.ADD_TAGS, {ALICE: []}, "with 0 tags for user 'alice'"),
        (Endpoint.ADD_TAGS, {ALICE: [str(n) for n in range(11)]}, "with 11 tags for user 'alice'"),
        (Endpoint.REMOVE_ATTRIBUTES, {ALICE: [str(n) for n in range(11)]}, "with 11 attributes for user"),
        (Endpoint.ADD_TAGS, {ALICE: [""]}, "user 'alice': the tag '' has 0 bytes"),
        (Endpoint.ADD_TAGS, {ALICE: ["ok", "股" * 17]}, "has 51 bytes of UTF-8; the Chat API takes 1 to 50"),
        (Endpoint.ADD_TAGS, {UserId("u" * 33): ["vip"]}, "has 33 bytes of UTF-8; the Chat API takes 1 to 32"),
        (Endpoint.REMOVE_ALL_TAGS, {UserId(""): ()}, "the user '' has 0 bytes"),
        (Endpoint.REMOVE_ALL_TAGS, {ALICE: ["vip"]}, "takes nothing but the user"),
        (Endpoint.SET_ATTRIBUTES, {ALICE: {"city": ""}}, "the value of attribute 'city' '' has 0 bytes"),
        (Endpoint.SET_ATTRIBUTES, {ALICE: {"c" * 51: "x"}}, "the attribute name"),
        (Endpoint.SET_ATTRIBUTES, {ALICE: ["city"]}, "for user 'alice' was given a list"),
        (Endpoint.ADD_TAGS, {ALICE: "vip"}, "for user 'alice' was given a str"),
        (Endpoint.REMOVE_ATTRIBUTES, {ALICE: {"city": "x"}}, "for user 'alice' was given a dict"),
        (Endpoint.ADD_TAGS, {ALICE: ["\ud800"]}, "cannot be written in UTF-8"),
        (Endpoint.ADD_TAGS, {ALICE: ["\ud800" * 20]}, "cannot be written in UTF-8"),
    ],
)
def test_what_breaks_a_limit_is_not_written(
    endpoint: Endpoint, parts: dict[UserId, Part], words: str
) -> None:
    """The message names the user, the field and the limit."""
    with pytest.raises(BrokenLimit, match=words.replace("(", r"\(")):
        encode(Request(endpoint, parts))


texts = st.text(st.characters(codec="utf-8"), max_size=60)


@given(user=texts, name=texts, value=texts)
def test_the_quick_look_agrees_with_the_limits(user: str, name: str, value: str) -> None:
    """Counting characters first saves time and changes nothing."""
    change = SetAttribute(name, value)
    try:
        encode(Request(Endpoint.SET_ATTRIBUTES, {UserId(user): {name: value}}))
        refused = False
    except BrokenLimit:
        refused = True

    assert refused is (limits.broken_limit(user, change) is not None)


@given(tags=st.lists(texts, min_size=1, max_size=10))
def test_the_quick_look_at_tags_agrees_too(tags: list[str]) -> None:
    broken = any(limits.broken_limit(ALICE, AddTag(tag)) for tag in tags)
    if broken:
        with pytest.raises(BrokenLimit):
            encode(Request(Endpoint.ADD_TAGS, {ALICE: tags}))
    else:
        encode(Request(Endpoint.ADD_TAGS, {ALICE: tags}))


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b'{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}', Answer("OK", 0, "")),
        (b'{"ErrorCode":0}', Answer(code=0)),  # the documentation's own sample leaves fields out
        (b'{"ErrorCode":"60007","ErrorInfo":null}', Answer(code=60007)),
        (b'{"ErrorCode":0,"RequestId":"x","ErrorList":null}', Answer(code=0)),
        (b"{}", Answer()),
        (
            b'{"ErrorCode":0,"ErrorList":[{"To_Account":"bob","ErrorCode":70107,"Extra":1},{"To_Account":7}]}',
            Answer(code=0, named=[Named("bob", 70107), Named(7)]),
        ),
    ],
)
def test_answers_are_read_tolerantly(body: bytes, answer: Answer) -> None:
    """Fields may be missing or stand beside those we know; a number may stand in quotes."""
    assert ANSWER.decode(body) == answer


@pytest.mark.parametrize(
    "body", [b"", b"<html>502</html>", b"[]", b'{"ErrorCode":', b'{"ErrorCode":{}}', b"\xff\xfe"]
)
def test_what_is_no_answer_is_an_error(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        ANSWER.decode(body)
