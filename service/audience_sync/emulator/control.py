"""The emulator's own address, /control/: for tests, on loopback, unsigned.

Answers are JSON. A mistake is answered with 400, 404 or 405 and {"error": why}.
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

import msgspec

from audience_sync.emulator import limits
from audience_sync.emulator.api import REMEMBERED, Api, Outcome
from audience_sync.emulator.faults import FaultSettings

PREFIX: Final = "/control/"


class Accounts(msgspec.Struct, forbid_unknown_fields=True):
    """Users who shall exist."""

    users: list[str]


def respond(api: Api, *, method: str, path: str, query: str, body: bytes) -> Outcome:
    """Answer one control request."""
    name, _, rest = path.removeprefix(PREFIX).partition("/")
    expected, handler = HANDLERS.get(name, ("", _nothing))
    if not expected or bool(rest) != (name == "users"):
        return _json({"error": f"nothing at {path}; there are {', '.join(HANDLERS)}"}, status=404)
    if method not in expected.split():
        return _json({"error": f"{path} takes {expected}"}, status=405)
    try:
        return _json(handler(api, method, rest or query, body))
    except ValueError as error:
        return _json({"error": str(error)}, status=400)


def counters(api: Api) -> dict[str, object]:
    """Everything that is counted, as `GET /control/counters` shows it."""
    counted = api.counters
    return {
        "calls": counted.calls,
        "most_calls_in_a_second": api.most_calls_in_a_second(),
        "users": counted.users,
        "user_parts": counted.user_parts,
        "users_per_request": counted.users_per_request,
        "refused": counted.refused,
        "faults": counted.faults,
        "overlaps_count": api.overlaps.count,
        "overlaps": api.overlaps.found,
        "broken_limits_count": counted.broken_limits_count,
        "broken_limits": counted.broken_limits,
        "went_back_count": counted.went_back_count,
        "went_back": counted.went_back,
        "latency_seconds": api.faults.latency_seconds,
    }


def _state(api: Api, _method: str, _query: str, _body: bytes) -> object:
    return {"attribute_names": api.store.attribute_names(), "users": api.store.users()}


def _user(api: Api, _method: str, user: str, _body: bytes) -> object:
    return api.store.user(user)


def _counters(api: Api, _method: str, _query: str, _body: bytes) -> object:
    return counters(api)


def _reset_counters(api: Api, _method: str, _query: str, _body: bytes) -> object:
    api.reset_counters()
    return {}


def _faults(api: Api, method: str, _query: str, body: bytes) -> object:
    if method == "POST":
        api.faults.change(msgspec.json.decode(body, type=FaultSettings))
    return api.faults.now_set()


def _accounts(api: Api, _method: str, _query: str, body: bytes) -> object:
    users = msgspec.json.decode(body, type=Accounts).users
    for user in users:
        if not limits.fits(user, limits.USER_BYTES):
            raise ValueError(f"user {user!r}: 1 to {limits.USER_BYTES} bytes of UTF-8")
    api.import_accounts(users)
    return {"imported": len(users)}


def _requests(api: Api, _method: str, query: str, _body: bytes) -> object:
    last = parse_qs(query).get("last", ["100"])[0]
    if not (last.isascii() and last.isdigit() and len(last) <= 4 and 1 <= int(last) <= REMEMBERED):
        raise ValueError(f"last is a whole number from 1 to {REMEMBERED}")
    return {"requests": list(api.last)[-int(last) :]}


def _health(_api: Api, _method: str, _query: str, _body: bytes) -> object:
    return {"status": "ok"}


def _nothing(_api: Api, _method: str, _query: str, _body: bytes) -> object:
    return {}


Handler = Callable[[Api, str, str, bytes], object]

HANDLERS: Final[dict[str, tuple[str, Handler]]] = {
    "state": ("GET", _state),
    "users": ("GET", _user),
    "counters": ("GET", _counters),
    "reset-counters": ("POST", _reset_counters),
    "faults": ("GET POST", _faults),
    "accounts": ("POST", _accounts),
    "requests": ("GET", _requests),
    "health": ("GET", _health),
}
"""{name: (methods, who answers)}."""


def _json(value: object, *, status: int = 200) -> Outcome:
    return Outcome(body=msgspec.json.encode(value), status=status)
