"""The eight types of elements, both ways."""

import json
import math
import re
from typing import Any

import msgspec
import pytest

from audience_sync.chat_api.errors import BrokenLimit
from audience_sync.chat_api.messages import (
    TYPES,
    Custom,
    Element,
    Face,
    File,
    Image,
    Location,
    Picture,
    Sound,
    Text,
    Video,
    decode_body,
    encode_body,
)

URL, THUMBNAIL = "https://example.com/abc", "https://example.com/abc-small"

SAMPLES: list[tuple[Element, str, dict[str, object]]] = [
    (Text("hello world"), "TIMTextElem", {"Text": "hello world"}),
    (
        Location("someinfo", 29.340656774469956, 116.77497920478824),
        "TIMLocationElem",
        {"Desc": "someinfo", "Latitude": 29.340656774469956, "Longitude": 116.77497920478824},
    ),
    (Face(1, "content"), "TIMFaceElem", {"Index": 1, "Data": "content"}),
    (
        Custom("message", "notification", "url", "dingdong.aiff"),
        "TIMCustomElem",
        {"Data": "message", "Desc": "notification", "Ext": "url", "Sound": "dingdong.aiff"},
    ),
    (
        Sound(URL, "1053D4B3", size_bytes=62351, seconds=1),
        "TIMSoundElem",
        {"Url": URL, "UUID": "1053D4B3", "Size": 62351, "Second": 1, "Download_Flag": 2},
    ),
    (
        Image(
            "1853095_D610",
            (
                Picture(1, URL, 2448, 3264, 1853095),
                Picture(2, URL, 0, 0, 2565240),
                Picture(3, THUMBNAIL, 0, 0, 12535),
            ),
            picture_format=1,
        ),
        "TIMImageElem",
        {
            "UUID": "1853095_D610",
            "ImageFormat": 1,
            "ImageInfoArray": [
                {"Type": 1, "Size": 1853095, "Width": 2448, "Height": 3264, "URL": URL},
                {"Type": 2, "Size": 2565240, "Width": 0, "Height": 0, "URL": URL},
                {"Type": 3, "Size": 12535, "Width": 0, "Height": 0, "URL": THUMBNAIL},
            ],
        },
    ),
    (
        File(URL, "1053D4B3", "trim.MOV", size_bytes=1773552),
        "TIMFileElem",
        {"Url": URL, "UUID": "1053D4B3", "FileSize": 1773552, "FileName": "trim.MOV", "Download_Flag": 2},
    ),
    (
        Video(
            url=URL,
            uuid="5da38ba8",
            video_format="mp4",
            size_bytes=1194603,
            seconds=5,
            thumbnail_url=THUMBNAIL,
            thumbnail_uuid="6edaffed",
            thumbnail_format="JPG",
            thumbnail_width_pixels=720,
            thumbnail_height_pixels=1280,
            thumbnail_size_bytes=13907,
        ),
        "TIMVideoFileElem",
        {
            "VideoUrl": URL,
            "VideoUUID": "5da38ba8",
            "VideoSize": 1194603,
            "VideoSecond": 5,
            "VideoFormat": "mp4",
            "VideoDownloadFlag": 2,
            "ThumbUrl": THUMBNAIL,
            "ThumbUUID": "6edaffed",
            "ThumbSize": 13907,
            "ThumbWidth": 720,
            "ThumbHeight": 1280,
            "ThumbFormat": "JPG",
            "ThumbDownloadFlag": 2,
        },
    ),
]


def written(*elements: Element) -> object:
    """As it leaves."""
    return json.loads(msgspec.json.encode(encode_body(elements)))


@pytest.mark.parametrize(("element", "name", "content"), SAMPLES, ids=[sample[1] for sample in SAMPLES])
def test_elements_are_as_documented(element: Element, name: str, content: dict[str, object]) -> None:
    """Each sample is the vendor's, with our addresses; written and read."""
    wire = {"MsgType": name, "MsgContent": content}

    assert written(element) == [wire]
    assert decode_body([wire]) == (element,)


def test_every_type_has_a_sample() -> None:
    assert [sample[1] for sample in SAMPLES] == list(TYPES)


def test_a_message_keeps_the_order_of_its_elements() -> None:
    """They are shown in this order: text, emoji, text."""
    elements = (Text("hello"), Face(1, "content"), Text("world"))

    assert written(*elements) == [
        {"MsgType": "TIMTextElem", "MsgContent": {"Text": "hello"}},
        {"MsgType": "TIMFaceElem", "MsgContent": {"Index": 1, "Data": "content"}},
        {"MsgType": "TIMTextElem", "MsgContent": {"Text": "world"}},
    ]
    assert decode_body(written(*elements)) == elements


def test_what_was_not_given_is_not_written() -> None:
    """A custom element without a description leaves its text to the offline push."""
    assert written(Custom("message")) == [{"MsgType": "TIMCustomElem", "MsgContent": {"Data": "message"}}]
    assert written(Face(1)) == [{"MsgType": "TIMFaceElem", "MsgContent": {"Index": 1}}]


def wrong(value: object) -> Any:
    """What a caller without a type checker may give."""
    return value


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ((), "MsgBody has no element; a message takes 1 or more"),
        ("hi", "MsgBody: 'hi' is no list of elements; one text is [Text(…)]"),
        (None, "MsgBody: None is no list"),
        (("hi",), "MsgBody[0]: 'hi' is no element; there are Text, Location,"),
        (
            (Text("hi"), Text(wrong(5))),
            "MsgBody[1], TIMTextElem: Expected `str`, got `int` - at `$.Text`, in",
        ),
        ((Text(wrong(b"hi")),), "MsgBody[0], TIMTextElem: b'hi' has no form in JSON"),
        ((Text(wrong(None)),), "Expected `str`, got `null` - at `$.Text`"),
        (
            (Custom("a"), Custom("b")),
            "MsgBody has 2 custom elements; a message takes 1 and any number of others",
        ),
        ((Location("x", 90.1, 0.0),), "Expected `float` <= 90.0 - at `$.Latitude`, in {'Desc': 'x'"),
        ((Location("x", 0.0, -180.1),), "Expected `float` >= -180.0 - at `$.Longitude`"),
        ((Location("x", math.nan, 0.0),), "nan has no form in JSON"),
        ((Sound(URL, "u", size_bytes=-1),), "Expected `int` >= 0 - at `$.Size`"),
        ((Sound(URL, "u", download=wrong(1)),), "Invalid enum value 1 - at `$.Download_Flag`"),
        ((Image("u", ()),), "Expected `array` of length >= 1 - at `$.ImageInfoArray`"),
        (
            (Image("u", (Picture(wrong(4), URL, 1, 1),)),),
            "Invalid enum value 4 - at `$.ImageInfoArray[0].Type`",
        ),
    ],
)
def test_what_is_no_message_is_not_written(body: object, words: str) -> None:
    """The words name the field, the value and what is taken."""
    with pytest.raises(BrokenLimit, match=re.escape(words)):
        encode_body(wrong(body))


@pytest.mark.parametrize("latitude", [-90.0, 0, 90.0])
@pytest.mark.parametrize("longitude", [-180.0, 0, 180.0])
def test_places_go_as_far_as_the_poles(latitude: float, longitude: float) -> None:
    encode_body([Location("x", latitude, longitude)])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "MsgBody: Expected `array`, got `object`, in {}"),
        ([5], "MsgBody: Expected `object`, got `int` - at `$[0]`"),
        ([{"MsgType": "TIMTextElem"}], "missing required field `MsgContent`"),
        ([{"MsgType": "TIMTextElem", "MsgContent": {}}], "missing required field `Text`"),
        ([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "a", "Txt": 1}}], "contains unknown field `Txt`"),
        ([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "a"}, "X": 1}], "contains unknown field `X`"),
        (
            [{"MsgType": "Text", "MsgContent": {}}],
            "there is no MsgType 'Text'; there are TIMTextElem, TIMLocation",
        ),
        (
            [{"MsgType": "TIMFaceElem", "MsgContent": {"Index": "1"}}],
            "MsgBody[0], TIMFaceElem: Expected `int`, got `str` - at `$.Index`, in {'Index': '1'}",
        ),
    ],
)
def test_what_is_no_message_is_not_read(body: object, words: str) -> None:
    """A misspelt field is an error here, not a push that shows nothing."""
    with pytest.raises(BrokenLimit, match=re.escape(words)):
        decode_body(body)
