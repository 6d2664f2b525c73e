"""What each question at the control address is answered with, and what it changes."""

from dataclasses import dataclass, fields
from urllib.parse import parse_qs

import msgspec

from audience_sync.emulator import limits
from audience_sync.emulator.api import REMEMBERED, Api
from audience_sync.emulator.apps import Apps
from audience_sync.emulator.deliveries import PAUSE_SECONDS, DeliveryStream, since
from audience_sync.emulator.faults import FaultSettings
from audience_sync.emulator.files import app_of
from audience_sync.emulator.inbox import KEPT
from audience_sync.emulator.outcome import Stream
from audience_sync.emulator.settings import AppSettings
from audience_sync.emulator.switches import CodeNumber


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


def counted(api: Api) -> dict[str, object]:
    """Everything that is counted, as `GET /control/counters` shows it."""
    so_far = api.counters
    return {
        "calls": so_far.calls,
        "most_calls_in_a_second": api.most_calls_in_a_second(),
        "users": so_far.users,
        "user_parts": so_far.user_parts,
        "users_per_request": so_far.users_per_request,
        "refused": so_far.refused,
        "faults": so_far.faults,
        "overlaps_count": api.overlaps.count,
        "overlaps": api.overlaps.found,
        "broken_limits_count": so_far.broken_limits_count,
        "broken_limits": so_far.broken_limits,
        "went_back_count": so_far.went_back_count,
        "went_back": so_far.went_back,
        "latency_seconds": api.faults.latency_seconds,
    }


def health(_: Asked) -> object:
    """It is there."""
    return {"status": "ok"}


def apps(asked: Asked) -> object:
    """All apps, and one more."""
    if asked.changes:
        asked.apps.add(app_of(msgspec.json.decode(asked.body, type=dict[str, object])))
    return {"apps": [_shown(api) for api in asked.apps.by_id.values()]}


def _shown(api: Api) -> dict[str, object]:
    settings = api.settings
    return {field.name: getattr(settings, field.name) for field in fields(AppSettings) if field.repr}


def state(asked: Asked) -> object:
    """Names, and all users."""
    return {"attribute_names": asked.api.store.attribute_names(), "users": asked.api.store.users()}


def user(asked: Asked) -> object:
    """One user."""
    return asked.api.store.user(asked.rest)


def accounts(asked: Asked) -> object:
    """Users who shall exist."""
    users = msgspec.json.decode(asked.body, type=Users).users
    asked.api.import_accounts(users)
    return {"imported": len(users)}


def log_in(asked: Asked) -> object:
    """Users who come online."""
    users = msgspec.json.decode(asked.body, type=Users).users
    for user in users:  # all of them, before the first one is there
        _demand_fit(user)
    if gone := [user for user in users if asked.api.directory.is_deleted(user)]:
        raise ValueError(f"users {gone} are deleted: import them again first")
    return {"deliveries": [each for user in users for each in asked.api.log_in(user, asked.now)]}


def log_out(asked: Asked) -> object:
    """Users who go offline."""
    users = msgspec.json.decode(asked.body, type=Users).users
    if unknown := [user for user in users if user not in asked.api.directory]:
        raise ValueError(f"users {unknown} do not exist")
    for user in users:
        asked.api.log_out(user, asked.now)
    return {"logged_out": len(users)}


def bad_users(asked: Asked) -> object:
    """Users who are always refused."""
    if asked.changes:
        codes = msgspec.json.decode(asked.body, type=dict[str, CodeNumber])
        for name in codes:
            if not limits.is_device(name):
                _demand_fit(name)
        asked.api.bad_users = codes
        asked.api.revision += 1
    return asked.api.bad_users


def switches(asked: Asked) -> object:
    """How the app stands to what is open."""
    if asked.changes:
        asked.api.change_switches(**msgspec.json.decode(asked.body, type=dict[str, object]))
    return asked.api.switches


def feature(asked: Asked) -> object:
    """Whether the app may push at all."""
    if asked.changes:
        asked.api.feature_on = msgspec.json.decode(asked.body, type=Feature).on
        asked.api.revision += 1
    return Feature(asked.api.feature_on)


def faults(asked: Asked) -> object:
    """What goes wrong."""
    if asked.changes:
        asked.api.faults.change(msgspec.json.decode(asked.body, type=FaultSettings), now=asked.now)
    return asked.api.faults.now_set(asked.now)


def counters(asked: Asked) -> object:
    """What was counted."""
    return counted(asked.api)


def reset_counters(asked: Asked) -> object:
    """Count anew."""
    asked.api.reset_counters()
    return {}


def requests(asked: Asked) -> object:
    """The last that ended."""
    return {"requests": list(asked.api.last)[-_last(asked, REMEMBERED) :]}


def pushes(asked: Asked) -> object:
    """The last that were taken."""
    sent = asked.api.pushing.sent
    return {"count": len(sent), "pushes": sent[-_last(asked, KEPT) :]}


def deliveries(asked: Asked) -> object:
    """What was delivered since."""
    inboxes = asked.api.inboxes
    return {"count": inboxes.count, "deliveries": since(inboxes, _after(asked, 0))}


def delivery_stream(asked: Asked) -> object:
    """What is delivered from now on."""
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
