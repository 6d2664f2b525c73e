"""Changes as a rule states them, compiled into functions that one event fills in."""

from collections.abc import Callable
from functools import partial
from typing import Final

from audience_sync.core.changes import Change, RemoveAllTags, RemoveAttribute, SetAttribute
from audience_sync.core.event import Cause, Fields, Unusable
from audience_sync.core.limits import ATTRIBUTE_VALUE_BYTES, CHANGES_PER_EVENT, TAG_BYTES, broken_by_change
from audience_sync.core.rule import AttributeTemplate, Otherwise, Planned, TagTemplate, ValueMap, WhenLacking
from audience_sync.core.templates import ITEM, Field, Lack, Render, Template

Add = Callable[[Fields, list[Change]], Unusable | None]
"""Appends to the list what one event changes, or says why it can't be made (without the name of the rule)."""

_SURELY_FIT: Final = 12
"""Characters that never take more than the 50 bytes of a value or tag: four bytes each in UTF-8. Not encoded."""

_MOST: Final = min(TAG_BYTES, ATTRIBUTE_VALUE_BYTES)
"""Characters of ASCII that fit: a byte each."""

_BOOLEANS: Final = {True: "true", False: "false"}


def adder(planned: Planned) -> Add:
    """The function that makes the change *planned*."""
    match planned:
        case AttributeTemplate():
            return _attribute(planned)
        case TagTemplate():
            return _tag(planned)
        case RemoveAttribute() | RemoveAllTags():
            return _always(planned)


def _attribute(planned: AttributeTemplate) -> Add:
    name, removal = planned.name, RemoveAttribute(planned.name)
    if planned.map is not None:
        return _mapped(planned, planned.map, removal)
    return _filled_in(planned.value, partial(SetAttribute, name), planned.lacking, removal)


def _tag(planned: TagTemplate) -> Add:
    add_one = _filled_in(planned.tag, planned.kind, planned.lacking)
    return (
        add_one if planned.for_each is None else _for_each_member(planned.for_each, add_one, planned.lacking)
    )


def _always(change: Change) -> Add:
    def add(_: Fields, changes: list[Change]) -> None:
        changes.append(change)

    return add


def _filled_in(
    template: Template,
    make: Callable[[str], Change],
    lacking: WhenLacking,
    removal: RemoveAttribute | None = None,
) -> Add:
    if (fixed := template.fixed_text) is not None:
        return _always(make(fixed))
    render = template.compiled()
    strict = lacking == WhenLacking()

    def add(fields: Fields, changes: list[Change]) -> Unusable | None:
        text = render(fields)
        if isinstance(text, Unusable):
            return text if strict else _of_lack(text, template.lack(fields), lacking, removal, changes)
        change = make(text)
        may_break = len(text) > _SURELY_FIT and (len(text) > _MOST or not text.isascii())
        if may_break and (broken := broken_by_change(change)) is not None:
            return Unusable(Cause.BROKEN_LIMIT, broken)
        changes.append(change)
        return None

    return add


def _mapped(planned: AttributeTemplate, values: ValueMap, removal: RemoveAttribute) -> Add:
    name, template, lacking = planned.name, planned.value, planned.lacking
    render = template.compiled()
    sets = {text: SetAttribute(name, value) for text, value in values.values.items()}
    default = None if values.default is None else SetAttribute(name, values.default)

    def add(fields: Fields, changes: list[Change]) -> Unusable | None:
        text = _text_or_boolean(template, render, fields)
        if isinstance(text, Unusable):
            return _of_lack(text, template.lack(fields), lacking, removal, changes)
        change = sets.get(text, default)
        if change is not None:
            changes.append(change)
            return None
        why = Unusable(
            Cause.UNKNOWN_VALUE,
            f"the map of attribute {name!r} does not have {text!r}; add it, or say `otherwise`",
        )
        return _instead(values.otherwise, why, removal, changes)

    return add


def _text_or_boolean(template: Template, render: Render, fields: Fields) -> str | Unusable:
    """A map may name true and false, which no template takes: what they are called is then said there."""
    text = render(fields)
    if isinstance(text, Unusable) and len(template.parts) == 1:
        found = template.fields[0].found(fields)
        if isinstance(found, bool):
            return _BOOLEANS[found]
    return text


def _for_each_member(path: Field, add_one: Add, lacking: WhenLacking) -> Add:
    def add(fields: Fields, changes: list[Change]) -> Unusable | None:
        members = path.members(fields)
        if isinstance(members, Unusable):
            found = path.found(fields)
            return _of_lack(members, found if isinstance(found, Lack) else None, lacking, None, changes)
        if len(members) > CHANGES_PER_EVENT:
            return too_many()
        for member in members:
            why = add_one({**fields, ITEM: member}, changes)
            if why is not None:
                return why
        return None

    return add


def too_many() -> Unusable:
    """Why an event with more changes than one may have is not applied."""
    return Unusable(
        Cause.BROKEN_LIMIT, f"one event may make {CHANGES_PER_EVENT} changes, and this makes more; split it"
    )


def _of_lack(
    why: Unusable,
    lack: Lack | None,
    lacking: WhenLacking,
    removal: RemoveAttribute | None,
    changes: list[Change],
) -> Unusable | None:
    match lack:
        case Lack.NULL:
            return _instead(lacking.null, why, removal, changes)
        case Lack.MISSING:
            return _instead(lacking.missing, why, removal, changes)
        case None:
            return why


def _instead(
    otherwise: Otherwise, why: Unusable, removal: RemoveAttribute | None, changes: list[Change]
) -> Unusable | None:
    match otherwise:
        case Otherwise.DEAD_LETTER:
            return why
        case Otherwise.REMOVE:
            assert removal is not None, "only attributes are removed where a value is missing"
            changes.append(removal)
        case Otherwise.IGNORE:
            pass
    return None
