"""The operator's page in a browser: rendered here, without a script, its forms safe from other pages.

A person shows the token once and gets a session; the cookie holds neither the token nor anything made from it.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from audience_sync.admin import api
from audience_sync.admin.access import COOKIE, SESSION_SECONDS, Access, Session
from audience_sync.admin.http import Answer, Request
from audience_sync.admin.operator import NotReadError, Operator
from audience_sync.admin.replay_job import BusyError
from audience_sync.telemetry.logs import LEVELS

PATH: Final = "/operator"
MINUTES: Final = (5, 10, 30, 60)
"""For so long the log level may be changed."""


class Page:
    """Answers with pages to whoever has a session, and to everybody else with the one way to get one."""

    def __init__(self, operator: Operator, access: Access) -> None:
        self._operator = operator
        self._access = access

    async def answer(self, request: Request, name: str) -> Answer:
        """What is said to a request. *name*: which page or form it is for."""
        if (request.method, name) == ("POST", "login"):
            return self._log_in(request)
        session = self._access.session(request.headers.get("cookie"))
        if session is None:
            return _login_page()
        if request.method == "POST":
            return self._act(session, request, name)
        if request.method != "GET":
            return _problem(session, 405, "That can't be done here.")
        return await self._show(session, request, name)

    def _log_in(self, request: Request) -> Answer:
        opened = self._access.open(request.form().get("token", [""])[0])
        if opened is None:
            return _login_page()
        value, _ = opened
        return _elsewhere(PATH, ("set-cookie", _cookie(value, SESSION_SECONDS, is_https=request.is_https)))

    async def _show(self, session: Session, request: Request, name: str) -> Answer:
        try:
            match name:
                case "":
                    notice, session.notice = session.notice, ""
                    return _rendered("overview.html", session, notice=notice, **self._overview())
                case "user":
                    told = self._operator.user(request.query.get("id", "").strip())
                    return _rendered("user.html", session, told=told)
                case "dead-letters":
                    found = await api.letters(self._operator, request)
                    asked = {field: request.query.get(field, "") for field in ("user", "code")}
                    return _rendered("letters.html", session, found=found, asked=asked)
        except NotReadError as error:
            return _problem(session, 503, str(error))
        except ValueError as error:
            return _problem(session, 400, str(error))
        return _problem(session, 404, "There is no such page.")

    def _overview(self) -> Mapping[str, Any]:
        status = self._operator.status()
        partitions = status["partitions"]
        return {
            "status": status,
            "paused": {pause["what"] for pause in status["paused"]},
            "unread": sum(each["unread"] for each in partitions),
            "unsettled": sum(each["read_position"] - each["settled_position"] for each in partitions),
            "minutes": MINUTES,
            "levels": LEVELS,
        }

    def _act(self, session: Session, request: Request, name: str) -> Answer:
        form = request.form()
        if not session.may_send(form.get("form_token", [""])[0]):
            return _problem(session, 403, "The form is not from this session. Open the page again.")

        def field(of: str) -> str:
            return form.get(of, [""])[0]

        try:
            match name:
                case "logout":
                    self._access.close(session)
                    return _elsewhere(PATH, ("set-cookie", _cookie("", 0, is_https=request.is_https)))
                case "pause":
                    self._operator.pause(field("what"))
                    session.notice = f"Paused: {field('what')}."
                case "resume":
                    self._operator.resume(field("what"))
                    session.notice = f"Resumed: {field('what')}."
                case "replay":
                    self._operator.replay(form.get("id", []))
                    session.notice = f"{len(form.get('id', []))} letters are being replayed."
                case "log-level":
                    self._operator.change_level(field("level"), float(field("minutes")) * 60)
                    session.notice = f"Log level: {field('level')}."
                case _:
                    return _problem(session, 404, "There is no such form.")
        except BusyError as error:
            return _problem(session, 409, str(error))
        except ValueError as error:
            return _problem(session, 400, str(error))
        return _elsewhere(PATH)


def _login_page() -> Answer:
    """The same for everybody who has no session, and after a token that is wrong."""
    html = _templates().get_template("login.html").render(style=_style())
    return _html(html, 401, ("www-authenticate", "Bearer"))


def _problem(session: Session, status: int, what: str) -> Answer:
    return _rendered("problem.html", session, status_code=status, what=what)


def _rendered(name: str, session: Session, *, status_code: int = 200, **shown: object) -> Answer:
    html = _templates().get_template(name).render(style=_style(), form_token=session.form_token, **shown)
    return _html(html, status_code)


def _html(html: str, status: int, *more: tuple[str, str]) -> Answer:
    digest = base64.b64encode(sha256(_style().encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    headers = (
        ("content-security-policy", policy),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        *more,
    )
    return Answer(html.encode(), status, "text/html; charset=utf-8", headers)


def _elsewhere(path: str, *more: tuple[str, str]) -> Answer:
    return Answer(b"", 303, "text/plain; charset=utf-8", (("location", path), *more))


def _cookie(value: str, seconds: float, *, is_https: bool) -> str:
    secure = "; Secure" if is_https else ""
    return f"{COOKIE}={value}; Path={PATH}; Max-Age={seconds:.0f}; HttpOnly; SameSite=Strict{secure}"


@cache
def _style() -> str:
    return _templates().get_template("operator.css").render()


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("audience_sync.admin"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["moment"] = _moment
    environment.filters["change"] = _change
    return environment


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


_WORDS: Final = {
    "SetAttribute": "set {} = {}",
    "RemoveAttribute": "remove {}",
    "AddTag": "add tag {}",
    "RemoveTag": "remove tag {}",
    "RemoveAllTags": "remove all tags",
}


def _change(told: list[str]) -> str:
    """A change as a person reads it. What is no change of ours, as it is."""
    kind, *fields = told
    words = _WORDS.get(kind)
    return words.format(*fields) if words is not None and words.count("{}") == len(fields) else " ".join(told)
