"""The emulator's own address, /control/: for tests, on loopback, unsigned.

The first app is at /control/..., each app at /control/apps/{id}/.... Answers are JSON. A mistake is answered with
400, 404 or 405 and {"error": why}.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from audience_sync.emulator import control_answers as answers
from audience_sync.emulator.api import Api
from audience_sync.emulator.apps import Apps
from audience_sync.emulator.control_answers import Asked
from audience_sync.emulator.outcome import Outcome, Stream

PREFIX: Final = "/control/"


class Route(NamedTuple):
    """A name in the path: what may be asked there, and who answers."""

    methods: str
    handler: Callable[[Asked], object]
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


ROUTES: Final[dict[str, Route]] = {
    "health": Route("GET", answers.health),
    "apps": Route("GET POST", answers.apps),
    "state": Route("GET", answers.state),
    "users": Route("GET", answers.user, takes_rest=True),
    "accounts": Route("POST", answers.accounts),
    "log-in": Route("POST", answers.log_in),
    "log-out": Route("POST", answers.log_out),
    "bad-users": Route("GET POST", answers.bad_users),
    "switches": Route("GET POST", answers.switches),
    "feature": Route("GET POST", answers.feature),
    "faults": Route("GET POST", answers.faults),
    "counters": Route("GET", answers.counters),
    "reset-counters": Route("POST", answers.reset_counters),
    "requests": Route("GET", answers.requests),
    "pushes": Route("GET", answers.pushes),
    "deliveries": Route("GET", answers.deliveries),
    "deliveries/stream": Route("GET", answers.delivery_stream),
}
"""{what follows the prefix: its route}."""

OF_ALL_APPS: Final = frozenset({"health", "apps"})
"""Those that stand only directly behind the prefix."""


def _json(value: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Outcome:
    return Outcome(body=msgspec.json.encode(value) + b"\n", status=status, headers=headers)
