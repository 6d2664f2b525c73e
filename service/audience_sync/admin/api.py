"""The operator's answers as JSON, for programs and commands. Shapes: docs/operators-page.md."""

from typing import Any, Final, TypeVar

import msgspec

from audience_sync.admin.http import Answer, Request
from audience_sync.admin.operator import DEFAULT_LEVEL_SECONDS, NotReadError, Operator
from audience_sync.admin.replay_job import BusyError

T = TypeVar("T")

DEFAULT_LETTERS: Final = 50
MOST_LETTERS_SHOWN: Final = 500


class _What(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    what: str


class _Ids(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ids: list[str]


class _Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    level: str
    seconds: float = DEFAULT_LEVEL_SECONDS


async def answer(operator: Operator, request: Request, name: str) -> Answer:
    """What is said to a request that has shown the token. *name*: what of the API it is for."""
    try:
        match request.method, name:
            case "GET", "status":
                return _json(operator.status())
            case "GET", "user":
                return _json(operator.user(request.query.get("id", "")))
            case "GET", "dead-letters":
                return _json(await letters(operator, request))
            case "POST", "pause":
                return _json(operator.pause(_read(request, _What).what))
            case "POST", "resume":
                return _json({"was_paused": operator.resume(_read(request, _What).what)})
            case "POST", "replay":
                operator.replay(_read(request, _Ids).ids)
                return _json(operator.status()["replay"], status=202)
            case "POST", "log-level":
                wanted = _read(request, _Level)
                operator.change_level(wanted.level, wanted.seconds)
                return _json(operator.status()["log"])
            case _, "status" | "user" | "dead-letters" | "pause" | "resume" | "replay" | "log-level":
                return problem(405, f"{request.method} is not for {name}")
            case _:
                return problem(404, f"there is no {name!r} here; see docs/operators-page.md")
    except BusyError as error:
        return problem(409, str(error))
    except NotReadError as error:
        return problem(503, str(error))
    except ValueError as error:  # what msgspec refuses is one, too
        return problem(400, str(error))


async def letters(operator: Operator, request: Request) -> dict[str, Any]:
    """The letters that the query is about. Raises ValueError, NotReadError."""
    user, code = request.query.get("user", "").strip(), request.query.get("code", "").strip()
    most = request.query.get("limit", str(DEFAULT_LETTERS))
    if code and not _is_number(code):
        raise ValueError(f"code={code!r}: a code is a whole number, as the Chat API gives it")
    if not _is_number(most) or not 1 <= int(most) <= MOST_LETTERS_SHOWN:
        raise ValueError(f"limit={most!r}: it is a number from 1 to {MOST_LETTERS_SHOWN}")
    return await operator.letters(
        most=int(most), users=[user] if user else [], codes=[int(code)] if code else []
    )


def problem(status: int, what: str) -> Answer:
    """What is wrong, and the way out."""
    return _json({"error": what}, status=status)


def _json(content: object, *, status: int = 200) -> Answer:
    return Answer(msgspec.json.encode(content) + b"\n", status)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 12


def _read(request: Request, shape: type[T]) -> T:
    return msgspec.json.decode(request.body, type=shape)
