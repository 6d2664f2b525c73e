"""What the API answers, call by call. Fields may be missing, and others stand beside them."""

from typing import Final

import msgspec


class Named(
    msgspec.Struct, frozen=True, rename={"user": "To_Account", "code": "ErrorCode", "info": "ErrorInfo"}
):
    """One entry of an answer's ErrorList: what is said of one user."""

    user: str | int | None = None
    code: int = 0
    info: str | None = None


class Answer(
    msgspec.Struct,
    frozen=True,
    rename={"status": "ActionStatus", "code": "ErrorCode", "info": "ErrorInfo", "named": "ErrorList"},
):
    """What every call is answered. Fields may be missing, and others stand beside them."""

    status: str | None = None
    code: int | None = None
    info: str | None = None
    named: list[Named] | None = None


class AttributesOfOne(msgspec.Struct, frozen=True, rename={"user": "To_Account", "attributes": "Attrs"}):
    """One user's attributes. Without any, the field is an empty object, or null, or missing."""

    user: str | int | None = None
    attributes: dict[str, str | int | float | bool | None] | None = None


class AttributesAnswer(Answer, frozen=True, rename={"users": "UserAttrs"}):
    """Attributes of users, in any order."""

    users: list[AttributesOfOne] | None = None


class TagsOfOne(msgspec.Struct, frozen=True, rename={"user": "To_Account", "tags": "Tags"}):
    """One user's tags."""

    user: str | int | None = None
    tags: list[str] | None = None


class TagsAnswer(Answer, frozen=True, rename={"users": "UserTags"}):
    """Tags of users, in any order."""

    users: list[TagsOfOne] | None = None


class AttributeNamesAnswer(Answer, frozen=True, rename={"names": "AttrNames"}):
    """The app's attribute names, by slot."""

    names: dict[str, str | None] | None = None


class PushAnswer(Answer, frozen=True, rename={"task_id": "TaskId"}):
    """The push's own number."""

    task_id: str | None = None


ANSWER: Final = msgspec.json.Decoder(Answer, strict=False)  # a number in quotes is a number
ATTRIBUTES: Final = msgspec.json.Decoder(AttributesAnswer, strict=False)
TAGS: Final = msgspec.json.Decoder(TagsAnswer, strict=False)
ATTRIBUTE_NAMES: Final = msgspec.json.Decoder(AttributeNamesAnswer, strict=False)
TASK: Final = msgspec.json.Decoder(PushAnswer, strict=False)
"""How an answer is read. msgspec.DecodeError for what is no JSON object, or a field of another type."""


def texts_of(one: AttributesOfOne) -> dict[str, str]:
    """{name: value}; a value that is no text is given as the text that JSON has for it."""
    values = one.attributes or {}
    return {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in values.items()
    }
