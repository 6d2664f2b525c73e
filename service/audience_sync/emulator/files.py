"""The files and texts that say how apps are: the apps themselves, and what a probe found out about a real one."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import msgspec

from audience_sync.emulator.settings import AppSettings
from audience_sync.emulator.switches import Switches, changed


class Profile(msgspec.Struct):
    """What a probe found out. What else is in the file is for people."""

    profile: Annotated[int, msgspec.Meta(ge=1, le=1)]
    """The version of the format."""

    switches: dict[str, object]


def read_profile(path: Path, switches: Switches) -> Switches:
    """*switches*, with those set that a profile has. Raises OSError, or ValueError with the file's name."""
    try:
        return changed(switches, msgspec.json.decode(path.read_bytes(), type=Profile).switches)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def read_apps(path: Path) -> tuple[AppSettings, ...]:
    """The apps of a file, a JSON array. Raises OSError, or ValueError with the file's name; never with a key."""
    try:
        return tuple(
            app_of(each) for each in msgspec.json.decode(path.read_bytes(), type=list[dict[str, object]])
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def app_of(given: Mapping[str, object]) -> AppSettings:
    """An app as JSON has it: the settings by their names. Raises ValueError, never with the key."""
    known = [field.name for field in fields(AppSettings)]
    if unknown := [name for name in given if name not in known]:
        raise ValueError(f"{unknown[0]!r} is no setting of an app; there are {', '.join(known)}")
    return msgspec.convert(given, AppSettings)


def switched(switches: Switches, settings: Iterable[str]) -> Switches:
    """*switches*, with some set as by "name=value"; a value is JSON, or the text it is. Raises ValueError."""
    for setting in settings:
        name, separator, text = setting.partition("=")
        if not separator:
            raise ValueError(f"switch {setting!r}: write name=value")
        switches = changed(switches, {name: _value(text)})
    return switches


def _value(text: str) -> object:
    try:
        value: object = msgspec.json.decode(text)
    except ValueError:
        return text
    return value
