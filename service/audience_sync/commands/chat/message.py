"""A push put together from options and a file, each part said once."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Final

import msgspec

from audience_sync.chat_api import BrokenLimit, Condition, Element, Family, OfflinePush, Push, Text
from audience_sync.chat_api.conditions import attributes_from, one_of, tags_from
from audience_sync.chat_api.messages import decode_body
from audience_sync.chat_api.push import decode_push, encode_push
from audience_sync.commands.chat.source import STANDARD_INPUT
from audience_sync.commands.stop import ExitCode, Stop

_LONGEST_FILE_BYTES: Final = 1_000_000
"""Ours: a push takes about 12 KB, so a larger file is another one."""

_UNIT_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class PushOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What was said on the command line; None and empty where nothing was."""

    tags_or: Sequence[str] = ()
    tags_and: Sequence[str] = ()
    tags_not: Sequence[str] = ()
    attrs_or: Sequence[str] = ()
    attrs_and: Sequence[str] = ()
    everyone: bool = False
    text: str | None = None
    body: Path | None = None
    life_time: str | None = None
    sender: str | None = None
    random: int | None = None
    offline_push: OfflinePush | None = None


def push_of(options: PushOptions, family: Family, *, random: int) -> Push:
    """The push that *options* ask for, with the number *random* if nobody says another. Stop with what is wrong."""
    try:
        push = _put_together(options, family, random=random)
        encode_push(push, family)  # it checks
    except BrokenLimit as error:
        raise Stop(ExitCode.BAD_INPUT, f"{error}\nNothing was sent.") from error
    return push


def offline_push_of(title: str | None, desc: str | None, ext: str | None) -> OfflinePush | None:
    """What phones show, if anything is said of it."""
    if title is None and desc is None and ext is None:
        return None
    return OfflinePush(title=title, description=desc, extension=ext)


def seconds_of(text: str) -> int:
    """The seconds of `90`, `2h` or `7d`. BrokenLimit for anything else."""
    if found := re.fullmatch(r"([0-9]{1,9})([smhd]?)", text.strip()):
        return int(found[1]) * _UNIT_SECONDS[found[2]]
    raise BrokenLimit(
        f"--life-time {text!r}: a number of seconds, or one with m, h or d behind it, such as 2h"
    )


def _put_together(options: PushOptions, family: Family, *, random: int) -> Push:
    if (options.text is None) is (options.body is None):
        raise BrokenLimit("what is to be pushed? Give --text, or a file with --body; one of these")
    to = _condition(options)
    given = _given(options)
    if options.body is not None:
        content = _read(options.body)
        if isinstance(content, dict):
            _check_said_once(options, content)
            push = decode_push(msgspec.json.encode(content), family, random=random, everybody=to is not None)
            return msgspec.structs.replace(push, **given, **({} if to is None else {"to": to}))
        body: Sequence[Element] = decode_body(content)
    else:
        body = (Text(options.text or ""),)
    if to is None:
        raise BrokenLimit(
            "who is it for? --tags-or, --tags-and, --tags-not, --attrs-or, --attrs-and, or --everyone"
        )
    return msgspec.structs.replace(Push(body=body, to=to, random=random), **given)


def _condition(options: PushOptions) -> Condition | None:
    tags = tags_from(any_of=options.tags_or, all_of=options.tags_and, none_of=options.tags_not)
    attributes = attributes_from(any_of=options.attrs_or, all_of=options.attrs_and)
    is_given = tags != tags_from() or attributes != attributes_from() or options.everyone
    return one_of(tags=tags, attributes=attributes, everybody=options.everyone) if is_given else None


def _given(options: PushOptions) -> dict[str, object]:
    """The fields of a push that options say."""
    said = {
        "life_seconds": None if options.life_time is None else seconds_of(options.life_time),
        "sender": options.sender,
        "random": options.random,
        "offline_push": options.offline_push,
    }
    return {field: value for field, value in said.items() if value is not None}


def _read(file: Path) -> object:
    name = "standard input" if str(file) == STANDARD_INPUT else str(file)
    try:
        with nullcontext(sys.stdin.buffer) if str(file) == STANDARD_INPUT else file.open("rb") as opened:
            text = opened.read(_LONGEST_FILE_BYTES + 1)
    except OSError as error:
        raise BrokenLimit(f"{name} can't be read: {error.strerror}") from error
    if len(text) > _LONGEST_FILE_BYTES:
        raise BrokenLimit(f"{name} is larger than {_LONGEST_FILE_BYTES} bytes; is it the right file?")
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenLimit(f"{name} is no JSON: {error}") from None


def _check_said_once(options: PushOptions, content: Mapping[str, object]) -> None:
    """BrokenLimit for what stands in the file and is said by options too."""
    wrong = [
        f"{field} stands in {options.body}, and {option} says it too; leave one of both out"
        for option, fields in _fields_said(options)
        for field in fields
        if content.get(field) is not None
    ]
    if wrong:
        raise BrokenLimit("\n".join(wrong))


def _fields_said(options: PushOptions) -> Iterator[tuple[str, Sequence[str]]]:
    if options.everyone:
        yield "--everyone", ["Condition"]
    elif _condition(options) is not None:
        yield "a --tags or --attrs option", ["Condition"]
    if options.life_time is not None:
        yield "--life-time", ["MsgLifeTime", "OnlineOnlyFlag"]
    if options.sender is not None:
        yield "--from", ["From_Account"]
    if options.random is not None:
        yield "--random", ["MsgRandom"]
    if options.offline_push is not None:
        yield "--title, --desc or --ext", ["OfflinePushInfo"]
