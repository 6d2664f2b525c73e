"""Translators in Python that a rules file names: found when it is loaded, and never trusted after."""

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Annotated, Final

from pydantic import AfterValidator, WithJsonSchema

from audience_sync.core.changes import (
    AddTag,
    Change,
    RemoveAllTags,
    RemoveAttribute,
    RemoveTag,
    SetAttribute,
    UserId,
)
from audience_sync.core.event import Cause, Event, Unusable
from audience_sync.core.limits import broken_by_change, broken_by_user
from audience_sync.core.rule import Writes
from audience_sync.rules.stated import schema_of_text
from audience_sync.translators import Translate, UnfitError

_CHANGES: Final = (SetAttribute, RemoveAttribute, AddTag, RemoveTag, RemoveAllTags)


def loaded(name: str) -> Translate:
    """The function that *name* (`package.module:function`) leads to. Raises ValueError with the way out."""
    module_name, _, function_name = name.partition(":")
    if not module_name or not function_name:
        raise ValueError(f"{name!r} names no function; write package.module:function")
    try:
        module = import_module(module_name)
    except Exception as error:  # the import runs foreign code
        raise ValueError(
            f"{module_name!r} can't be imported: {type(error).__name__}: {error}; install the package that it "
            "is in, or put its folder on PYTHONPATH"
        ) from error
    function = getattr(module, function_name, None)
    if not callable(function) or inspect.iscoroutinefunction(function):
        raise ValueError(
            f"{name!r} is no plain function; write `def {function_name}(event: Event) -> Effects`"
        )
    try:
        inspect.signature(function).bind(Event("", {}))
    except TypeError as error:
        raise ValueError(
            f"{name!r} can't be called with an event alone: {error}; give it one parameter"
        ) from error
    translate: Translate = function
    return translate


def _is_translator(name: str) -> str:
    loaded(name)
    return name


TranslatorName = Annotated[
    str,
    AfterValidator(_is_translator),
    WithJsonSchema(schema_of_text(pattern=r"^[\w.]+:\w+$", examples=["our_rules.orders:translate"])),
]


def guarded(name: str, writes: Writes) -> Callable[[Event], list[tuple[UserId, list[Change]]] | Unusable]:
    """The translator, made so that it can't raise, and gives nothing but sound changes of what it may write."""
    translate = loaded(name)

    def translate_soundly(event: Event) -> list[tuple[UserId, list[Change]]] | Unusable:
        try:
            return _sound(translate(event), writes)
        except UnfitError as error:
            return Unusable(Cause.TRANSLATOR, _carried(str(error) or f"{name} can't use the event"))
        except Exception as error:  # foreign code: whatever it is, one event is at fault
            return Unusable(Cause.TRANSLATOR, _carried(f"{name} raised {type(error).__name__}: {error}"))

    return translate_soundly


def _carried(info: str) -> str:
    """*info* in characters that UTF-8 can carry, for it may quote anything."""
    return info.encode(errors="replace").decode()


def _sound(effects: object, writes: Writes) -> list[tuple[UserId, list[Change]]]:
    """What a translator gave, if it is what it should be. Raises UnfitError with what is wrong."""
    if effects is None:
        return []
    if not isinstance(effects, Mapping):
        raise UnfitError(f"the translator gave {type(effects).__name__}; users with their changes are needed")
    return [(_sound_user(user), [_sound_change(each, writes) for each in effects[user]]) for user in effects]


def _sound_user(user: object) -> UserId:
    if type(user) is not str:
        raise UnfitError(f"the translator gave a user {user!r}, which is no text")
    if (broken := broken_by_user(user)) is not None:
        raise UnfitError(broken)
    return UserId(user)


def _sound_change(change: object, writes: Writes) -> Change:
    if not isinstance(change, _CHANGES):
        raise UnfitError(f"the translator gave {change!r}, which is no change")
    texts = [getattr(change, name) for name in change.__struct_fields__]
    if any(type(text) is not str for text in texts):
        raise UnfitError(f"the translator gave {change!r}, which holds something else than text")
    if (broken := broken_by_change(change)) is not None:
        raise UnfitError(broken)
    if not _may_write(change, writes):
        raise UnfitError(f"the translator gave {change!r}, which its rule does not name; add it to `writes`")
    return change


def _may_write(change: Change, writes: Writes) -> bool:
    match change:
        case SetAttribute(name) | RemoveAttribute(name):
            return name in writes.attributes
        case AddTag(tag) | RemoveTag(tag):
            return tag.startswith(writes.tags)
        case RemoveAllTags():
            return writes.all_tags
