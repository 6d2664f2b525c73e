"""The operator's part of the admin port: nothing of it is told to anybody who does not show the token."""

from typing import Any, Final

from audience_sync.admin import api, page
from audience_sync.admin.access import Access
from audience_sync.admin.http import Answer, Request, TooLongError, read_request, send_answer
from audience_sync.admin.operator import Operator

ROOT: Final = "/operator"
API: Final = f"{ROOT}/api"


def is_ours(path: str) -> bool:
    """Whether this part of the port answers there."""
    return path == ROOT or path.startswith(f"{ROOT}/")


class OperatorApp:
    """An ASGI application: JSON for whoever shows the token, pages for whoever has opened a session with it."""

    def __init__(self, operator: Operator, access: Access) -> None:
        self._operator = operator
        self._access = access
        self._page = page.Page(operator, access)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        try:
            request = await read_request(scope, receive)
        except TooLongError:
            await send_answer(send, Answer(b"too long\n", 413, "text/plain; charset=utf-8"))
            return
        await send_answer(send, await self._answer(request))

    async def _answer(self, request: Request) -> Answer:
        if not request.path.startswith(f"{API}/"):
            return await self._page.answer(request, request.path.removeprefix(ROOT).strip("/"))
        if not self._access.has_token(request.headers.get("authorization")):
            return _NOT_KNOWN
        return await api.answer(self._operator, request, request.path.removeprefix(f"{API}/"))


_NOT_KNOWN: Final = Answer(
    b'{"error":"show the operator\'s token, as `Authorization: Bearer TOKEN`"}\n',
    401,
    headers=(("www-authenticate", "Bearer"),),
)
"""The same whatever is asked for, and whatever was shown."""
