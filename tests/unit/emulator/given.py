"""An Api without HTTP, and what it answers."""

import json
from typing import Any
from urllib.parse import urlencode

from audience_sync.emulator.api import Api
from audience_sync.emulator.outcome import Cut, Later, Outcome
from audience_sync.emulator.settings import Settings
from tests.support.emulator import path_of, query

KEY = "a key for tests"
NOW = 1_000.0
"""Long before any signature of these tests expires."""

DEVICE = "379C2F0D-290D-47AE-94D1-919058C39C77"
"""A registration id, as the successor's samples have it."""

SIGNED = urlencode(query(Settings(key=KEY)))


def an_api(**settings: Any) -> Api:
    """An Api with plain answers, a known attribute or two, and no pace to speak of."""
    given: dict[str, Any] = {"attribute_names": ("sex", "city"), "plain": True, "calls_per_second": 1e9}
    api = Api(Settings(key=KEY, **given | settings))
    api.begin()
    return api


def outcome(api: Api, endpoint: str, body: bytes, *, signed: str = SIGNED, now: float = NOW) -> Outcome:
    """What one call ends in, from arrival to answer."""
    arrival = api.arrive(path_of(endpoint), now)
    decided = api.decide(arrival, method="POST", query=signed, body=body, now=now)
    if isinstance(decided, Later):
        decided = decided.then(now + decided.wait_seconds)
    api.leave(arrival, now, answered=decided.cut is Cut.NO)
    return decided


def ask(api: Api, endpoint: str, body: object, *, now: float = NOW) -> Any:
    """The JSON that one call is answered with."""
    return json.loads(outcome(api, endpoint, json.dumps(body).encode(), now=now).body)


def code(api: Api, endpoint: str, body: object, *, now: float = NOW) -> int:
    """The ErrorCode that one call is answered with."""
    found = ask(api, endpoint, body, now=now)["ErrorCode"]
    assert isinstance(found, int)
    return found


def tags(user: str, *names: str) -> dict[str, object]:
    """A body for one user's tags."""
    return {"UserTags": [{"To_Account": user, "Tags": list(names)}]}


def attributes(user: str, **values: str) -> dict[str, object]:
    """A body for one user's attributes."""
    return {"UserAttrs": [{"To_Account": user, "Attrs": values}]}
