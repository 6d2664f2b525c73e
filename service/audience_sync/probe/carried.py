"""What an account carries, and the calls after which it carries that again; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from audience_sync.chat_api.wire import Command
from audience_sync.probe.bodies import OWN, Body, of_attributes, of_tags, of_users


@dataclass(frozen=True)
class Carried:
    """What one account has."""

    tags: tuple[str, ...] = ()
    attributes: Mapping[str, object] = field(default_factory=dict)

    @property
    def foreign(self) -> "Carried":
        """What of it is not a probe's."""
        return Carried(
            tuple(tag for tag in self.tags if not tag.startswith(OWN)),
            {name: value for name, value in self.attributes.items() if not name.startswith(OWN)},
        )

    def is_like(self, other: "Carried") -> bool:
        """Whether both have the same, in any order."""
        return set(self.tags) == set(other.tags) and dict(self.attributes) == dict(other.attributes)

    def __str__(self) -> str:
        if self == NOTHING:
            return "nothing"
        told = [f"tags {', '.join(self.tags[:5])}{' ...' if self.tags[5:] else ''}"] if self.tags else []
        return "; ".join([*told, *(f"{name} = {value!r}" for name, value in self.attributes.items())])


NOTHING: Final = Carried()


def restoring(
    found: Mapping[str, Carried], before: Mapping[str, Carried], *, tags_at_once: int
) -> Iterator[tuple[Command, Body]]:
    """The calls after which users who carry *found* carry what they did *before*; pure.

    All tags of those who had none go at once. The others lose and get single ones.
    """
    emptied = [user for user, now in found.items() if now.tags and not before.get(user, NOTHING).tags]
    if emptied:
        yield Command.REMOVE_ALL_TAGS, of_users(*emptied)
    for user, now in found.items():
        was = before.get(user, NOTHING)
        if was.tags:
            for command, left, right in ((Command.REMOVE_TAGS, now, was), (Command.ADD_TAGS, was, now)):
                tags = [tag for tag in left.tags if tag not in right.tags]
                for start in range(0, len(tags), tags_at_once):
                    yield command, of_tags((user, tags[start : start + tags_at_once]))
        if new := [name for name in now.attributes if name not in was.attributes]:
            yield Command.REMOVE_ATTRIBUTES, of_attributes((user, new))
        if lost := {
            name: value for name, value in was.attributes.items() if now.attributes.get(name) != value
        }:
            yield Command.SET_ATTRIBUTES, of_attributes((user, lost))
