"""Whatever is sent to the operator's part of the port is answered, and nothing is told without the token."""

import asyncio
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from audience_sync.admin.access import COOKIE
from audience_sync.admin.operator_app import OperatorApp
from tests.support.operators import TOKEN, Page, serving

PATHS: Final = (
    "",
    "/",
    "/login",
    "/logout",
    "/user",
    "/dead-letters",
    "/pause",
    "/resume",
    "/replay",
    "/log-level",
)
API: Final = ("status", "user", "dead-letters", "pause", "resume", "replay", "log-level", "")
STATUSES: Final = {200, 202, 303, 400, 401, 403, 404, 405, 409, 413, 503}

paths = st.sampled_from(
    [*(f"/operator{path}" for path in PATHS), *(f"/operator/api/{name}" for name in API)]
) | st.text(max_size=20).map(lambda text: f"/operator/{text}")
fields = st.dictionaries(
    st.sampled_from(
        ["id", "user", "code", "limit", "what", "level", "seconds", "minutes", "form_token", "token"]
    ),
    st.text(max_size=20) | st.sampled_from(["all", "rule:city", "nan", "-1", "1e9", "DEBUG", TOKEN]),
)
bodies = st.binary(max_size=60) | fields.map(
    lambda given: "&".join(f"{name}={value}" for name, value in given.items()).encode(errors="replace")
)
headers = st.lists(
    st.tuples(
        st.sampled_from([b"authorization", b"cookie", b"x-forwarded-proto", b"content-type"]),
        st.binary(max_size=30)
        | st.sampled_from([f"Bearer {TOKEN}".encode(), f"{COOKIE}=x".encode(), b"Bearer", b"https"]),
    ),
    max_size=3,
)


async def ask(app: OperatorApp, scope: dict[str, Any], body: bytes) -> tuple[int, bytes]:
    """What is answered. Raises what the application raises."""
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    await app(scope, receive, send)
    for _, value in said[0]["headers"]:
        assert b"\n" not in value
    return said[0]["status"], said[1]["body"]


@given(st.data())
@settings(max_examples=5)
def test_any_request_is_answered(data: st.DataObject) -> None:
    """With a status that means something; without the token always with the same."""

    async def requests(page: Page) -> None:
        app = OperatorApp(page.operator, page.access)
        page.letter("alice")
        opened = page.access.open(TOKEN)
        assert opened is not None
        value, session = opened
        for _ in range(30):
            given_headers = data.draw(headers)
            if in_session := data.draw(st.booleans()):
                given_headers.append((b"cookie", f"{COOKIE}={value}".encode()))
            body = data.draw(bodies)
            if data.draw(st.booleans()):
                body += f"&form_token={session.form_token}".encode()
            scope = {
                "type": "http",
                "method": data.draw(st.sampled_from(["GET", "POST", "PUT", "HEAD"])),
                "path": data.draw(paths),
                "query_string": data.draw(bodies),
                "headers": given_headers,
                "scheme": "http",
            }
            status, said = await ask(app, scope, body)
            assert status in STATUSES
            shows = any(TOKEN.encode() in value for _, value in given_headers) or TOKEN.encode() in body
            if not (in_session or shows):
                assert status == 401
                assert b"alice" not in said
            if page.access.session(f"{COOKIE}={value}") is None:  # it has logged out
                opened = page.access.open(TOKEN)
                assert opened is not None
                value, session = opened

    async def main() -> None:
        async with serving() as page:
            await requests(page)

    asyncio.run(main())
