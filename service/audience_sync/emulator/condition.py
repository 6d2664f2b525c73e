"""Who a push is for: by tags or by attributes, never by both.

What no page says: a condition in which nothing is asked matches everybody, the worst case for a client whose
list came out empty. TagsNot means "carries none of these". Tags and values are compared byte by byte.
"""

from collections.abc import Callable, Collection, Mapping

import msgspec

from audience_sync.emulator.switches import Combined

Matcher = Callable[[Mapping[str, str], Collection[str]], bool]
"""(attributes, tags) of a user -> whether the push is for him."""


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """The lists of a condition; one that is absent is empty. *tags_not* is the successor's."""

    tags_or: tuple[str, ...] = ()
    tags_and: tuple[str, ...] = ()
    tags_not: tuple[str, ...] = ()
    attributes_or: dict[str, str] = msgspec.field(default_factory=dict)
    attributes_and: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        """The attributes it names."""
        return self.attributes_or.keys() | self.attributes_and.keys()


def matches(
    condition: Condition, *, attributes: Mapping[str, str], tags: Collection[str], combined: Combined
) -> bool:
    """Whether the push is for a user with these attributes and tags."""
    return matcher(condition, combined)(attributes, tags)


def matcher(condition: Condition, combined: Combined) -> Matcher:
    """The same question for many users: what can be prepared is prepared once."""
    if condition.names:
        return _by_attributes(condition, combined)
    return _by_tags(condition, combined)


def _by_tags(condition: Condition, combined: Combined) -> Matcher:
    any_of, all_of = frozenset(condition.tags_or), frozenset(condition.tags_and)
    none_of = frozenset(condition.tags_not)
    if not (any_of or all_of):
        return lambda _, tags: none_of.isdisjoint(tags)
    if any_of and all_of and combined is Combined.OR:
        return lambda _, tags: (
            (not any_of.isdisjoint(tags) or all_of.issubset(tags)) and none_of.isdisjoint(tags)
        )
    return lambda _, tags: (
        (not any_of or not any_of.isdisjoint(tags)) and all_of.issubset(tags) and none_of.isdisjoint(tags)
    )


def _by_attributes(condition: Condition, combined: Combined) -> Matcher:
    any_of, all_of = condition.attributes_or.items(), condition.attributes_and.items()
    if any_of and all_of and combined is Combined.OR:
        return lambda attributes, _: not any_of.isdisjoint(attributes.items()) or all_of <= attributes.items()
    return lambda attributes, _: (
        (not any_of or not any_of.isdisjoint(attributes.items())) and all_of <= attributes.items()
    )
