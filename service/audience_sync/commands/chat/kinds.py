"""What may be said of users: their tags, the values of their attributes, attributes to remove, an account."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Final

import msgspec

from audience_sync.commands.chat.kind import USER, Kind, UnfitError
from audience_sync.core import limits


class Texts(Kind[Sequence[str]]):
    """Tags of a user, or the names of attributes to remove: a row a text, or all in one array."""

    def __init__(
        self, *, column: str, what: str, most_bytes: int, most: int | None = None, is_whole: bool = False
    ) -> None:
        """*column* is the table's, with an s the field's; *most*: of one user."""
        self._column, self._field = column, f"{column}s"
        self._what, self._most_bytes, self._most = what, most_bytes, most
        self._are_attributes = column == "attribute"
        self.is_whole = is_whole
        self.json_example = f'{{"user": "alice", "{self._field}": ["a", "b"]}}'
        self.csv_example = f"{USER},{column}"
        self.option = f"--{column}"

    def check_columns(self, columns: Collection[str]) -> None:
        """These two and no other."""
        if set(columns) != {USER, self._column}:
            raise UnfitError(f"the columns are {','.join(columns)}; they should be {self.csv_example}")

    def of_cells(self, cells: Mapping[str, str]) -> list[str] | None:
        """One text."""
        return self._unless_empty([cells[self._column]] if cells[self._column] else [])

    def of_fields(self, fields: Mapping[str, object]) -> list[str] | None:
        """All of them."""
        value = _only(fields, self._field, example=self.json_example)
        if not isinstance(value, list):
            raise UnfitError(f"{self._field!r} is {_shown(value)}; it should be an array of texts")
        return self._unless_empty(value)

    def of_user_alone(self) -> Sequence[str]:
        """Too little."""
        raise UnfitError(f"a user alone; write {self.json_example}")

    def merged(self, before: Sequence[str], after: Sequence[str]) -> list[str]:
        """Both, each text once."""
        return list(dict.fromkeys([*before, *after]))

    def problems(self, value: Sequence[str]) -> Iterator[str]:
        """Texts too long or empty, or too many."""
        for text in value:
            if broken := limits.broken_text(self._what, text, self._most_bytes):
                yield broken
        if self._most is not None and len(set(map(str, value))) > self._most:
            yield f"{len(value)} {self._field} of one user; the Chat API takes {self._most}"

    def attribute_names(self, value: Sequence[str]) -> Iterable[str]:
        """If it is attributes that are named."""
        return value if self._are_attributes else ()

    def _unless_empty(self, value: list[str]) -> list[str] | None:
        if not value and self.is_whole:
            raise UnfitError(f"no {self._column}; remove-all-tags leaves users without any")
        return value or None


TAGS: Final = Texts(column="tag", what="the tag", most_bytes=limits.TAG_BYTES)
REPLACEMENTS: Final = Texts(
    column="tag", what="the tag", most_bytes=limits.TAG_BYTES, most=limits.TAGS_PER_USER, is_whole=True
)
"""Tags that take the place of all others."""

REMOVALS: Final = Texts(
    column="attribute",
    what="the attribute name",
    most_bytes=limits.ATTRIBUTE_NAME_BYTES,
    most=limits.ATTRIBUTES_PER_APP,
)


class Attributes(Kind[Mapping[str, str]]):
    """Values of attributes: a column an attribute, or all in one object. Of two values the later one counts."""

    json_example = '{"user": "alice", "attributes": {"city": "Shenzhen"}}'
    csv_example = "user,city,level"
    option = "--attribute"

    def check_columns(self, columns: Collection[str]) -> None:
        """At least one beside `user`, and no more than an app has."""
        names = [column for column in columns if column != USER]
        if not names:
            raise UnfitError(
                f"no column but 'user'; one for each attribute belongs there: {self.csv_example}"
            )
        self._check_number(names)
        for name in names:
            if broken := limits.broken_text("the attribute name", name, limits.ATTRIBUTE_NAME_BYTES):
                raise UnfitError(broken)

    def of_cells(self, cells: Mapping[str, str]) -> dict[str, str] | None:
        """The cells that are not empty."""
        return {column: cell for column, cell in cells.items() if cell and column != USER} or None

    def of_fields(self, fields: Mapping[str, object]) -> dict[str, str] | None:
        """Names and values."""
        value = _only(fields, "attributes", example=self.json_example)
        if not isinstance(value, dict):
            raise UnfitError(f"'attributes' is {_shown(value)}; it should be an object: {self.json_example}")
        self._check_number(value)
        return value or None

    def of_user_alone(self) -> Mapping[str, str]:
        """Too little."""
        raise UnfitError(f"a user alone; write {self.json_example}")

    def merged(self, before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
        """Both; the later value of one attribute."""
        return {**before, **after}

    def problems(self, value: Mapping[str, str]) -> Iterator[str]:
        """Names and values that are too long or empty."""
        for name, text in value.items():
            broken = limits.broken_text("the attribute name", name, limits.ATTRIBUTE_NAME_BYTES)
            value_of = f"the value of attribute {name!r}"
            if broken := broken or limits.broken_text(value_of, text, limits.ATTRIBUTE_VALUE_BYTES):
                yield broken

    def attribute_names(self, value: Mapping[str, str]) -> Iterable[str]:
        """Those that get a value."""
        return value

    def _check_number(self, names: Collection[str]) -> None:
        if len(names) > limits.ATTRIBUTES_PER_APP:
            raise UnfitError(f"{len(names)} attributes; an app has at most {limits.ATTRIBUTES_PER_APP}")


ATTRIBUTES: Final = Attributes()


class Appearance(msgspec.Struct, frozen=True):
    """How others see a user. What is empty is left as it is."""

    nick: str = ""
    face_url: str = ""


class Appearances(Kind[Appearance]):
    """Accounts to import, each with a nick and a picture or without."""

    json_example = '{"user": "alice", "nick": "Alice", "face_url": "https://example.com/alice.png"}'
    csv_example = "user,nick,face_url"
    _FIELDS: ClassVar = ("nick", "face_url")

    def check_columns(self, columns: Collection[str]) -> None:
        """`nick` and `face_url`, or one of them, or none."""
        if others := [column for column in columns if column not in (USER, *self._FIELDS)]:
            raise UnfitError(f"there is no column {others[0]!r}; the columns are {self.csv_example}")

    def of_cells(self, cells: Mapping[str, str]) -> Appearance:
        """Empty cells say nothing, but the user is imported."""
        return Appearance(*(cells.get(field, "") for field in self._FIELDS))

    def of_fields(self, fields: Mapping[str, object]) -> Appearance:
        """Both are texts."""
        if others := [field for field in fields if field not in (USER, *self._FIELDS)]:
            raise UnfitError(f"there is no field {others[0]!r}; write {self.json_example}")
        nick, face_url = (fields.get(field, "") for field in self._FIELDS)
        if not isinstance(nick, str) or not isinstance(face_url, str):
            raise UnfitError(f"'nick' and 'face_url' should be texts: {self.json_example}")
        return Appearance(nick, face_url)

    def of_user_alone(self) -> Appearance:
        """Enough to be imported."""
        return Appearance()

    def merged(self, before: Appearance, after: Appearance) -> Appearance:
        """The later one, where it says something."""
        return Appearance(after.nick or before.nick, after.face_url or before.face_url)

    def problems(self, value: Appearance) -> Iterator[str]:
        """Texts that are too long."""
        for what, text in (("the nick", value.nick), ("the face URL", value.face_url)):
            if text and (broken := limits.broken_text(what, text, limits.PROFILE_FIELD_BYTES)):
                yield broken


APPEARANCES: Final = Appearances()


def _only(fields: Mapping[str, object], name: str, *, example: str) -> object:
    """The one field beside the user."""
    if others := [field for field in fields if field not in (USER, name)]:
        raise UnfitError(f"there is no field {others[0]!r}; write {example}")
    if name not in fields:
        raise UnfitError(f"{name!r} is missing; write {example}")
    return fields[name]


def _shown(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:60]}…"
