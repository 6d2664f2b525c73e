"""The page in the browser: laid out here, and kept up to date by a stream of the parts that changed.

It comes as one file, without anything from elsewhere, and holds neither a key nor a signature.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import parse_qs

from jinja2 import Environment, PackageLoader, StrictUndefined

from audience_sync.emulator import view
from audience_sync.emulator.api import Api
from audience_sync.emulator.apps import Apps
from audience_sync.emulator.deliveries import event
from audience_sync.emulator.outcome import Outcome, Stream
from audience_sync.emulator.rows import number

PAUSE_SECONDS: Final = 0.5
"""The parts that changed are sent at most so often."""

PARTS: Final = ("apps", "tiles", "users", "pushes", "requests", "findings", "paces", "behaviour", "slots")
"""The parts that are sent anew by themselves. Each has a template of its name, and an element with this id."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What somebody wants to see."""

    app_id: int | None
    """None: the first app."""

    search: str
    live: bool
    """A stream, and not the page itself."""


@dataclass(frozen=True)
class Part:
    """One part as it is now."""

    name: str
    html: str
    version: str
    """Another one for every other HTML."""


def look_at(path: str, query: str) -> Look | None:
    """What an address asks for; None if it is none of the page's."""
    match path.split("/")[1:]:
        case [""]:
            app_id, live = None, False
        case ["live"]:
            app_id, live = None, True
        case ["apps", number] if _is_number(number):
            app_id, live = int(number), False
        case ["apps", number, "live"] if _is_number(number):
            app_id, live = int(number), True
        case _:
            return None
    search = parse_qs(query).get("search", [""])[0].strip()
    return Look(app_id=app_id, search=search, live=live)


def respond(apps: Apps, look: Look, *, nonce: str, now: float) -> Outcome | Stream:
    """The page, or the stream that keeps it up to date. *nonce* is not to be guessed, and used once."""
    api = apps.first if look.app_id is None else apps.by_id.get(look.app_id)
    if api is None:
        text = f"There is no app {look.app_id} here.\n"
        return Outcome(body=text.encode(), status=404, content_type="text/plain; charset=utf-8")
    if look.live:
        return Stream(news=_Live(apps, api, look.search).news, pause_seconds=PAUSE_SECONDS)
    html = _templates().get_template("page.html")
    parts = {name: _part(apps, api, name, look.search, now) for name in PARTS}
    return Outcome(
        body=html.render(
            parts=parts,
            app_id=api.settings.app_id,
            search=look.search,
            nonce=nonce,
            live=f"/apps/{api.settings.app_id}/live",
        ).encode(),
        content_type="text/html; charset=utf-8",
        headers=_headers(nonce),
    )


class _Live:
    """What one visitor has not seen yet."""

    def __init__(self, apps: Apps, api: Api, search: str) -> None:
        self._apps, self._api, self._search = apps, api, search
        self._seen: tuple[int, ...] | None = None
        self._versions: dict[str, str] = {}

    def news(self, now: float) -> Iterator[bytes]:
        """The parts that changed; nothing is laid out before something has moved."""
        self._api.faults.advance(now)
        moved = (self._api.revision, self._api.faults.revision, len(self._apps.by_id))
        if moved == self._seen:
            return
        self._seen = moved
        for name in PARTS:
            part = _part(self._apps, self._api, name, self._search, now)
            if self._versions.get(name) != part.version:
                self._versions[name] = part.version
                yield event("part", part)


def _part(apps: Apps, api: Api, name: str, search: str, now: float) -> Part:
    html = _templates().get_template(f"{name}.html").render(shown=_shown(apps, api, name, search, now))
    version = hashlib.blake2b(html.encode(), digest_size=8).hexdigest()
    return Part(name, html, version)


def _shown(apps: Apps, api: Api, name: str, search: str, now: float) -> object:
    match name:
        case "apps":
            return [(each, each == api.settings.app_id) for each in apps.by_id]
        case "tiles":
            return view.tiles(api, now)
        case "users":
            return view.users(api, search)
        case "pushes":
            return view.pushes(api, now)
        case "requests":
            return view.requests(api, now)
        case "findings":
            return view.findings(api)
        case "paces":
            return view.paces(api)
        case "behaviour":
            return view.behaviour(api, now)
        case "slots":
            return view.slots(api)
    raise AssertionError(f"{name} is no part of the page")


def _headers(nonce: str) -> tuple[tuple[str, str], ...]:
    policy = (
        "default-src 'none'; "
        f"style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
        "connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return (
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("audience_sync.emulator"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    return environment
