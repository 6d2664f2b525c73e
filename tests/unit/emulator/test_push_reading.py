"""Each field of a push: its limits one below, at, and one above; and each shape that no page shows."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_sync.emulator.condition import Condition
from audience_sync.emulator.push_reading import read_push, read_revoke
from audience_sync.emulator.refusals import Cause, RefusedError
from audience_sync.emulator.switches import Switches
from tests.unit.emulator.pushes import TEXT, WEEK_SECONDS, body, read, refusal

SOUND = {"Url": "https://a", "UUID": "1", "Download_Flag": 2}
IMAGE = {"Type": 1, "Width": 1, "Height": 1, "URL": "https://a"}
VIDEO = {
    "VideoUrl": "https://a",
    "VideoUUID": "1",
    "VideoDownloadFlag": 2,
    "ThumbUrl": "https://b",
    "ThumbUUID": "2",
    "ThumbWidth": 720,
    "ThumbHeight": 1280,
    "ThumbDownloadFlag": 2,
}
ELEMENTS: dict[str, dict[str, Any]] = {
    "TIMTextElem": {"Text": "hi"},
    "TIMLocationElem": {"Desc": "here", "Latitude": 29.34, "Longitude": 116},
    "TIMFaceElem": {"Index": 1, "Data": "content"},
    "TIMCustomElem": {"Data": "message", "Desc": "notification", "Ext": "url", "Sound": "dingdong.aiff"},
    "TIMSoundElem": {**SOUND, "Size": 62351, "Second": 1},
    "TIMImageElem": {"UUID": "1", "ImageFormat": 1, "ImageInfoArray": [{**IMAGE, "Size": 1853095}]},
    "TIMFileElem": {**SOUND, "FileSize": 1773552, "FileName": "a.mov"},
    "TIMVideoFileElem": {
        **VIDEO,
        "VideoSize": 1194603,
        "VideoSecond": 5,
        "VideoFormat": "mp4",
        "ThumbSize": 13907,
        "ThumbFormat": "JPG",
    },
}
"""As the message format page shows them."""

REQUIRED = {
    "TIMTextElem": {"Text"},
    "TIMLocationElem": {"Latitude", "Longitude"},
    "TIMFaceElem": {"Index"},
    "TIMCustomElem": {"Data"},
    "TIMSoundElem": {"Url", "UUID", "Download_Flag"},
    "TIMImageElem": {"UUID", "ImageInfoArray"},
    "TIMFileElem": {"Url", "UUID", "Download_Flag"},
    "TIMVideoFileElem": set(VIDEO),
}
SHAPE, LIMIT = Cause.SHAPE, Cause.LIMIT


def test_the_documented_sample_is_read() -> None:
    """With every field that the page of im_push shows."""
    found = read(
        {
            "From_Account": "admin",
            "MsgRandom": 389475,
            "MsgLifeTime": 120,
            "Condition": {"AttrsAnd": {"level": "platinum", "city": "Shenzhen"}},
            "MsgBody": [TEXT],
            "OfflinePushInfo": {"PushFlag": 0, "Desc": "text", "AndroidInfo": {"Sound": "a.mp3"}},
        }
    )
    assert found.sender == "admin"
    assert (found.random, found.life_seconds, found.online_only) == (389475, 120, False)
    assert found.condition == Condition(attributes_and={"level": "platinum", "city": "Shenzhen"})
    assert found.body == [TEXT]
    assert found.offline == {"PushFlag": 0, "Desc": "text", "AndroidInfo": {"Sound": "a.mp3"}}


def test_what_may_be_left_out() -> None:
    """The admin sends, to everybody, and only to those online."""
    found = read(body())
    assert found.sender is None
    assert (found.life_seconds, found.online_only) == (0, True)
    assert found.condition == Condition()
    assert found.offline is None


@pytest.mark.parametrize("random", [0, 1, 4294967294, 4294967295])
def test_a_random_is_an_unsigned_integer_of_32_bits(random: int) -> None:
    """Both ends are in."""
    assert read(body(MsgRandom=random)).random == random


@pytest.mark.parametrize(
    ("random", "cause"),
    [(-1, LIMIT), (4294967296, LIMIT), (1.0, SHAPE), ("1", SHAPE), (True, SHAPE), (None, SHAPE)],
)
def test_another_random_is_refused(random: object, cause: Cause) -> None:
    """A number that is too large for the API is the mistake that public clients made."""
    assert refusal(body(MsgRandom=random)) == (90005, cause)
    assert refusal({"MsgBody": [TEXT]}) == (90005, SHAPE)


@pytest.mark.parametrize("seconds", [0, 1, WEEK_SECONDS - 1, WEEK_SECONDS])
def test_a_push_lives_for_seven_days_at_most(seconds: int) -> None:
    """And not at all if it says 0."""
    found = read(body(MsgLifeTime=seconds))
    assert (found.life_seconds, found.online_only) == (seconds, seconds == 0)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-1, (90026, LIMIT)),
        (WEEK_SECONDS + 1, (90026, LIMIT)),
        (1.5, (90044, SHAPE)),
        ("60", (90044, SHAPE)),
        (False, (90044, SHAPE)),
        (None, (90044, SHAPE)),
    ],
)
def test_another_life_time_is_refused(seconds: object, expected: tuple[int, Cause]) -> None:
    """Too long has one code, and no integer another."""
    assert refusal(body(MsgLifeTime=seconds)) == expected


@pytest.mark.parametrize(("flag", "seconds"), [(0, WEEK_SECONDS), (1, 0)])
def test_the_successor_says_only_whether_a_push_waits(flag: int, seconds: int) -> None:
    """It has no life time; what waits does so for the time that ordinary messages are kept."""
    found = read(body(OnlineOnlyFlag=flag), family="timpush")
    assert (found.life_seconds, found.online_only) == (seconds, bool(flag))
    assert read(body(), family="timpush").life_seconds == WEEK_SECONDS


@pytest.mark.parametrize("flag", [2, -1, True, "1", None, 1.0])
def test_another_flag_is_refused(flag: object) -> None:
    """It is the integer 0 or 1."""
    assert refusal(body(OnlineOnlyFlag=flag), family="timpush") == (90001, SHAPE)


def test_a_field_of_the_other_family_is_refused() -> None:
    """To overlook it would mean that a push lives longer or shorter than was said."""
    assert refusal(body(OnlineOnlyFlag=1)) == (90001, SHAPE)
    assert refusal(body(MsgLifeTime=60), family="timpush") == (90001, SHAPE)
    assert refusal(body(Condition={"TagsNot": ["t"]})) == (90001, SHAPE)


@pytest.mark.parametrize("sender", ["a", "a" * 31, "a" * 32, "深" * 10])
def test_a_sender_has_the_length_of_a_user(sender: str) -> None:
    """1 to 32 bytes."""
    assert read(body(From_Account=sender)).sender == sender


@pytest.mark.parametrize(
    ("sender", "cause"), [("", LIMIT), ("a" * 33, LIMIT), ("深" * 11, LIMIT), (1, SHAPE), (None, SHAPE)]
)
def test_another_sender_is_refused(sender: object, cause: Cause) -> None:
    """No code of its own is documented for this call."""
    assert refusal(body(From_Account=sender)) == (90001, cause)


@pytest.mark.parametrize(
    ("family", "size", "expected"),
    [
        ("all_member_push", 12_287, 0),
        ("all_member_push", 12_288, 0),
        ("all_member_push", 12_289, 93000),
        ("timpush", 10_239, 0),
        ("timpush", 10_240, 0),
        ("timpush", 10_241, 90056),
        ("timpush", 12_288, 90056),
        ("timpush", 12_289, 93000),
    ],
)
def test_a_push_has_so_many_bytes(family: str, size: int, expected: int) -> None:
    """Twelve kilobytes as every message, and ten in the successor. What came counts, white space and all."""
    if expected:
        assert refusal(body(), family=family, body_bytes=size) == (expected, LIMIT)
    else:
        read(body(), family=family, body_bytes=size)


def test_a_push_whose_size_nobody_tells_is_measured() -> None:
    """As compact JSON."""
    frame = len(msgspec.json.encode(body(MsgBody=[{**TEXT, "MsgContent": {"Text": ""}}])))
    for letters, fits in ((12_288 - frame, True), (12_289 - frame, False)):
        given_body = body(MsgBody=[{**TEXT, "MsgContent": {"Text": "x" * letters}}])
        if fits:
            read(given_body)
        else:
            assert refusal(given_body) == (93000, LIMIT)


@pytest.mark.parametrize("kind", ELEMENTS)
def test_each_element_is_taken_as_the_page_shows_it(kind: str) -> None:
    """With all its fields, and with those alone that it cannot do without."""
    element = {"MsgType": kind, "MsgContent": ELEMENTS[kind]}
    assert read(body(MsgBody=[element])).body == [element]
    bare = {name: value for name, value in ELEMENTS[kind].items() if name in REQUIRED[kind]}
    read(body(MsgBody=[{"MsgType": kind, "MsgContent": bare}]))
    read(body(MsgBody=[{"MsgType": kind, "MsgContent": {**bare, "Unknown": 1}}]))


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind in ELEMENTS for field in ELEMENTS[kind]])
def test_each_field_of_each_element_has_its_type(kind: str, field: str) -> None:
    """A wrong type is refused, null included; so is the absence of what must be there."""
    content = ELEMENTS[kind]
    wrong_ones: tuple[object, ...] = (None, True, {}, 3 if isinstance(content[field], str) else "x")
    for wrong in wrong_ones:
        element = {"MsgType": kind, "MsgContent": {**content, field: wrong}}
        assert refusal(body(MsgBody=[TEXT, element])) == (90010, SHAPE)
    without = {name: value for name, value in content.items() if name != field}
    element = {"MsgType": kind, "MsgContent": without}
    if field in REQUIRED[kind]:
        assert refusal(body(MsgBody=[element])) == (90010, SHAPE)
    else:
        read(body(MsgBody=[element]))


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("TIMSoundElem", {"Download_Flag": 1}),
        ("TIMFileElem", {"Download_Flag": 0}),
        ("TIMVideoFileElem", {"VideoDownloadFlag": 1}),
        ("TIMVideoFileElem", {"ThumbDownloadFlag": 3}),
        ("TIMSoundElem", {"Size": -1}),
        ("TIMImageElem", {"ImageFormat": 5}),
        ("TIMImageElem", {"ImageInfoArray": []}),
        ("TIMImageElem", {"ImageInfoArray": [{**IMAGE, "Type": 4}]}),
        ("TIMImageElem", {"ImageInfoArray": [{**IMAGE, "URL": None}]}),
        ("TIMImageElem", {"ImageInfoArray": [IMAGE, {}]}),
        ("TIMFaceElem", {"Index": 1.5}),
    ],
)
def test_values_that_the_page_rules_out(kind: str, changed: dict[str, object]) -> None:
    """A server's files are downloaded by address, which is 2 and nothing else."""
    element = {"MsgType": kind, "MsgContent": {**ELEMENTS[kind], **changed}}
    assert refusal(body(MsgBody=[element])) == (90010, SHAPE)


@pytest.mark.parametrize(
    "element",
    [
        "text",
        {},
        {"MsgType": "TIMTextElem"},
        {"MsgType": "TIMTextElem", "MsgContent": None},
        {"MsgType": "TIMTextElem", "MsgContent": [{"Text": "hi"}]},
        {"MsgType": "TIMRelayElem", "MsgContent": {}},
        {"MsgType": "timtextelem", "MsgContent": {"Text": "hi"}},
        {"MsgType": ["TIMTextElem"], "MsgContent": {"Text": "hi"}},
        {"MsgContent": {"Text": "hi"}},
    ],
)
def test_what_is_no_element(element: object) -> None:
    """An unknown type, a missing one, and a content that is no object."""
    assert refusal(body(MsgBody=[TEXT, element])) == (90010, SHAPE)


@pytest.mark.parametrize(
    ("message", "code"),
    [([], 90002), (None, 90007), ("hi", 90007), (TEXT, 90007)],
)
def test_what_is_no_message(message: object, code: int) -> None:
    """A message is a list with elements."""
    assert refusal(body(MsgBody=message)) == (code, SHAPE)
    assert refusal({"MsgRandom": 1}) == (90002, SHAPE)


def test_the_successor_takes_an_offline_push_alone() -> None:
    """Its newest page shows no MsgBody. Nothing of such a push could wait, whatever its flag says."""
    bare = {"MsgRandom": 1, "OfflinePushInfo": {"Title": "t", "Desc": "d"}}
    for flag in ({}, {"OnlineOnlyFlag": 0}, {"OnlineOnlyFlag": 1}):
        found = read({**bare, **flag}, family="timpush")
        assert (found.body, found.life_seconds, found.online_only) == ([], 0, True)
    assert refusal({**bare, "MsgBody": []}, family="timpush") == (90002, SHAPE)
    assert refusal({**bare, "OnlineOnlyFlag": 2}, family="timpush") == (90001, SHAPE)
    assert refusal({"MsgRandom": 1}, family="timpush") == (90002, SHAPE)
    assert refusal(bare) == (90002, SHAPE)


def test_a_message_has_many_elements_but_one_custom_one() -> None:
    """The message format page says so."""
    custom = {"MsgType": "TIMCustomElem", "MsgContent": {"Data": "x"}}
    message = [TEXT, custom, TEXT]
    assert read(body(MsgBody=message)).body == message
    assert refusal(body(MsgBody=[custom, TEXT, custom])) == (90002, SHAPE)


@pytest.mark.parametrize(
    "offline",
    [
        {},
        {"PushFlag": 1, "Title": "t", "Desc": "d", "Ext": "{}"},
        {"AndroidInfo": {}, "ApnsInfo": {}},
        {"AndroidInfo": {"VIVOClassification": 1, "PushStyle": 0, "HonorImportance": "LOW"}},
        {"ApnsInfo": {"BadgeMode": 1, "MutableContent": 1, "InterruptionLevel": "active"}},
        {"Unknown": 1},
    ],
)
def test_what_the_vendors_channels_can_be_told(offline: dict[str, object]) -> None:
    """Every field is optional."""
    assert read(body(OfflinePushInfo=offline)).offline == offline


@pytest.mark.parametrize(
    "offline",
    [
        None,
        [],
        "text",
        {"PushFlag": 2},
        {"PushFlag": "0"},
        {"PushFlag": True},
        {"Title": 1},
        {"Ext": {}},
        {"AndroidInfo": None},
        {"AndroidInfo": {"Sound": 1}},
        {"AndroidInfo": {"VIVOClassification": "1"}},
        {"AndroidInfo": {"PushStyle": -1}},
        {"ApnsInfo": []},
        {"ApnsInfo": {"BadgeMode": "0"}},
        {"ApnsInfo": {"ContentAvailable": 2}},
    ],
)
def test_what_they_cannot_be_told(offline: object) -> None:
    """A wrong type of BadgeMode was a mistake in public clients."""
    assert refusal(body(OfflinePushInfo=offline)) == (90043, SHAPE)


def test_a_revocation_names_its_task() -> None:
    """And may say what the vendors' channels show instead."""
    assert read_revoke({"TaskId": "t"}).task_id == "t"
    assert not read_revoke({"TaskId": "t"}).has_offline
    assert read_revoke({"TaskId": "t", "OfflinePushInfo": {"Desc": "recalled"}}).has_offline


@pytest.mark.parametrize(
    ("given_body", "code"),
    [
        ({}, 90049),
        ({"TaskId": ""}, 90049),
        ({"TaskId": 1}, 90049),
        ({"TaskId": None}, 90049),
        ({"TaskId": "t", "OfflinePushInfo": None}, 90043),
        ({"TaskId": "t", "OfflinePushInfo": {"PushFlag": 5}}, 90043),
    ],
)
def test_another_revocation_is_refused(given_body: dict[str, object], code: int) -> None:
    """Whether there is such a task is asked later."""
    with pytest.raises(RefusedError) as refused:
        read_revoke(given_body)
    assert refused.value.code == code


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2**33)
    | st.floats(allow_nan=False)
    | st.sampled_from([*ELEMENTS, "hi", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "MsgType",
                    "MsgContent",
                    "Text",
                    "TagsOr",
                    "TagsAnd",
                    "TagsNot",
                    "AttrsOr",
                    "AttrsAnd",
                    "PushFlag",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)
fields = {
    "MsgRandom": st.integers(0, 9) | values,
    "MsgBody": st.just([TEXT]) | values,
    "MsgLifeTime": values,
    "OnlineOnlyFlag": values,
    "From_Account": values,
    "Condition": values,
    "OfflinePushInfo": values,
}


@given(
    st.fixed_dictionaries({}, optional=fields),
    st.sampled_from(["all_member_push", "timpush"]),
    st.sampled_from(["and", "or", "refused"]),
    st.sampled_from(["strings", "any"]),
)
def test_whatever_is_sent_is_read_or_refused(
    given_body: dict[str, Any], family: str, combined: str, taken: str
) -> None:
    """Nothing else is raised, and what is read keeps the limits."""
    switches = msgspec.convert({"combined": combined, "values": taken}, Switches)
    try:
        found = read_push(given_body, family=family, switches=switches)
    except RefusedError:
        return
    assert 0 <= found.random < 2**32
    assert 0 <= found.life_seconds <= WEEK_SECONDS
    assert found.online_only == (found.life_seconds == 0)
    assert found.body or found.offline is not None
    assert not (found.condition.names and (found.condition.tags_or or found.condition.tags_and))
