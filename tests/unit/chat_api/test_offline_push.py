"""What a phone shows, both ways."""

import json
import math
import re
from typing import Any

import pytest

from audience_sync.chat_api.errors import BrokenLimit
from audience_sync.chat_api.offline_push import (
    Android,
    Apns,
    Harmony,
    LiveActivity,
    OfflinePush,
    Translation,
    decode_offline_push,
    encode_offline_push,
)

EXTENSION = '{"entity":{"key1":"value1","key2":"value2"}}'

MARKETING = {
    "PushFlag": 0,
    "Title": "Offline Push Title",
    "Desc": "offline push content",
    "Ext": EXTENSION,
    "AndroidInfo": {
        "Sound": "shake",
        "XiaoMiChannelID": "xiaomi_channel_id",
        "OPPOChannelID": "oppo_channel_id",
        "OPPOCategory": "MARKETING",
        "VIVOCategory": "MARKETING",
        "HuaWeiCategory": "MARKETING",
        "HonorImportance": "LOW",
        "MeiZuNoticeMsgType": 0,
    },
    "ApnsInfo": {
        "Sound": "apns.mp3",
        "BadgeMode": 1,
        "Title": "apns title",
        "SubTitle": "apns subtitle",
        "Image": "www.image.com",
        "MutableContent": 1,
    },
}


def test_the_vendor_s_sample_is_written_and_read() -> None:
    """The marketing push of the page about OfflinePushInfo."""
    push = OfflinePush(
        push_flag=0,
        title="Offline Push Title",
        description="offline push content",
        extension=EXTENSION,
        android=Android(
            sound="shake",
            xiaomi_channel="xiaomi_channel_id",
            oppo_channel="oppo_channel_id",
            oppo_category="MARKETING",
            vivo_category="MARKETING",
            huawei_category="MARKETING",
            honor_importance="LOW",
            meizu_message_type=0,
        ),
        apns=Apns(
            sound="apns.mp3",
            badge_mode=1,
            title="apns title",
            subtitle="apns subtitle",
            image="www.image.com",
            mutable_content=1,
        ),
    )

    assert encode_offline_push(push) == MARKETING
    assert decode_offline_push(MARKETING) == push


EVERY_FIELD = {
    "PushFlag": 1,
    "Title": "title",
    "Desc": "text",
    "Ext": "{}",
    "MultiLanguageContent": [{"Language": "en", "Title": "title", "Desc": "text"}],
    "AndroidInfo": {
        "Sound": "shake",
        "PushStyle": 1,
        "XiaoMiChannelID": "x",
        "OPPOChannelID": "o",
        "OPPOCategory": "IM",
        "OPPONotifyLevel": 16,
        "OPPOPrivateMsgTemplateId": "t",
        "OPPOPrivateTitleParameters": {"city": "Beijing"},
        "OPPOPrivateContentParameters": {"userName": "Tom"},
        "VIVOClassification": 1,
        "VIVOCategory": "IM",
        "VIVONotifyType": "4",
        "HuaWeiChannelID": "h",
        "HuaWeiCategory": "IM",
        "HuaWeiImportance": "NORMAL",
        "HuaWeiImage": "https://example.com/a.png",
        "ExtAsHuaweiIntentParam": 1,
        "HonorImportance": "NORMAL",
        "HonorImage": "https://example.com/a.png",
        "GoogleChannelID": "g",
        "GoogleImage": "https://example.com/a.png",
        "GooglePriority": "high",
        "MeiZuNoticeMsgType": 1,
    },
    "ApnsInfo": {
        "Sound": "a.mp3",
        "BadgeMode": 0,
        "Title": "t",
        "SubTitle": "s",
        "Image": "https://example.com/a.png",
        "MutableContent": 0,
        "InterruptionLevel": "time-sensitive",
        "ContentAvailable": 1,
        "IsVoipPush": 1,
        "LiveActivity": {
            "LaId": "timpush",
            "Event": "end",
            "ContentState": {"k1": 1, "k2": [None]},
            "DismissalDate": 1739502750,
        },
    },
    "HarmonyInfo": {
        "Title": "t",
        "Category": "IM",
        "Image": "https://example.com/a.png",
        "Sound": "alert.mp3",
        "SoundDuration": 60,
    },
    "BadgeAddNum": 99,
    "BadgeSetNum": 999,
    "PushTemplateId": "1400000000-2",
    "PushTemplateParam": {"UserName": "alice"},
}


def test_every_documented_field_has_its_place() -> None:
    """None of them ends among the others, and none is lost."""
    push = decode_offline_push(EVERY_FIELD)

    assert push.android is not None
    assert push.apns is not None
    assert push.harmony is not None
    assert (push.android.other, push.apns.other, push.harmony.other) == ({}, {}, {})
    for part in (push, push.android, push.apns, push.apns.live_activity, push.harmony):
        assert part is not None
        names = [name for name in part.__struct_fields__ if name != "other"]
        assert [name for name in names if getattr(part, name) is None] == []
    assert json.loads(json.dumps(encode_offline_push(push))) == EVERY_FIELD


def test_what_the_vendor_adds_is_handed_through() -> None:
    """Makers' services change several times a year; nobody waits for us."""
    wire = {"AndroidInfo": {"Sound": "a", "NewMakerChannelID": "n"}, "ApnsInfo": {"New": {"deep": [1, 2.5]}}}
    push = OfflinePush(
        android=Android(sound="a", other={"NewMakerChannelID": "n"}),
        apns=Apns(other={"New": {"deep": [1, 2.5]}}),
    )

    assert encode_offline_push(push) == wire
    assert decode_offline_push(wire) == push


def test_null_is_as_good_as_nothing() -> None:
    """Some clients write null for what they don't use."""
    assert decode_offline_push({"Title": None, "ApnsInfo": None}) == OfflinePush()
    assert encode_offline_push(OfflinePush()) == {}


def wrong(value: object) -> Any:
    """What a caller without a type checker may give."""
    return value


@pytest.mark.parametrize(
    ("push", "words"),
    [
        (OfflinePush(title=wrong(5)), "OfflinePushInfo: Expected `str | null`, got `int` - at `$.Title`, in"),
        (OfflinePush(push_flag=wrong(2)), "Invalid enum value 2 - at `$.PushFlag`"),
        (OfflinePush(badge_add=0), "Expected `int` >= 1 - at `$.BadgeAddNum`"),
        (OfflinePush(badge_add=100), "Expected `int` <= 99 - at `$.BadgeAddNum`"),
        (OfflinePush(badge_set=-1), "Expected `int` >= 0 - at `$.BadgeSetNum`"),
        (OfflinePush(badge_set=1000), "Expected `int` <= 999 - at `$.BadgeSetNum`"),
        (
            OfflinePush(harmony=Harmony(sound_seconds=61)),
            "Expected `int` <= 60 - at `$.HarmonyInfo.SoundDuration`",
        ),
        (OfflinePush(apns=Apns(interruption_level=wrong("loud"))), "Invalid enum value 'loud'"),
        (
            OfflinePush(
                apns=Apns(live_activity=LiveActivity(activity_id="a", event=wrong("x"), content_state={}))
            ),
            "Invalid enum value 'x' - at `$.ApnsInfo.LiveActivity.Event`",
        ),
        (
            OfflinePush(android=Android(other={"Sound": "x"})),
            "AndroidInfo: Sound in `other`; there are fields",
        ),
        (OfflinePush(android=Android(other={"N": math.inf})), "OfflinePushInfo: inf has no form in JSON"),
        (OfflinePush(android=Android(other={"N": b"x"})), "OfflinePushInfo: b'x' has no form in JSON"),
        (OfflinePush(android=Android(other=wrong({5: 1}))), "OfflinePushInfo: 5 has no form in JSON"),
        (
            OfflinePush(android=Android(other={"N": object()})),
            "Encoding objects of type object is unsupported",
        ),
        ({"Title": "t"}, "OfflinePushInfo: {'Title': 't'} is none; make one with OfflinePush("),
    ],
)
def test_what_is_malformed_is_not_written(push: object, words: str) -> None:
    """The API would answer 90043 and not say which field it means."""
    with pytest.raises(BrokenLimit, match=re.escape(words)):
        encode_offline_push(wrong(push))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "OfflinePushInfo: Expected `object`, got `array`"),
        ({"Titel": "t"}, "contains unknown field `Titel`"),
        ({"AndroidInfo": "x"}, "Expected `object | null`, got `str` - at `$.AndroidInfo`"),
        ({"ApnsInfo": {"BadgeMode": "1"}}, "got `str` - at `$.ApnsInfo.BadgeMode`"),
        ({"MultiLanguageContent": [{"Language": "en"}]}, "missing required field `Title`"),
    ],
)
def test_what_is_malformed_is_not_read(value: object, words: str) -> None:
    """Beside the title, a misspelt field is an error; a maker's may be new."""
    with pytest.raises(BrokenLimit, match=re.escape(words)):
        decode_offline_push(value)


def test_a_long_value_is_shown_in_part() -> None:
    """A message has room for more than one mistake."""
    with pytest.raises(BrokenLimit) as caught:
        encode_offline_push(
            OfflinePush(title=wrong(["x" * 10_000]), translations=(Translation("en", "a", "b"),))
        )

    assert len(str(caught.value)) < 400
