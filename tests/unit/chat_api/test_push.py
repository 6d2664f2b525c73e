"""A push, both ways and in both families."""

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_sync.chat_api.conditions import Attributes, Condition, Everybody, Tags
from audience_sync.chat_api.errors import BrokenLimit
from audience_sync.chat_api.messages import Custom, Element, Face, Location, Sound, Text
from audience_sync.chat_api.offline_push import Android, Apns, OfflinePush
from audience_sync.chat_api.push import Push, decode_push, encode_push, encode_revoke
from audience_sync.chat_api.wire import Family

ALL, TIMPUSH = Family.ALL_MEMBER_PUSH, Family.TIMPUSH
SEVEN_DAYS = 604_800

HI = [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]
SHENZHEN = Attributes(all_of={"level": "platinum", "city": "Shenzhen"})

DOCUMENTED: list[tuple[str, Push, dict[str, object]]] = [
    (
        "platinum members in Shenzhen",
        Push(body=(Text("hi"),), to=SHENZHEN, random=389475, life_seconds=120, sender="admin"),
        {
            "From_Account": "admin",
            "MsgRandom": 389475,
            "MsgLifeTime": 120,
            "Condition": {"AttrsAnd": {"level": "platinum", "city": "Shenzhen"}},
            "MsgBody": HI,
        },
    ),
    (
        "all users, kept for seven days",
        Push(body=(Text("hi"),), to=Everybody(), random=56512, life_seconds=SEVEN_DAYS),
        {"MsgRandom": 56512, "MsgLifeTime": SEVEN_DAYS, "MsgBody": HI},
    ),
    (
        "all users who are online",
        Push(body=(Text("hi"),), to=Everybody(), random=56512),
        {"MsgRandom": 56512, "MsgLifeTime": 0, "MsgBody": HI},
    ),
    (
        "users who follow stock A or stock B",
        Push(body=(Text("hi"),), to=Tags(any_of=("stock A", "stock B")), random=124032, life_seconds=120),
        {
            "MsgRandom": 124032,
            "MsgLifeTime": 120,
            "Condition": {"TagsOr": ["stock A", "stock B"]},
            "MsgBody": HI,
        },
    ),
    (
        "with a notification",
        Push(
            body=(Text("hi"),),
            to=Everybody(),
            random=3674128,
            life_seconds=120,
            sender="alice",
            offline_push=OfflinePush(
                push_flag=0,
                description="Content to push offline",
                extension="Passthrough content",
                android=Android(sound="android.mp3"),
                apns=Apns(sound="apns.mp3", badge_mode=1),
            ),
        ),
        {
            "From_Account": "alice",
            "MsgRandom": 3674128,
            "MsgLifeTime": 120,
            "MsgBody": HI,
            "OfflinePushInfo": {
                "PushFlag": 0,
                "Desc": "Content to push offline",
                "Ext": "Passthrough content",
                "AndroidInfo": {"Sound": "android.mp3"},
                "ApnsInfo": {"Sound": "apns.mp3", "BadgeMode": 1},
            },
        },
    ),
]


@pytest.mark.parametrize(("what", "push", "wire"), DOCUMENTED, ids=[what for what, *_ in DOCUMENTED])
def test_pushes_are_as_documented(what: str, push: Push, wire: dict[str, object]) -> None:
    """The samples of the page about the call, and the uses that its overview names."""
    assert json.loads(encode_push(push, ALL)) == wire, what
    assert decode_push(json.dumps(wire).encode(), ALL, everybody=True) == push


@pytest.mark.parametrize(("life_seconds", "flag"), [(0, 1), (1, 0), (SEVEN_DAYS, 0)])
def test_the_successor_keeps_a_push_or_does_not(life_seconds: int, flag: int) -> None:
    """It has no number of seconds: what is kept is kept like any message."""
    push = Push(body=(Text("hi"),), to=Everybody(), random=1, life_seconds=life_seconds)
    wire = {"MsgRandom": 1, "OnlineOnlyFlag": flag, "MsgBody": HI}

    assert json.loads(encode_push(push, TIMPUSH)) == wire
    kept = 0 if flag else SEVEN_DAYS
    assert decode_push(json.dumps(wire).encode(), TIMPUSH, everybody=True) == msgspec.structs.replace(
        push, life_seconds=kept
    )


def test_the_successor_shows_a_notification_without_a_message() -> None:
    """As its own page's samples have it; the older family takes no push without an element."""
    notice = OfflinePush(push_flag=0, title="Offline Push Title", description="Offline Push Content")
    push = Push(body=(), to=Everybody(), random=3674128, sender="administrator", offline_push=notice)
    wire = {
        "From_Account": "administrator",
        "MsgRandom": 3674128,
        "OfflinePushInfo": {"PushFlag": 0, "Title": "Offline Push Title", "Desc": "Offline Push Content"},
    }

    assert json.loads(encode_push(push, TIMPUSH)) == wire
    assert encode_push(
        decode_push(json.dumps(wire).encode(), TIMPUSH, everybody=True), TIMPUSH
    ) == encode_push(push, TIMPUSH)
    with pytest.raises(BrokenLimit, match="MsgBody has no element"):
        encode_push(push, ALL)
    with pytest.raises(BrokenLimit, match="MsgBody has no element"):
        encode_push(msgspec.structs.replace(push, offline_push=None), TIMPUSH)


def push_of(**fields: Any) -> Push:
    """A sound push with other fields."""
    return Push(**{"body": (Text("hi"),), "to": Everybody(), "random": 1, **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"random": 0},
        {"random": 2**32 - 2},
        {"random": 2**32 - 1},
        {"life_seconds": SEVEN_DAYS - 1},
        {"life_seconds": SEVEN_DAYS},
        {"sender": "a"},
        {"sender": "a" * 31},
        {"sender": "a" * 32},
        {"sender": "用户"},
        {"body": [Text("a"), Custom("b"), Text("c")]},
    ],
)
def test_what_keeps_the_limits_is_written(fields: dict[str, object]) -> None:
    """One below, and exactly."""
    for family in Family:
        encode_push(push_of(**fields), family)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"random": -1}, "MsgRandom -1: the Chat API takes a whole number from 0 to 4294967295"),
        ({"random": 2**32}, "MsgRandom 4294967296: the Chat API takes a whole number"),
        ({"random": "1"}, "MsgRandom '1':"),
        ({"random": True}, "MsgRandom True:"),
        ({"random": 1.0}, "MsgRandom 1.0:"),
        ({"random": None}, "MsgRandom None:"),
        ({"life_seconds": -1}, "MsgLifeTime -1: the Chat API takes a whole number from 0 to 604800"),
        ({"life_seconds": SEVEN_DAYS + 1}, "MsgLifeTime 604801:"),
        ({"life_seconds": 60.0}, "MsgLifeTime 60.0:"),
        ({"sender": ""}, "From_Account '' has 0 bytes of UTF-8; the Chat API takes 1 to 32"),
        ({"sender": "a" * 33}, "has 33 bytes of UTF-8"),
        ({"sender": "\ud800"}, "cannot be written in UTF-8"),
        ({"sender": 5}, "From_Account 5 is no text but int"),
        ({"body": ()}, "MsgBody has no element; a message takes 1 or more"),
        ({"body": (Text("\ud800"),)}, r"the push: '\ud800' cannot be written in UTF-8"),
        ({"to": Tags()}, "the condition is empty"),
        ({"to": None}, "the condition None is none"),
        ({"offline_push": OfflinePush(title="\udfff")}, "cannot be written in UTF-8"),
        ({"offline_push": {"Title": "t"}}, "OfflinePushInfo: {'Title': 't'} is none"),
    ],
)
@pytest.mark.parametrize("family", Family)
def test_what_the_api_would_refuse_is_not_written(
    fields: dict[str, object], words: str, family: Family
) -> None:
    """The words name the field, the value, the limit and the way out."""
    with pytest.raises(BrokenLimit, match=re.escape(words)):
        encode_push(push_of(**fields), family)


@pytest.mark.parametrize(("family", "most"), [(ALL, 12_288), (TIMPUSH, 10_240)])
def test_a_push_has_room_for_so_many_bytes(family: Family, most: int) -> None:
    """All of the body counts, each character as UTF-8."""
    empty = len(encode_push(push_of(body=(Text(""),)), family))
    fitting = "股" + "x" * (most - empty - 3)

    assert len(encode_push(push_of(body=(Text(fitting[:-1]),)), family)) == most - 1
    assert len(encode_push(push_of(body=(Text(fitting),)), family)) == most
    words = f"the push has {most + 1} bytes of JSON; {family} takes up to {most}, so shorten it"
    with pytest.raises(BrokenLimit, match=words):
        encode_push(push_of(body=(Text(fitting + "x"),)), family)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the push is no JSON"),
        (b"\xff", "the push is no JSON"),
        (b'{"a":' * 5_000, "the push is no JSON"),
        (b"[]", "the push: Expected `object`, got `array`"),
        (b'{"MsgRandom":1}', "MsgBody has no element"),
        (b'{"MsgRandom":1,"MsgBody":{}}', "Expected `array | null`, got `object` - at `$.MsgBody`"),
        (b'{"MsgRandom":1.5,"MsgBody":[]}', "Expected `int | null`, got `float` - at `$.MsgRandom`"),
        (
            b'{"MsgRandom":99999999999999999999,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":""}}]}',
            "MsgR",
        ),
        (b'{"MsgRandom":1,"MsgLifetime":5,"MsgBody":[]}', "contains unknown field `MsgLifetime`"),
        (
            b'{"MsgRandom":1,"MsgLifeTime":604801,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":""}}]}',
            "6048",
        ),
        (
            b'{"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a"}}]}',
            "MsgRandom is missing; give each push",
        ),
        (
            b'{"MsgRandom":1,"OnlineOnlyFlag":1,"MsgBody":[]}',
            "OnlineOnlyFlag: only the family timpush has it; write",
        ),
        (b'{"MsgRandom":1,"Condition":{},"MsgBody":[]}', "nobody is meant by the push"),
    ],
)
def test_what_is_no_push_is_not_read(body: bytes, words: str) -> None:
    """A file's mistake is told in words, with the field that it is in."""
    with pytest.raises(BrokenLimit, match=re.escape(words)):
        decode_push(body, ALL, everybody=True)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"MsgLifeTime": 5},
            "MsgLifeTime: the family timpush has none; write OnlineOnlyFlag, 1 to keep nothing",
        ),
        ({"OnlineOnlyFlag": 2}, "OnlineOnlyFlag 2: the Chat API takes 0 and 1"),
    ],
)
def test_the_successor_s_pushes_are_read_as_such(fields: dict[str, object], words: str) -> None:
    with pytest.raises(BrokenLimit, match=words):
        decode_push(json.dumps({"MsgRandom": 1, "MsgBody": HI, **fields}).encode(), TIMPUSH, everybody=True)


def test_a_push_without_a_number_gets_the_caller_s() -> None:
    """And keeps its own if it has one."""
    body = json.dumps({"MsgBody": HI}).encode()

    assert decode_push(body, ALL, random=7, everybody=True).random == 7
    assert decode_push(b'{"MsgRandom":0,' + body[1:], ALL, random=7, everybody=True).random == 0


def test_a_push_without_a_condition_is_for_everybody_only_when_allowed() -> None:
    """That it is the default would make a lost line a push to all."""
    with pytest.raises(BrokenLimit, match="Condition is missing, so the push would go to everybody"):
        decode_push(json.dumps({"MsgRandom": 1, "MsgBody": HI}).encode(), ALL)


texts = st.text(st.characters(codec="utf-8"), max_size=12)
tags = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12), unique=True, max_size=10).map(
    tuple
)
pairs = st.dictionaries(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=12),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=12),
    max_size=10,
)
conditions: st.SearchStrategy[Condition] = st.one_of(
    st.just(Everybody()),
    tags.filter(bool).map(lambda some: Tags(any_of=some[1:], all_of=some[:1])),
    tags.filter(bool).map(lambda some: Tags(all_of=some)),
    pairs.filter(bool).map(lambda some: Attributes(any_of=some, all_of=some)),
    pairs.filter(bool).map(lambda some: Attributes(any_of=some)),
)
elements: st.SearchStrategy[Element] = st.one_of(
    st.builds(Text, texts),
    st.builds(Face, st.integers(), texts),
    st.builds(Location, texts, st.floats(-90, 90), st.floats(-180, 180)),
    st.builds(Sound, texts, texts, st.integers(0, 2**40), st.integers(0, 600)),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
unknown = st.dictionaries(texts.map(lambda name: f"New{name}"), json_values, max_size=3)
offline_pushes = st.builds(
    OfflinePush,
    push_flag=st.none() | st.sampled_from([0, 1]),
    title=st.none() | texts,
    android=st.none() | st.builds(Android, sound=st.none() | texts, other=unknown),
    apns=st.none() | st.builds(Apns, badge_mode=st.none() | st.sampled_from([0, 1]), other=unknown),
)
pushes = st.builds(
    Push,
    body=st.lists(elements, min_size=1, max_size=3).map(tuple),
    to=conditions,
    random=st.integers(0, 2**32 - 1),
    life_seconds=st.sampled_from([0, SEVEN_DAYS]),  # what the successor can tell apart
    sender=st.none() | st.text("abc-_09", min_size=1, max_size=32),
    offline_push=st.none() | offline_pushes,
)


@given(push=pushes, family=st.sampled_from(Family))
def test_what_is_written_is_read_as_it_was(push: Push, family: Family) -> None:
    """So a push that was looked at as JSON is the push that leaves."""
    body = encode_push(push, family)

    assert decode_push(body, family, everybody=True) == push
    assert encode_push(decode_push(body, family, everybody=True), family) == body


def test_a_push_is_taken_back_by_its_number() -> None:
    """As documented, with what is shown instead and without."""
    notice = OfflinePush(title="Recall Title", description="The other party has recalled a message")

    assert json.loads(encode_revoke("660cc447_bc614e", offline_push=notice)) == {
        "TaskId": "660cc447_bc614e",
        "OfflinePushInfo": {"Title": "Recall Title", "Desc": "The other party has recalled a message"},
    }
    assert json.loads(encode_revoke("660cc447_bc614e")) == {"TaskId": "660cc447_bc614e"}


@pytest.mark.parametrize(
    ("task_id", "words"),
    [
        ("", "TaskId is empty; it is the text that pushing answered"),
        (5, "TaskId: Expected `str`, got `int`, in 5"),
        ("\ud800", "cannot be written in UTF-8"),
    ],
)
def test_what_names_no_push_takes_none_back(task_id: Any, words: str) -> None:
    with pytest.raises(BrokenLimit, match=words):
        encode_revoke(task_id)
