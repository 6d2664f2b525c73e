"""What a phone shows of a push while the app is not open, and how each maker's service is asked to show it.

The vendor adds fields for the makers' services several times a year. What is not named here yet goes into *other*,
as the API writes it, and is handed through unchecked.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec

from audience_sync.chat_api.checks import checked, fields_of
from audience_sync.chat_api.errors import BrokenLimit

Flag = Literal[0, 1]


class Android(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    repr_omit_defaults=True,
    rename={
        "sound": "Sound",
        "push_style": "PushStyle",
        "xiaomi_channel": "XiaoMiChannelID",
        "oppo_channel": "OPPOChannelID",
        "oppo_category": "OPPOCategory",
        "oppo_notify_level": "OPPONotifyLevel",
        "oppo_template_id": "OPPOPrivateMsgTemplateId",
        "oppo_title_parameters": "OPPOPrivateTitleParameters",
        "oppo_content_parameters": "OPPOPrivateContentParameters",
        "vivo_classification": "VIVOClassification",
        "vivo_category": "VIVOCategory",
        "vivo_notify_type": "VIVONotifyType",
        "huawei_channel": "HuaWeiChannelID",
        "huawei_category": "HuaWeiCategory",
        "huawei_importance": "HuaWeiImportance",
        "huawei_image": "HuaWeiImage",
        "huawei_extension_as_intent": "ExtAsHuaweiIntentParam",
        "honor_importance": "HonorImportance",
        "honor_image": "HonorImage",
        "google_channel": "GoogleChannelID",
        "google_image": "GoogleImage",
        "google_priority": "GooglePriority",
        "meizu_message_type": "MeiZuNoticeMsgType",
    },
):
    """Phones with Android. A channel or category that is not empty goes before the console's.

    sound:        a file of the app, without its ending.
    push_style:   1 shows long texts whole (Huawei, Honor, OPPO).
    *_importance: "LOW" or "NORMAL".
    """

    sound: str | None = None
    push_style: Flag | None = None
    xiaomi_channel: str | None = None
    oppo_channel: str | None = None
    oppo_category: str | None = None
    oppo_notify_level: int | None = None
    oppo_template_id: str | None = None
    oppo_title_parameters: Mapping[str, object] | None = None
    oppo_content_parameters: Mapping[str, object] | None = None
    vivo_classification: Flag | None = None
    vivo_category: str | None = None
    vivo_notify_type: str | None = None
    huawei_channel: str | None = None
    huawei_category: str | None = None
    huawei_importance: str | None = None
    huawei_image: str | None = None
    huawei_extension_as_intent: Flag | None = None
    honor_importance: str | None = None
    honor_image: str | None = None
    google_channel: str | None = None
    google_image: str | None = None
    google_priority: str | None = None
    meizu_message_type: Flag | None = None
    other: Mapping[str, object] = {}


class LiveActivity(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    repr_omit_defaults=True,
    rename={
        "activity_id": "LaId",
        "event": "Event",
        "content_state": "ContentState",
        "dismissal_date": "DismissalDate",
    },
):
    """A live activity on the lock screen. *dismissal_date*: epoch seconds, when it is to go after its end."""

    activity_id: str
    event: Literal["update", "end"]
    content_state: Mapping[str, object]
    dismissal_date: int | None = None


class Apns(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    repr_omit_defaults=True,
    rename={
        "sound": "Sound",
        "badge_mode": "BadgeMode",
        "title": "Title",
        "subtitle": "SubTitle",
        "image": "Image",
        "mutable_content": "MutableContent",
        "interruption_level": "InterruptionLevel",
        "content_available": "ContentAvailable",
        "is_voip_push": "IsVoipPush",
        "live_activity": "LiveActivity",
    },
):
    """Apple's phones.

    sound:             a file of the app, with its ending.
    badge_mode:        1: the number on the app's icon does not grow.
    title:             goes before the common one.
    mutable_content:   1 lets the app's extension change what is shown.
    content_available: 1 wakes the app and shows nothing.
    """

    sound: str | None = None
    badge_mode: Flag | None = None
    title: str | None = None
    subtitle: str | None = None
    image: str | None = None
    mutable_content: Flag | None = None
    interruption_level: Literal["active", "critical", "passive", "time-sensitive"] | None = None
    content_available: Flag | None = None
    is_voip_push: Flag | None = None
    live_activity: LiveActivity | None = None
    other: Mapping[str, object] = {}


class Harmony(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    repr_omit_defaults=True,
    rename={
        "title": "Title",
        "category": "Category",
        "image": "Image",
        "sound": "Sound",
        "sound_seconds": "SoundDuration",
    },
):
    """Huawei's phones without Android. *sound_seconds*: plays the sound for so long, over and over."""

    title: str | None = None
    category: str | None = None
    image: str | None = None
    sound: str | None = None
    sound_seconds: Annotated[int, msgspec.Meta(ge=1, le=60)] | None = None
    other: Mapping[str, object] = {}


class Translation(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"language": "Language", "title": "Title", "description": "Desc"},
):
    """Title and description for phones set to a language, such as "en" or "zh-hant"."""

    language: str
    title: str
    description: str


class OfflinePush(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    repr_omit_defaults=True,
    rename={
        "push_flag": "PushFlag",
        "title": "Title",
        "description": "Desc",
        "extension": "Ext",
        "translations": "MultiLanguageContent",
        "android": "AndroidInfo",
        "apns": "ApnsInfo",
        "harmony": "HarmonyInfo",
        "badge_add": "BadgeAddNum",
        "badge_set": "BadgeSetNum",
        "template_id": "PushTemplateId",
        "template_parameters": "PushTemplateParam",
    },
):
    """The notification. Without one, its text is made from the message's elements.

    push_flag: 1: no notification; who is offline sees nothing of the push.
    extension: for the app, and JSON: some makers' services drop other texts.
    """

    push_flag: Flag | None = None
    title: str | None = None
    description: str | None = None
    extension: str | None = None
    translations: tuple[Translation, ...] | None = None
    android: Android | None = None
    apns: Apns | None = None
    harmony: Harmony | None = None
    badge_add: Annotated[int, msgspec.Meta(ge=1, le=99)] | None = None
    badge_set: Annotated[int, msgspec.Meta(ge=0, le=999)] | None = None
    template_id: str | None = None
    template_parameters: Mapping[str, object] | None = None


_OPEN: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(field.encode_name for field in msgspec.structs.fields(kind)) - {"other"}
    for name, kind in (("AndroidInfo", Android), ("ApnsInfo", Apns), ("HarmonyInfo", Harmony))
}
"""The objects that may have other fields, and those that are known."""


def encode_offline_push(push: OfflinePush) -> dict[str, object]:
    """*push* as the API writes it. BrokenLimit for a wrong type or a number out of its range.

    Source: docs/chat-api.md#offline-push.
    """
    if not isinstance(push, OfflinePush):
        raise BrokenLimit(
            f"OfflinePushInfo: {push!r} is none; make one with OfflinePush(title=…, description=…)"
        )
    fields = fields_of("OfflinePushInfo", push)
    for name, known in _OPEN.items():
        if isinstance(inner := fields.get(name), dict):
            other = inner.pop("other", {})
            if twice := sorted(known & other.keys()):
                raise BrokenLimit(
                    f"{name}: {', '.join(twice)} in `other`; there are fields of their own for it"
                )
            fields[name] = {**inner, **other}
    return fields


def decode_offline_push(value: object) -> OfflinePush:
    """The object called OfflinePushInfo, read. BrokenLimit as for `encode_offline_push`."""
    fields = dict(checked("OfflinePushInfo", value, dict[str, object]))
    for name, known in _OPEN.items():
        if isinstance(inner := fields.get(name), dict):
            other = {key: inner[key] for key in inner if key not in known}
            fields[name] = {key: inner[key] for key in inner if key in known} | {"other": other}
    return checked("OfflinePushInfo", fields, OfflinePush)
