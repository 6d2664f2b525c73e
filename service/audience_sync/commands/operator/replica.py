"""A replica that is asked over its admin port. The token comes from the settings, never from a flag."""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec
import typer
from pydantic import SecretStr

from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.commands.terminal.words import printable
from audience_sync.settings import PREFIX, SettingsError, load, operator_token

TIMEOUT_SECONDS: Final = 30.0
TOKEN_SETTING: Final = f"{PREFIX}ADMIN__TOKEN_FILE"

At = Annotated[
    list[str] | None,
    typer.Option(
        "--at",
        metavar="ADDRESS",
        help="A replica's admin port, host:port or http://host:port; may be repeated. Else: this host, and the "
        "port of the settings.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="What the replica says, one JSON object a line.")]


class Replica:
    """One address, and the token that is shown there."""

    def __init__(self, url: str, token: SecretStr) -> None:
        self.url = url
        self._token = token

    def get(self, what: str, **query: str) -> Any:
        """What it says of *what*. Stop if it does not."""
        return self._ask("GET", what, query=query)

    def post(self, what: str, content: Mapping[str, object]) -> Any:
        """What it says when it is told so. Stop if it does not do it."""
        return self._ask("POST", what, content=content)

    def _ask(
        self,
        method: str,
        what: str,
        *,
        query: Mapping[str, str] | None = None,
        content: Mapping[str, object] | None = None,
    ) -> Any:
        try:
            answer = httpx.request(
                method,
                f"{self.url}/operator/api/{what}",
                params=dict(query or {}),
                content=None if content is None else msgspec.json.encode(content),
                headers={"Authorization": f"Bearer {self._token.get_secret_value()}"},
                timeout=TIMEOUT_SECONDS,
                trust_env=False,  # the token is for the replica, and for no proxy
            )
        except httpx.TimeoutException as error:
            raise Stop(
                ExitCode.UNAVAILABLE,
                f"{self.url}: no answer within {TIMEOUT_SECONDS:g} s; is it the admin port?",
            ) from error
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
        ) as error:  # none tells a header: the token has sound characters
            raise Stop(
                ExitCode.UNAVAILABLE,
                f"{self.url} can't be reached: {error}; --at says where the admin port of a replica is",
            ) from error
        return self._content(answer)

    def _content(self, answer: httpx.Response) -> Any:
        try:
            content = msgspec.json.decode(answer.content)
        except ValueError:
            content = None
        if answer.is_success and content is not None:
            return content
        said = str(content.get("error", "")) if isinstance(content, dict) else ""
        match answer.status_code:
            case 401:
                why = f"does not accept the token; {TOKEN_SETTING} must name a file with the one of that replica"
                raise Stop(ExitCode.BAD_INPUT, f"{self.url} {why}")
            case 404 if not said:
                why = f"has no operator's page; it is off where the service has no {TOKEN_SETTING}"
                raise Stop(ExitCode.UNAVAILABLE, f"{self.url} {why}")
            case 400 | 404 | 405:
                raise Stop(ExitCode.BAD_INPUT, printable(f"{self.url}: {said}"))
            case status if said:
                raise Stop(ExitCode.UNAVAILABLE, printable(f"{self.url}: {said} (HTTP {status})"))
            case status:
                why = f"answers HTTP {status}, and nothing that is understood; is it the admin port of a replica?"
                raise Stop(ExitCode.UNAVAILABLE, f"{self.url} {why}")


def replicas(at: list[str] | None) -> list[Replica]:
    """Those that are meant. Stop for an address that is none, and without a token."""
    try:
        settings = load(account=False)
        token = operator_token(settings.admin)
    except SettingsError as error:
        raise Stop(ExitCode.BAD_INPUT, str(error)) from error
    if token is None:
        raise Stop(
            ExitCode.BAD_INPUT,
            f"there is no token to show: let {TOKEN_SETTING} name the file with that of the service",
        )
    if not at and settings.admin.bind_port == 0:
        raise Stop(ExitCode.BAD_INPUT, f"{PREFIX}ADMIN__BIND_PORT is 0, any free port; --at says which")
    return [Replica(_url(each), token) for each in at or [f"127.0.0.1:{settings.admin.bind_port}"]]


def _url(address: str) -> str:
    text = address if "://" in address else f"http://{address}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    sound = parts.scheme in ("http", "https") and parts.hostname and parts.path in ("", "/")
    if not sound or parts.username is not None or parts.query or parts.fragment:
        raise Stop(ExitCode.BAD_INPUT, f"--at {address!r}: write it as host:port or http://host:port")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
