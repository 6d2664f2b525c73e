"""A push put together from options and a file: each part said once, and nobody meant by an oversight."""

from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from audience_sync.chat_api import Attributes, Custom, Everybody, Family, OfflinePush, Push, Tags, Text
from audience_sync.chat_api.push import encode_push
from audience_sync.commands.chat.message import PushOptions, offline_push_of, push_of, seconds_of
from audience_sync.commands.chat.spread import spread
from audience_sync.commands.stop import ExitCode, Stop

BODY: Final = [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]
WHOLE: Final = {"MsgRandom": 7, "MsgBody": BODY, "Condition": {"TagsOr": ["a"]}, "MsgLifeTime": 60}


def push(family: Family = Family.ALL_MEMBER_PUSH, **options: Any) -> Push:
    """What the options ask for."""
    return push_of(PushOptions(**options), family, random=5)


def refused(family: Family = Family.ALL_MEMBER_PUSH, **options: Any) -> str:
    """Why they cannot be followed."""
    with pytest.raises(Stop) as caught:
        push(family, **options)
    assert caught.value.code is ExitCode.BAD_INPUT
    assert caught.value.message.endswith("\nNothing was sent.")
    return caught.value.message.removesuffix("\nNothing was sent.")


def file(folder: Path, content: object) -> Path:
    """A file with JSON, or with text."""
    path = folder / "push.json"
    path.write_bytes(content.encode() if isinstance(content, str) else msgspec.json.encode(content))
    return path


def test_options_say_it_all() -> None:
    """Each option a field of the push."""
    assert push(
        tags_or=["a", "b", "a"],
        tags_and=["c"],
        text="hi",
        life_time="2h",
        sender="alice",
        random=6,
        offline_push=OfflinePush(title="t"),
    ) == Push(
        body=(Text("hi"),),
        to=Tags(any_of=("a", "b"), all_of=("c",)),
        random=6,
        life_seconds=7200,
        sender="alice",
        offline_push=OfflinePush(title="t"),
    )


def test_a_push_without_a_number_gets_one() -> None:
    """And nobody who is offline unless a life time is said."""
    made = push(everyone=True, text="hi")
    assert (made.to, made.random, made.life_seconds) == (Everybody(), 5, 0)


def test_attributes_are_pairs() -> None:
    """The first equals sign divides."""
    made = push(attrs_and=["level=platinum", "city=a=b"], text="hi")
    assert made.to == Attributes(all_of={"level": "platinum", "city": "a=b"})


def test_a_file_may_hold_the_message_alone(tmp_path: Path) -> None:
    """As documented for MsgBody; the options say the rest."""
    body = file(tmp_path, [*BODY, {"MsgType": "TIMCustomElem", "MsgContent": {"Data": "{}"}}])
    assert push(tags_or=["a"], body=body).body == (Text("hi"), Custom("{}"))


def test_a_file_may_hold_the_whole(tmp_path: Path) -> None:
    """And then nothing needs to be said; its own number stays."""
    made = push(body=file(tmp_path, WHOLE))
    assert (made.to, made.random, made.life_seconds) == (Tags(any_of=("a",)), 7, 60)


def test_options_say_what_the_whole_lacks(tmp_path: Path) -> None:
    """Null is lacking too."""
    lacking = {"MsgBody": BODY, "Condition": None, "OfflinePushInfo": None}
    made = push(body=file(tmp_path, lacking), everyone=True, life_time="60", sender="bob")
    assert (made.to, made.random, made.life_seconds, made.sender) == (Everybody(), 5, 60, "bob")


def test_what_the_file_says_options_must_not_say_again(tmp_path: Path) -> None:
    """Which of both is meant, nobody could tell."""
    body = file(tmp_path, WHOLE | {"From_Account": "alice", "OfflinePushInfo": {"Title": "t"}})
    told = refused(
        body=body, everyone=True, life_time="60", sender="bob", random=8, offline_push=OfflinePush(title="u")
    )
    for field, option in [
        ("Condition", "--everyone"),
        ("MsgLifeTime", "--life-time"),
        ("From_Account", "--from"),
        ("MsgRandom", "--random"),
        ("OfflinePushInfo", "--title"),
    ]:
        assert f"{field} stands in {body}, and {option}" in told
    assert "Condition stands in" in refused(body=body, tags_or=["b"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"text": "hi"}, "who is it for?"),
        ({"everyone": True}, "what is to be pushed?"),
        ({"everyone": True, "text": "hi", "body": Path("x")}, "one of these"),
        ({"everyone": True, "tags_or": ["a"], "text": "hi"}, "everybody is meant, and a condition is given"),
        ({"tags_or": ["a"], "attrs_or": ["b=c"], "text": "hi"}, "both tags and attributes"),
        ({"tags_or": [""], "text": "hi"}, "TagsOr: the tag '' has 0 bytes"),
        ({"tags_or": ["a"], "tags_and": ["a"], "text": "hi"}, "in TagsOr and in TagsAnd"),
        ({"tags_not": ["a"], "text": "hi"}, "only the family timpush has it"),
        ({"tags_or": list("abcdefghijk"), "text": "hi"}, "TagsOr has 11 tags"),
        ({"attrs_or": ["city"], "text": "hi"}, 'has no "="'),
        ({"attrs_or": ["a=b", "a=c"], "text": "hi"}, "is given twice"),
        ({"everyone": True, "text": "hi", "life_time": "8d"}, "MsgLifeTime 691200"),
        ({"everyone": True, "text": "hi", "life_time": "two days"}, "--life-time 'two days': a number of seconds"),
        ({"everyone": True, "text": "x" * 13_000}, "13"),
        ({"everyone": True, "body": Path("no-such.json")}, "no-such.json can't be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_pushed_says_why(options: dict[str, Any], words: str) -> None:
    """Before anything is sent."""
    assert words in refused(**options)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is no JSON"),
        ('"hi"', "MsgBody"),
        ([], "MsgBody has no element"),
        ({"MsgBody": BODY}, "Condition is missing"),
        ({"MsgBody": BODY, "Condition": {}}, "nobody is meant"),
        (WHOLE | {"MsgLifetime": 7}, "MsgLifetime"),
        ([{"MsgType": "TIMTextElem", "MsgContent": {"Txt": "hi"}}], "Txt"),
        (" " * 1_000_001, "is larger than"),
    ],
)
def test_a_wrong_file_says_what(tmp_path: Path, content: object, words: str) -> None:
    """A body without a condition is not taken for everybody."""
    tags = [] if isinstance(content, dict) else ["a"]
    assert words in refused(body=file(tmp_path, content), tags_or=tags)


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("90", 90), ("90s", 90), ("5m", 300), ("2h", 7200), ("7d", 604_800)]
)
def test_a_life_time_has_a_unit(text: str, seconds: int) -> None:
    """Seconds without one."""
    assert seconds_of(text) == seconds


def test_the_successor_knows_online_only_and_tags_not() -> None:
    """It has no life time."""
    made = push(Family.TIMPUSH, tags_not=["a"], text="hi", life_time="2h")
    assert msgspec.json.decode(encode_push(made, Family.TIMPUSH))["OnlineOnlyFlag"] == 0


def test_nothing_said_of_notifications_is_no_notification_of_ours() -> None:
    """It is made of the message then."""
    assert offline_push_of(None, None, None) is None
    assert offline_push_of("t", None, "{}") == OfflinePush(title="t", extension="{}")


@pytest.mark.parametrize(
    ("typed", "spread_out"),
    [
        ("--tags-or a b --text hi", "--tags-or a --tags-or b --text hi"),
        ("--tags-or=a b", "--tags-or=a --tags-or b"),
        ("--tags-or a --tags-or b", "--tags-or a --tags-or b"),
        ("--tags-or --strange b", "--tags-or --strange --tags-or b"),
        ("--yes a", "--yes a"),
        ("--text hi there", "--text hi there"),
        ("a --tags-or", "a --tags-or"),
        ("", ""),
    ],
)
def test_values_of_one_option_may_follow_each_other(typed: str, spread_out: str) -> None:
    """As on a line of a shell script; other options take one."""
    assert [*spread(typed.split(), {"--tags-or"})] == spread_out.split()
