"""All rules of one topic and type as one function."""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Final

from audience_sync.core.changes import Change, UserId
from audience_sync.core.effects import Templates, effect_of
from audience_sync.core.event import Cause, Event, Ignored, Translated, TranslatedMany, Translation, Unusable
from audience_sync.core.filling import too_many
from audience_sync.core.limits import CHANGES_PER_EVENT
from audience_sync.core.rule import ByTemplates, Rule
from audience_sync.core.targets import Target, targets

Apply = Callable[[Event], Translation]
"""What an event does, by the rules of its topic and type. Never raises."""

_INFO_CHARACTERS: Final = 600
"""Longest `Unusable.info`; ours. A value of a megabyte is kept with the event, not in the sentence on it."""


def applied(rules: Sequence[Rule]) -> Apply:
    """The function that applies *rules*, all of one type, to an event."""
    simple = [
        (rule.name, Templates(rule.effect))
        for rule in rules
        if isinstance(rule.effect, ByTemplates) and rule.effect.for_each is None and rule.condition is None
    ]
    if len(simple) == len(rules):
        return _to_one_user(simple, urgent=any(rule.urgent for rule in rules))
    return _Together(rules).translate


def shortened(info: str) -> str:
    """*info*, or its beginning and end if it is long."""
    if len(info) <= _INFO_CHARACTERS:
        return info
    half = _INFO_CHARACTERS // 2
    return f"{info[:half]} ... {info[-half:]}"


def _to_one_user(rules: Sequence[tuple[str, Templates]], *, urgent: bool) -> Apply:
    """The way of nearly all events: rules without conditions or lists of users, so one user."""

    def apply(event: Event) -> Translation:
        fields = event.fields
        user = ""
        changes: list[Change] = []
        for name, templates in rules:
            named = templates.user(fields)
            if isinstance(named, Unusable):
                return _by_rule(name, named)
            if named != user:
                if user:
                    return _different_users(rules[0][0], user, name, named)
                user = named
            for add in templates.adds:
                why = add(fields, changes)
                if why is not None:
                    return _by_rule(name, why)
        if not changes:
            return Ignored("nothing that its rules need is there, and they say to leave it out then")
        return Translated(UserId(user), tuple(changes), urgent, event.seconds)

    return apply


class _Together:
    """Rules of one type of which some have a condition, a list of users or a translator."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [(rule, effect_of(rule)) for rule in rules]
        self._clashes = list(_clashes(rules))

    def translate(self, event: Event) -> Translation:
        """What *event* does, to each of the users that it concerns."""
        changes: dict[UserId, list[Change]] = {}
        urgent: set[UserId] = set()
        users: dict[str, set[UserId]] = {}
        for rule, find_effect in self._rules:
            effect = find_effect(event)
            if isinstance(effect, Unusable):
                return _by_rule(rule.name, effect)
            for user, theirs in effect:
                changes.setdefault(user, []).extend(theirs)
            users[rule.name] = {user for user, _ in effect}
            if rule.urgent:
                urgent |= users[rule.name]
        why = self._of_different_users(users) or self._of_clashes(users)
        if why is not None:
            return why
        if sum(map(len, changes.values())) > CHANGES_PER_EVENT:
            return too_many()
        parts = tuple(
            Translated(user, tuple(theirs), user in urgent, event.seconds)
            for user, theirs in changes.items()
            if theirs
        )
        if not parts:
            return Ignored("no rule's condition holds, or nothing that the rules need is there")
        return parts[0] if len(parts) == 1 else TranslatedMany(parts)

    def _of_different_users(self, users: dict[str, set[UserId]]) -> Unusable | None:
        """Rules for one user must find the same one; those for a list of users find whom they find."""
        found = [
            (rule.name, user)
            for rule, _ in self._rules
            if isinstance(rule.effect, ByTemplates) and rule.effect.for_each is None
            for user in users[rule.name]
        ]
        for name, user in found[1:]:
            if user != found[0][1]:
                return _different_users(*found[0], name, user)
        return None

    def _of_clashes(self, users: dict[str, set[UserId]]) -> Unusable | None:
        for one, other, what in self._clashes:
            if users[one] & users[other]:
                info = f"rules {one!r} and {other!r} both apply and both write {what}; let only one condition hold"
                return Unusable(Cause.CONFLICT, shortened(info))
        return None


def _clashes(rules: Sequence[Rule]) -> Iterator[tuple[str, str, Target]]:
    """Rules that write the same: they may not both apply to a user, and only an event tells whether they do."""
    for one, other in combinations(rules, 2):
        for what in dict.fromkeys(targets(one)):
            if what in targets(other):
                yield one.name, other.name, what


def _by_rule(name: str, why: Unusable) -> Unusable:
    return Unusable(why.cause, shortened(f"rule {name!r}: {why.info}"))


def _different_users(rule: str, user: str, other_rule: str, other_user: str) -> Unusable:
    info = f"rules {rule!r} and {other_rule!r} find different users, {user!r} and {other_user!r}"
    return Unusable(Cause.NO_USER, shortened(info))
