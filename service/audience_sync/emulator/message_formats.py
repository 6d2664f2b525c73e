"""What a push carries: the eight elements of a message, and what the vendors' own push channels are told.

Fields and types as the message format page has them. Required is what it says must be filled in when a server
sends the element, and where it says nothing, that without which the element would say nothing. Fields it does
not show are let pass, as everywhere; null is no value.
"""

from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, ValidationError, convert, defstruct

from audience_sync.emulator.push_codes import PushCode
from audience_sync.emulator.refusals import Cause, RefusedError

Count = Annotated[int, Meta(ge=0)]
Flag = Literal[0, 1]
DownloadByUrl = Literal[2]


class ImageInfo(Struct):
    """One size of an image."""

    Type: Literal[1, 2, 3]
    Width: Count
    Height: Count
    URL: str
    Size: Count = 0


ELEMENTS: Final[dict[str, type[Struct]]] = {
    "TIMTextElem": defstruct("Text", [("Text", str)]),
    "TIMLocationElem": defstruct("Location", [("Latitude", float), ("Longitude", float), ("Desc", str, "")]),
    "TIMFaceElem": defstruct("Face", [("Index", int), ("Data", str, "")]),
    "TIMCustomElem": defstruct(
        "Custom", [("Data", str), ("Desc", str, ""), ("Ext", str, ""), ("Sound", str, "")]
    ),
    "TIMSoundElem": defstruct(
        "Sound",
        [
            ("Url", str),
            ("UUID", str),
            ("Download_Flag", DownloadByUrl),
            ("Size", Count, 0),
            ("Second", Count, 0),
        ],
    ),
    "TIMImageElem": defstruct(
        "Image",
        [
            ("UUID", str),
            ("ImageInfoArray", Annotated[list[ImageInfo], Meta(min_length=1)]),
            ("ImageFormat", Literal[1, 2, 3, 4, 255], 255),
        ],
    ),
    "TIMFileElem": defstruct(
        "File",
        [
            ("Url", str),
            ("UUID", str),
            ("Download_Flag", DownloadByUrl),
            ("FileSize", Count, 0),
            ("FileName", str, ""),
        ],
    ),
    "TIMVideoFileElem": defstruct(
        "Video",
        [
            ("VideoUrl", str),
            ("VideoUUID", str),
            ("VideoDownloadFlag", DownloadByUrl),
            ("ThumbUrl", str),
            ("ThumbUUID", str),
            ("ThumbWidth", Count),
            ("ThumbHeight", Count),
            ("ThumbDownloadFlag", DownloadByUrl),
            ("VideoSize", Count, 0),
            ("VideoSecond", Count, 0),
            ("VideoFormat", str, ""),
            ("ThumbSize", Count, 0),
            ("ThumbFormat", str, ""),
        ],
    ),
}
"""{MsgType: its MsgContent}."""

ANDROID_FLAGS: Final = ("VIVOClassification", "ExtAsHuaweiIntentParam")
ANDROID_TEXTS: Final = (
    "Sound",
    "HuaWeiChannelID",
    "XiaoMiChannelID",
    "OPPOChannelID",
    "GoogleChannelID",
    "VIVOCategory",
    "HuaWeiImportance",
    "HuaWeiCategory",
    "HuaWeiImage",
    "HonorImage",
    "HonorImportance",
    "GoogleImage",
)
APNS_FLAGS: Final = ("BadgeMode", "MutableContent", "ContentAvailable")
APNS_TEXTS: Final = ("Sound", "Title", "SubTitle", "Image", "InterruptionLevel")


def _optional(name: str, flags: tuple[str, ...], texts: tuple[str, ...]) -> type[Struct]:
    return defstruct(name, [*((flag, Flag, 0) for flag in flags), *((text, str, "") for text in texts)])


ANDROID: Final = defstruct(
    "AndroidInfo", [("PushStyle", Count, 0)], bases=(_optional("Android", ANDROID_FLAGS, ANDROID_TEXTS),)
)
APNS: Final = _optional("ApnsInfo", APNS_FLAGS, APNS_TEXTS)
OFFLINE_PUSH: Final = defstruct(
    "OfflinePushInfo",
    [("AndroidInfo", ANDROID | UnsetType, UNSET), ("ApnsInfo", APNS | UnsetType, UNSET)],
    bases=(_optional("OfflinePush", ("PushFlag",), ("Title", "Desc", "Ext")),),
)


def check_message(body: list[object]) -> None:
    """Refuse a MsgBody that is no message. Raises RefusedError."""
    if not body:
        raise _misshapen(PushCode.BAD_BODY, "MsgBody has no element")
    for position, element in enumerate(body):
        _check_element(element, f"MsgBody[{position}]")
    customs = sum(
        1 for element in body if isinstance(element, dict) and element["MsgType"] == "TIMCustomElem"
    )
    if customs > 1:
        raise _misshapen(PushCode.BAD_BODY, f"{customs} elements are TIMCustomElem; a message takes one")


def check_offline_push(value: object) -> None:
    """Refuse an OfflinePushInfo that is none. Raises RefusedError."""
    try:
        convert(value, OFFLINE_PUSH)
    except ValidationError as error:
        raise _misshapen(PushCode.BAD_OFFLINE_PUSH, f"OfflinePushInfo: {error}") from error


def _check_element(element: object, where: str) -> None:
    if not isinstance(element, dict):
        raise _misshapen(PushCode.BAD_ELEMENT, f"{where} is not an object")
    kind = element.get("MsgType")
    if not isinstance(kind, str) or kind not in ELEMENTS:
        raise _misshapen(PushCode.BAD_ELEMENT, f"{where}: MsgType {kind!r} is none of {', '.join(ELEMENTS)}")
    try:
        convert(element.get("MsgContent"), ELEMENTS[kind])
    except ValidationError as error:
        raise _misshapen(PushCode.BAD_ELEMENT, f"{where}, {kind}: {error}") from error


def _misshapen(code: PushCode, text: str) -> RefusedError:
    return RefusedError(code, Cause.SHAPE, text)
