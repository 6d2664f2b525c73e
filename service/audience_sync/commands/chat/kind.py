"""What may be said of a user, in a file or by options; and the kind that says nothing more than that."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, Generic, TypeVar

V = TypeVar("V")

USER: Final = "user"
"""The column, and the field, that names the user."""


class UnfitError(ValueError):
    """What is written is not of this kind. The message says what is wrong with it."""


class Kind(ABC, Generic[V]):
    """One kind of thing to say of a user: how it is written, and what is wrong with it."""

    json_example: str = '{"user": "alice"}'
    csv_example: str = USER
    option: str = ""
    """What says it of users who are named on the command line."""

    is_whole: bool = False
    """Whether what is said takes the place of what was there, so that a user's lines must stand together."""

    @abstractmethod
    def check_columns(self, columns: Collection[str]) -> None:
        """Raise UnfitError unless a table with these columns, `user` among them, says this."""

    @abstractmethod
    def of_cells(self, cells: Mapping[str, str]) -> V | None:
        """What the cells of one row say, by column; None if nothing: empty cells say nothing."""

    @abstractmethod
    def of_fields(self, fields: Mapping[str, object]) -> V | None:
        """What the fields of one JSON object say; None if nothing. UnfitError if they say something else."""

    @abstractmethod
    def of_user_alone(self) -> V:
        """What it says when a user stands alone on a line. UnfitError if that is too little."""

    @abstractmethod
    def merged(self, before: V, after: V) -> V:
        """What two lines about one user say together."""

    def problems(self, value: V) -> Iterator[str]:  # noqa: ARG002 - most have one
        """What is wrong with the value, as sentences that name it."""
        yield from ()

    def attribute_names(self, value: V) -> Iterable[str]:  # noqa: ARG002 - some look
        """The app's attributes that it names."""
        return ()


class Users(Kind[V]):
    """Users alone; options say the same of each of them, or nothing more is to be said."""

    def __init__(self, value: V, *, of: Kind[V] | None = None) -> None:
        """*of*: what kind *value* is of; other columns and fields are refused then, and ignored without it."""
        self._value, self._of = value, of

    def check_columns(self, columns: Collection[str]) -> None:
        """Any column may stand beside `user`, or none."""
        self._check_others(columns)

    def of_cells(self, cells: Mapping[str, str]) -> V:  # noqa: ARG002 - they say nothing
        """The same for each."""
        return self._value

    def of_fields(self, fields: Mapping[str, object]) -> V:
        """The same for each."""
        self._check_others(fields)
        return self._value

    def of_user_alone(self) -> V:
        """The same for each."""
        return self._value

    def merged(self, before: V, after: V) -> V:  # noqa: ARG002 - it is the same
        """The same."""
        return before

    def attribute_names(self, value: V) -> Iterable[str]:
        """Those of the value."""
        return self._of.attribute_names(value) if self._of else ()

    def _check_others(self, names: Iterable[str]) -> None:
        if self._of and (others := [name for name in names if name != USER]):
            raise UnfitError(
                f"{others[0]!r} beside 'user', and options say the same of all users; leave out one"
            )


NOTHING_MORE: Final[Users[tuple[()]]] = Users(())
"""Users, for calls that take nothing else: a table or answer that says more of them can be used again."""
