"""Records of which the rules use nothing but texts, straight into changes, for less than half the price.

Nearly all events are objects in JSON, and their rules write a text or two of them into attributes and tags. So the
texts that the rules name are decoded, and nothing else is made of such a record. What is not plain is not decided
here: whatever is missing, no text, or long takes the long way, which knows what becomes of it.

What no rule uses is read by the grammar of JSON and as UTF-8 all the same. Only a number there may be larger than
any float.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, Final

import msgspec

from audience_sync.core.changes import Change, RemoveAllTags, RemoveAttribute, SetAttribute
from audience_sync.core.event import Translated, Translation
from audience_sync.core.limits import ATTRIBUTE_VALUE_BYTES, TAG_BYTES, USER_ID_BYTES
from audience_sync.core.rule import (
    AttributeTemplate,
    ByTemplates,
    Format,
    Planned,
    Rule,
    Source,
    TagTemplate,
    ValueMap,
)
from audience_sync.core.templates import Field, Template
from audience_sync.events.formats.cloudevents import is_structured
from audience_sync.formats import Record

Translate = Callable[[Record], Translation]
"""What the records of one topic do to whom. Never raises on any bytes."""

_Place = tuple[str, ...]
"""Where a text stands, as the keys that lead there."""

_Fill = Callable[[str], Change | None]
"""The change that a text of the event makes; None: the long way decides."""

_TYPE_OF_CLOUDEVENTS: Final = ("type",)

_LONGEST_CHARACTER: Final = 4
"""Bytes of UTF-8."""


class _NotStraightError(Exception):
    """The rules of the topic need more than texts."""


def straightened(source: Source, rules: Mapping[str, Sequence[Rule]], otherwise: Translate) -> Translate:
    """*otherwise*, the long way, with the straight one before it; or *otherwise* alone, where there is none.

    rules: those of the source's topic, by the type of event. None of them may need more than texts.
    """
    if source.timed or source.format not in (Format.CLOUDEVENTS, Format.JSON):
        return otherwise
    try:
        plain = {kind: _Plain(of_type) for kind, of_type in rules.items()}
        return _straight(source, plain, otherwise)
    except _NotStraightError:
        return otherwise


def _straight(source: Source, plain: Mapping[str, "_Plain"], otherwise: Translate) -> Translate:
    is_cloudevent = source.format == Format.CLOUDEVENTS
    type_at = _TYPE_OF_CLOUDEVENTS if is_cloudevent else source.type_field and source.type_field.keys
    places = {place for each in plain.values() for place in each.places} | ({type_at} if type_at else set())
    shape, names = _shape(places)
    decode = msgspec.json.Decoder(shape).decode
    apply_by_type = {kind: each.compiled(names) for kind, each in plain.items()}
    type_of: Callable[[Any], str]
    type_of = attrgetter(names[type_at]) if type_at else lambda _: source.type or ""

    def translate(record: Record) -> Translation:
        value = record.value
        if not value or (is_cloudevent and record.headers and not is_structured(record.headers)):
            return otherwise(record)
        try:
            event = decode(value)
            if not value.isascii():
                value.decode()
        except (ValueError, RecursionError):
            return otherwise(record)
        apply = apply_by_type.get(type_of(event))
        translated = None if apply is None else apply(event)
        return otherwise(record) if translated is None else translated

    return translate


class _Plain:
    """What the rules of one type do with plain texts.

    places: where the user stands, and then, for each change, where its text does.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.places: list[_Place] = []
        self._fills: list[_Fill] = []
        for rule in rules:
            effect = rule.effect
            if (
                not isinstance(effect, ByTemplates)
                or effect.for_each is not None
                or rule.condition is not None
            ):
                raise _NotStraightError
            before, user = _only_field(effect.user)
            if before or user != (self.places or [user])[0]:
                raise _NotStraightError
            self.places = self.places or [user]
            for planned in effect.changes:
                place, fill = _filling(planned)
                self.places.append(place or user)
                self._fills.append(fill)
        self._urgent = any(rule.urgent for rule in rules)

    def compiled(self, names: Mapping[_Place, str]) -> Callable[[Any], Translated | None]:
        """The function that makes changes of a decoded event, in which the places have these *names*."""
        texts_of = attrgetter(*(names[place] for place in self.places))
        fills, urgent, fits = self._fills, self._urgent, _fits(USER_ID_BYTES)

        def apply(event: Any) -> Translated | None:
            user, *texts = texts_of(event)
            changes = [fill(text) for fill, text in zip(fills, texts, strict=True)]
            whole = tuple(change for change in changes if change is not None)
            return Translated(user, whole, urgent, None) if len(whole) == len(fills) and fits(user) else None

        def apply_one(event: Any) -> Translated | None:
            user, text = texts_of(event)
            change = fill(text)
            return Translated(user, (change,), urgent, None) if change is not None and fits(user) else None

        fill, *others = fills
        return apply if others else apply_one  # nearly all rules make one change: half the price


def _filling(planned: Planned) -> tuple[_Place | None, _Fill]:
    """Where the text of a change stands, if it needs one, and what it makes."""
    make: Callable[[str], Change]
    match planned:
        case AttributeTemplate(name, template, None):
            make, most = partial(SetAttribute, name), ATTRIBUTE_VALUE_BYTES
        case TagTemplate(kind, template, None):
            make, most = kind, TAG_BYTES
        case AttributeTemplate(name, template, ValueMap() as values):
            before, place = _only_field(template)
            return place, _mapped(before, name, values)
        case RemoveAttribute() | RemoveAllTags():
            return None, lambda _: planned
        case _:
            raise _NotStraightError
    if (fixed := template.fixed_text) is not None:
        always = make(fixed)
        return None, lambda _: always
    before, place = _only_field(template)
    fits = _fits(most - len(before.encode()))
    return place, lambda text: make(before + text) if fits(text) else None


def _mapped(before: str, name: str, values: ValueMap) -> _Fill:
    sets = {text: SetAttribute(name, value) for text, value in values.values.items()}
    default = None if values.default is None else SetAttribute(name, values.default)
    return lambda text: sets.get(before + text, default) if text else None


def _only_field(template: Template) -> tuple[str, _Place]:
    """The literal text of a template, and the field behind it."""
    match template.parts:
        case (Field(keys),):
            before = ""
        case (str(before), Field(keys)):
            pass
        case _:
            raise _NotStraightError
    if keys[0].startswith("$"):
        raise _NotStraightError
    return before, keys


def _fits(most: int) -> Callable[[str], bool]:
    """Whether a text surely takes 1 to *most* bytes of UTF-8."""
    surely = most // _LONGEST_CHARACTER
    return lambda text: 0 < len(text) <= most and (len(text) <= surely or text.isascii())


def _shape(places: Collection[_Place]) -> tuple[type[msgspec.Struct], dict[_Place, str]]:
    """A struct of texts, empty where they are missing, and the name of each place in it."""
    fields: list[tuple[str, Any, Any]] = []
    renamed: dict[str, str] = {}
    names: dict[_Place, str] = {}
    for number, key in enumerate(dict.fromkeys(place[0] for place in places)):
        field = f"field_{number}"
        renamed[field] = key
        below = {place[1:] for place in places if place[0] == key}
        if below == {()}:
            fields.append((field, str, ""))
            names[key,] = field
        elif () in below:
            raise _NotStraightError
        else:
            inner, inner_names = _shape(below)
            fields.append((field, inner, inner()))
            names |= {(key, *rest): f"{field}.{name}" for rest, name in inner_names.items()}
    try:
        return msgspec.defstruct("Texts", fields, rename=renamed, frozen=True, gc=False), names
    except ValueError as error:  # a name that msgspec can't look for, with a quotation mark, say
        raise _NotStraightError from error
