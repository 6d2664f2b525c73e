"""One rule as functions: whom an event concerns, and what it changes."""

from collections.abc import Callable
from typing import Final

from audience_sync.core.changes import Change, UserId
from audience_sync.core.event import Cause, Event, Fields, Unusable
from audience_sync.core.filling import Add, adder, too_many
from audience_sync.core.limits import CHANGES_PER_EVENT, USER_ID_BYTES, broken_by_user
from audience_sync.core.rule import ByTemplates, ByTranslator, Condition, Rule
from audience_sync.core.templates import ITEM, Field, Render

Effect = list[tuple[UserId, list[Change]]]
"""Users and their changes, in order; one user may stand there several times, or without a change."""

FindEffect = Callable[[Event], Effect | Unusable]
"""What one rule does with an event; or why it can't be applied (without the name of the rule). Never raises."""

_SURELY_FIT: Final = 8
"""Characters that never take more than a user's 32 bytes: four bytes each in UTF-8. Not encoded."""


class Templates:
    """User and changes from templates."""

    __slots__ = ("adds", "render_user")

    def __init__(self, effect: ByTemplates) -> None:
        self.render_user: Render = effect.user.compiled()
        self.adds: tuple[Add, ...] = tuple(adder(planned) for planned in effect.changes)

    def user(self, fields: Fields) -> str | Unusable:
        """Whom the event concerns."""
        user = self.render_user(fields)
        if isinstance(user, Unusable):
            cause = Cause.NO_USER if user.cause is Cause.MISSING_FIELD else user.cause
            return Unusable(cause, f"the user: {user.info}")
        may_break = len(user) > _SURELY_FIT and (len(user) > USER_ID_BYTES or not user.isascii())
        if may_break and (broken := broken_by_user(user)) is not None:
            return Unusable(Cause.BROKEN_LIMIT, broken)
        return user

    def fill_in(self, fields: Fields, effect: Effect) -> Unusable | None:
        """Append the user and his changes."""
        user = self.user(fields)
        if isinstance(user, Unusable):
            return user
        changes: list[Change] = []
        for add in self.adds:
            why = add(fields, changes)
            if why is not None:
                return why
        effect.append((UserId(user), changes))
        return None


def effect_of(rule: Rule) -> FindEffect:
    """What *rule* does, its condition included."""
    match rule.effect:
        case ByTemplates(for_each=None) as effect:
            return _if_it_holds(rule.condition, _of_one(Templates(effect)))
        case ByTemplates(for_each=Field() as path) as effect:
            return _of_each(Templates(effect), path, rule.condition)  # each member for itself
        case ByTranslator() as effect:
            return _if_it_holds(rule.condition, _of_translator(effect))
    raise AssertionError(f"{rule.effect} is no effect")


def _if_it_holds(condition: Condition | None, find: FindEffect) -> FindEffect:
    if condition is None:
        return find
    holds = condition.holds

    def find_if(event: Event) -> Effect | Unusable:
        held = holds(event.fields)
        if held is True:
            return find(event)
        return [] if held is False else held

    return find_if


def _of_one(templates: Templates) -> FindEffect:
    def find(event: Event) -> Effect | Unusable:
        effect: Effect = []
        why = templates.fill_in(event.fields, effect)
        return effect if why is None else why

    return find


def _of_each(templates: Templates, path: Field, condition: Condition | None) -> FindEffect:
    def find(event: Event) -> Effect | Unusable:
        members = path.members(event.fields)
        if isinstance(members, Unusable):
            return members
        effect: Effect = []
        count = 0
        for member in members:
            fields = {**event.fields, ITEM: member}
            held = True if condition is None else condition.holds(fields)
            if held is False:
                continue
            why = templates.fill_in(fields, effect) if held is True else held
            if why is not None:
                return why
            count += len(effect[-1][1])
            if count > CHANGES_PER_EVENT:
                return too_many()
        return effect

    return find


def _of_translator(effect: ByTranslator) -> FindEffect:
    def find(event: Event) -> Effect | Unusable:
        found = effect.translate(event)
        return found if isinstance(found, Unusable) else [(user, list(changes)) for user, changes in found]

    return find
