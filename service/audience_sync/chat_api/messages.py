"""What a push shows: the eight types of elements that a message may consist of."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

import msgspec

from audience_sync.chat_api.checks import checked, fields_of, is_list, shown
from audience_sync.chat_api.errors import BrokenLimit
from audience_sync.core import limits

Count = Annotated[int, msgspec.Meta(ge=0)]
"""A number of bytes, seconds or pixels. 0 when it is not known: so the vendor writes it too."""

BY_URL: Final = 2
"""The one documented way to download what an element shows: from its URL."""


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"text": "Text"}):
    """Words."""

    text: str


class Location(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"description": "Desc", "latitude": "Latitude", "longitude": "Longitude"},
):
    """A place, in degrees."""

    description: str
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]


class Face(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={"index": "Index", "data": "Data"},
):
    """An emoji of the app's own set."""

    index: int
    data: str = ""


class Custom(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={"data": "Data", "description": "Desc", "extension": "Ext", "sound": "Sound"},
):
    """Whatever the app understands; one a message. Without a description here or in the push, none is shown offline.

    data: for the app alone. extension: is handed to APNs as `ext`. sound: what APNs plays.
    """

    data: str
    description: str = ""
    extension: str = ""
    sound: str = ""


class Sound(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={
        "url": "Url",
        "uuid": "UUID",
        "size_bytes": "Size",
        "seconds": "Second",
        "download": "Download_Flag",
    },
):
    """A voice message. *uuid*: the app's own, unique over all; commonly the MD5 of what is at the URL."""

    url: str
    uuid: str
    size_bytes: Count = 0
    seconds: Count = 0
    download: Literal[2] = BY_URL


class Picture(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={
        "kind": "Type",
        "url": "URL",
        "width_pixels": "Width",
        "height_pixels": "Height",
        "size_bytes": "Size",
    },
):
    """One size of an image. *kind*: 1 the original, 2 large, 3 a thumbnail."""

    kind: Literal[1, 2, 3]
    url: str
    width_pixels: Count
    height_pixels: Count
    size_bytes: Count = 0


class Image(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"uuid": "UUID", "pictures": "ImageInfoArray", "picture_format": "ImageFormat"},
):
    """An image in one size or more. *picture_format*: 1 JPG, 2 GIF, 3 PNG, 4 BMP, 255 any other."""

    uuid: str
    pictures: Annotated[tuple[Picture, ...], msgspec.Meta(min_length=1)]
    picture_format: Literal[1, 2, 3, 4, 255] = 255


class File(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={
        "url": "Url",
        "uuid": "UUID",
        "name": "FileName",
        "size_bytes": "FileSize",
        "download": "Download_Flag",
    },
):
    """A file. *uuid* as for a sound."""

    url: str
    uuid: str
    name: str
    size_bytes: Count = 0
    download: Literal[2] = BY_URL


class Video(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    rename={
        "url": "VideoUrl",
        "uuid": "VideoUUID",
        "video_format": "VideoFormat",
        "size_bytes": "VideoSize",
        "seconds": "VideoSecond",
        "download": "VideoDownloadFlag",
        "thumbnail_url": "ThumbUrl",
        "thumbnail_uuid": "ThumbUUID",
        "thumbnail_format": "ThumbFormat",
        "thumbnail_width_pixels": "ThumbWidth",
        "thumbnail_height_pixels": "ThumbHeight",
        "thumbnail_size_bytes": "ThumbSize",
        "thumbnail_download": "ThumbDownloadFlag",
    },
):
    """A video and its thumbnail. Formats are words, such as "mp4" and "JPG"; *uuid* as for a sound."""

    url: str
    uuid: str
    video_format: str
    thumbnail_url: str
    thumbnail_uuid: str
    thumbnail_format: str
    thumbnail_width_pixels: Count
    thumbnail_height_pixels: Count
    size_bytes: Count = 0
    seconds: Count = 0
    thumbnail_size_bytes: Count = 0
    download: Literal[2] = BY_URL
    thumbnail_download: Literal[2] = BY_URL


Element = Text | Location | Face | Custom | Sound | Image | File | Video
"""A part of a message. A message has one or more, in the order in which they are shown."""

TYPES: Final[Mapping[str, type[Element]]] = {
    "TIMTextElem": Text,
    "TIMLocationElem": Location,
    "TIMFaceElem": Face,
    "TIMCustomElem": Custom,
    "TIMSoundElem": Sound,
    "TIMImageElem": Image,
    "TIMFileElem": File,
    "TIMVideoFileElem": Video,
}
"""What the API calls each. Source: docs/chat-api.md#message-elements."""

_NAMES: Final[Mapping[type[Element], str]] = {kind: name for name, kind in TYPES.items()}


class _Wrapped(
    msgspec.Struct, forbid_unknown_fields=True, rename={"name": "MsgType", "content": "MsgContent"}
):
    """An element as the API writes it."""

    name: str
    content: dict[str, object]


def encode_body(body: Sequence[Element]) -> list[dict[str, object]]:
    """The elements as the API writes them.

    BrokenLimit for none, a second custom one, a wrong type, or a number out of its range.
    """
    if not is_list(body):
        raise BrokenLimit(f"MsgBody: {shown(body)} is no list of elements; one text is [Text(…)]")
    if not body:
        raise BrokenLimit("MsgBody has no element; a message takes 1 or more, such as Text")
    if (customs := sum(isinstance(element, Custom) for element in body)) > limits.CUSTOM_ELEMENTS_PER_MESSAGE:
        raise BrokenLimit(
            f"MsgBody has {customs} custom elements; a message takes {limits.CUSTOM_ELEMENTS_PER_MESSAGE} "
            "and any number of others"
        )
    return [_encoded(place, element) for place, element in enumerate(body)]


def _encoded(place: int, element: Element) -> dict[str, object]:
    name = _NAMES.get(type(element))
    if name is None:
        kinds = ", ".join(kind.__name__ for kind in _NAMES)
        raise BrokenLimit(f"MsgBody[{place}]: {shown(element)} is no element; there are {kinds}")
    return {"MsgType": name, "MsgContent": fields_of(f"MsgBody[{place}], {name}", element)}


def decode_body(value: object) -> tuple[Element, ...]:
    """The array called MsgBody, read. BrokenLimit for an element that is not as documented."""
    wrapped = checked("MsgBody", value, list[_Wrapped])
    return tuple(_decoded(place, element) for place, element in enumerate(wrapped))


def _decoded(place: int, element: _Wrapped) -> Element:
    kind = TYPES.get(element.name)
    if kind is None:
        raise BrokenLimit(
            f"MsgBody[{place}]: there is no MsgType {element.name!r}; there are {', '.join(TYPES)}"
        )
    return checked(f"MsgBody[{place}], {element.name}", element.content, kind)
