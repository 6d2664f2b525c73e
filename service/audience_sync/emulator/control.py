"""The emulator's own address, /control/: for tests, on loopback, unsigned.

The first app is at /control/..., each app at /control/apps/{id}/.... Answers are JSON. A mistake is answered with
400, 404 or 405 and {"error": why}.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final, NamedTuple
from urllib.parse import parse_qs

import msgspec

from audience_sync.emulator import limits
from audience_sync.emulator.api import REMEMBERED, Api
from audience_sync.emulator.apps import Apps
from audience_sync.emulator.deliveries import PAUSE_SECONDS, DeliveryStream, since
from audience_sync.emulator.faults import FaultSettings
from audience_sync.emulator.files import app_of
from audience_sync.emulator.inbox import KEPT
from audience_sync.emulator.outcome import Outcome, Stream
from audience_sync.emulator.settings import AppSettings
from audience_sync.emulator.switches import CodeNumber

PREFIX: Final = "/control/"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question at the control address."""

    apps: Apps
    api: Api
    """The app it is about."""

    method: str
    rest: str
    """What follows the name in the path, and never is empty where it is wanted."""

    query: str
    body: bytes
    last_event: str
    """What a caller who listened before has heard last; empty for the others."""

    now: float

    @property
    def changes(self) -> bool:
        """Whether something is to be changed and not only looked at."""
        return self.method == "POST"


class Users(msgspec.Struct, forbid_unknown_fields=True):
    """Some users."""

    users: list[str]


class Feature(msgspec.Struct, forbid_unknown_fields=True):
    """Whether push to all users is switched on for the app."""

    on: bool


class Route(NamedTuple):
    """A name in the path: what may be asked there, and who answers."""

    methods: str
    handler: "Callable[[Asked], object]"
    takes_rest: bool = False


def respond(
    apps: Apps, *, method: str, path: str, query: str, body: bytes, last_event: str, now: float
) -> Outcome | Stream:
    """Answer one control request."""
    try:
        api, route, rest = _place(apps, path)
    except LookupError as error:
        return _json({"error": error.args[0]}, status=404)
    if method not in route.methods.split():
        allowed = route.methods.replace(" ", ", ")
        return _json({"error": f"{path} takes {allowed}"}, status=405, headers=(("allow", allowed),))
    asked = Asked(
        apps=apps,
        api=api,
        method=method,
        rest=rest,
        query=query,
        body=body,
        last_event=last_event,
        now=now,
    )
    try:
        found = route.handler(asked)
    except ValueError as error:
        return _json({"error": str(error)}, status=400)
    return found if isinstance(found, Stream) else _json(found)


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


def _place(apps: Apps, path: str) -> tuple[Api, Route, str]:
    """The app, the route, and what follows its name. Raises LookupError."""
    api, inner = apps.first, path.removeprefix(PREFIX)
    of_one_app = inner.startswith("apps/")
    if of_one_app:
        number, _, inner = inner.removeprefix("apps/").partition("/")
        api = _app(apps, number)
    name, _, rest = (inner, "", "") if inner in ROUTES else inner.partition("/")
    route = ROUTES.get(name)
    if route is None or bool(rest) != route.takes_rest or (of_one_app and name in OF_ALL_APPS):
        raise LookupError(f"nothing at {path}; there are {', '.join(ROUTES)}")
    return api, route, rest


def _app(apps: Apps, number: str) -> Api:
    found = (
        apps.by_id.get(int(number)) if number.isascii() and number.isdigit() and len(number) < 20 else None
    )
    if found is None:
        raise LookupError(f"there is no app {number}; there are {', '.join(map(str, apps.by_id))}")
    return found


def _health(_: Asked) -> object:
    return {"status": "ok"}


def _apps(asked: Asked) -> object:
    if asked.changes:
        asked.apps.add(app_of(msgspec.json.decode(asked.body, type=dict[str, object])))
    return {"apps": [_shown(api) for api in asked.apps.by_id.values()]}


def _shown(api: Api) -> dict[str, object]:
    settings = api.settings
    return {field.name: getattr(settings, field.name) for field in fields(AppSettings) if field.repr}


def _state(asked: Asked) -> object:
    return {"attribute_names": asked.api.store.attribute_names(), "users": asked.api.store.users()}


def _user(asked: Asked) -> object:
    return asked.api.store.user(asked.rest)


def _accounts(asked: Asked) -> object:
    users = msgspec.json.decode(asked.body, type=Users).users
    asked.api.import_accounts(users)
    return {"imported": len(users)}


def _log_in(asked: Asked) -> object:
    users = msgspec.json.decode(asked.body, type=Users).users
    for user in users:  # all of them, before the first one is there
        _demand_fit(user)
    if gone := [user for user in users if asked.api.directory.is_deleted(user)]:
        raise ValueError(f"users {gone} are deleted: import them again first")
    return {"deliveries": [each for user in users for each in asked.api.log_in(user, asked.now)]}


def _log_out(asked: Asked) -> object:
    users = msgspec.json.decode(asked.body, type=Users).users
    if unknown := [user for user in users if user not in asked.api.directory]:
        raise ValueError(f"users {unknown} do not exist")
    for user in users:
        asked.api.log_out(user, asked.now)
    return {"logged_out": len(users)}


def _bad_users(asked: Asked) -> object:
    if asked.changes:
        codes = msgspec.json.decode(asked.body, type=dict[str, CodeNumber])
        for name in codes:
            if not limits.is_device(name):
                _demand_fit(name)
        asked.api.bad_users = codes
        asked.api.revision += 1
    return asked.api.bad_users


def _switches(asked: Asked) -> object:
    if asked.changes:
        asked.api.change_switches(**msgspec.json.decode(asked.body, type=dict[str, object]))
    return asked.api.switches


def _feature(asked: Asked) -> object:
    if asked.changes:
        asked.api.feature_on = msgspec.json.decode(asked.body, type=Feature).on
        asked.api.revision += 1
    return Feature(asked.api.feature_on)


def _faults(asked: Asked) -> object:
    if asked.changes:
        asked.api.faults.change(msgspec.json.decode(asked.body, type=FaultSettings), now=asked.now)
    return asked.api.faults.now_set(asked.now)


def _counters(asked: Asked) -> object:
    return counters(asked.api)


def _reset_counters(asked: Asked) -> object:
    asked.api.reset_counters()
    return {}


def _requests(asked: Asked) -> object:
    return {"requests": list(asked.api.last)[-_last(asked, REMEMBERED) :]}


def _pushes(asked: Asked) -> object:
    sent = asked.api.pushing.sent
    return {"count": len(sent), "pushes": sent[-_last(asked, KEPT) :]}


def _deliveries(asked: Asked) -> object:
    inboxes = asked.api.inboxes
    return {"count": inboxes.count, "deliveries": since(inboxes, _after(asked, 0))}


def _delivery_stream(asked: Asked) -> object:
    inboxes = asked.api.inboxes
    stream = DeliveryStream(inboxes, after=_after(asked, inboxes.count))
    return Stream(news=stream.news, pause_seconds=PAUSE_SECONDS)


def _demand_fit(user: str) -> None:
    if not limits.fits(user, limits.USER_BYTES):
        raise ValueError(f"user {user!r}: 1 to {limits.USER_BYTES} bytes of UTF-8")


def _last(asked: Asked, most: int) -> int:
    return _number("last", _given(asked, "last", "100"), 1, most)


def _after(asked: Asked, default: int) -> int:
    text = asked.last_event or _given(asked, "after", str(default))
    return _number("after", text, 0, 10**12)


def _given(asked: Asked, name: str, default: str) -> str:
    return parse_qs(asked.query, keep_blank_values=True).get(name, [default])[0]


def _number(name: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 13 and least <= int(text) <= most):
        raise ValueError(f"{name} is a whole number from {least} to {most}, not {text!r}")
    return int(text)


ROUTES: Final[dict[str, Route]] = {
    "health": Route("GET", _health),
    "apps": Route("GET POST", _apps),
    "state": Route("GET", _state),
    "users": Route("GET", _user, takes_rest=True),
    "accounts": Route("POST", _accounts),
    "log-in": Route("POST", _log_in),
    "log-out": Route("POST", _log_out),
    "bad-users": Route("GET POST", _bad_users),
    "switches": Route("GET POST", _switches),
    "feature": Route("GET POST", _feature),
    "faults": Route("GET POST", _faults),
    "counters": Route("GET", _counters),
    "reset-counters": Route("POST", _reset_counters),
    "requests": Route("GET", _requests),
    "pushes": Route("GET", _pushes),
    "deliveries": Route("GET", _deliveries),
    "deliveries/stream": Route("GET", _delivery_stream),
}
"""{what follows the prefix: its route}."""

OF_ALL_APPS: Final = frozenset({"health", "apps"})
"""Those that stand only directly behind the prefix."""


def _json(value: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Outcome:
    return Outcome(body=msgspec.json.encode(value) + b"\n", status=status, headers=headers)
