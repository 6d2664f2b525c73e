"""What `audience-sync status`, `user`, `pause`, `resume` and `log-level` do with a replica, and with what is none."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

import pytest
import pytest_asyncio

from audience_sync.commands.stop import ExitCode
from audience_sync.core.changes import AddTag, SetAttribute
from tests.support.operators import TOKEN, Page, serving
from tests.support.shell import Shell, Told

COMMANDS: Final = (
    ("status",),
    ("user", "alice"),
    ("pause", "all"),
    ("resume", "all"),
    ("log-level", "DEBUG"),
)


@pytest_asyncio.fixture
async def page() -> AsyncIterator[Page]:
    """A replica that nobody has asked yet."""
    async with serving() as page:
        yield page


class Operator:
    """Types commands; the token is in a file that the environment names."""

    def __init__(self, folder: Path, *, token: str = TOKEN) -> None:
        self.file = folder / "token"
        self.file.write_text(f"{token}\n")

    async def __call__(self, *words: str, **environment: str) -> Told:
        """What a command does; the replica in this process answers meanwhile."""
        given = {"AUDIENCE_SYNC_ADMIN__TOKEN_FILE": str(self.file), "HTTP_PROXY": "http://127.0.0.1:1"}
        return await asyncio.to_thread(Shell(given | environment), *words)


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """Who has the token."""
    return Operator(tmp_path)


async def test_the_status_is_shown(page: Page, operator: Operator) -> None:
    """For people, and as the replica says it for programs."""
    for what in ("rule:city", "endpoint:add_tag"):
        page.pauses.pause(what, page.clock())
    page.deliveries.tell("alice", AddTag("vip"))
    logging.getLogger("somebody").error("it is \x1b[31mred")
    told = await operator("status", "--at", page.url)

    assert told.code == 0
    assert "audience-sync-0" in told.out
    assert "paused by a person" in told.out
    assert "nothing is read from city-changed" in told.out
    assert "waiting users: 1" in told.out
    assert "\x1b" not in told.out
    content = json.loads((await operator("status", "--json", "--at", page.url)).out)
    assert content["at"] == page.url
    assert content["waiting_users"] == 1


async def test_without_an_address_it_is_this_host_at_the_port_of_the_settings(
    page: Page, operator: Operator
) -> None:
    """And a port alone is no address."""
    port = page.url.rpartition(":")[2]
    assert (await operator("status", AUDIENCE_SYNC_ADMIN__BIND_PORT=port)).code == 0
    told = await operator("status", AUDIENCE_SYNC_ADMIN__BIND_PORT="0")
    assert told.code == ExitCode.BAD_INPUT
    assert "--at" in told.err


async def test_a_user_is_shown(page: Page, operator: Operator) -> None:
    """What waits, what was confirmed, from which events."""
    assert "nothing waits" in (await operator("user", "alice", "--at", page.url)).out
    page.deliveries.tell("alice", SetAttribute("city", "Shenzhen"))
    told = await operator("user", "alice", "--at", page.url)
    assert "SetAttribute city Shenzhen" in told.out
    assert "events/0 at 0" in told.out

    async with asyncio.timeout(30):
        while "confirmed 2" not in told.out:
            told = await operator("user", "alice", "--at", page.url)
    assert "nothing waits" in told.out
    [confirmed] = json.loads((await operator("user", "alice", "--json", "--at", page.url)).out)["confirmed"]
    assert confirmed["changes"] == [["SetAttribute", "city", "Shenzhen"]]


async def test_every_replica_that_is_named_is_paused(page: Page, operator: Operator) -> None:
    """Each is asked in turn, and each says so."""
    async with serving() as other:
        told = await operator("pause", "endpoint:add_tag", "--at", page.url, "--at", other.url[7:])
        assert (told.code, len(told.out.splitlines())) == (0, 2)
        for each in (page, other):
            assert [pause.what for pause in each.pauses] == ["endpoint:add_tag"]
    told = await operator("resume", "endpoint:add_tag", "--at", page.url)
    assert "goes on" in told.out
    assert not page.pauses
    assert "was not paused" in (await operator("resume", "endpoint:add_tag", "--at", page.url)).out
    assert json.loads((await operator("pause", "rule:city", "--json", "--at", page.url)).out)["topics"] == [
        "city-changed"
    ]


async def test_what_can_not_be_paused_is_said_with_what_can(page: Page, operator: Operator) -> None:
    """By the replica's own rules."""
    told = await operator("pause", "rule:town", "--at", page.url)
    assert told.code == ExitCode.BAD_INPUT
    assert "rule:membership" in told.err


async def test_the_log_level_is_changed_for_a_while(page: Page, operator: Operator) -> None:
    """In whatever case it is written; and not for longer than an hour."""
    told = await operator("log-level", "debug", "--for", "30m", "--at", page.url)
    assert (told.code, "DEBUG until" in told.out) == (0, True)
    assert logging.getLogger().level == logging.DEBUG
    for length, named in (("2h", "3600"), ("soon", "10m"), ("0s", "seconds"), ("-5m", "10m")):
        told = await operator("log-level", "INFO", "--for", length, "--at", page.url)
        assert told.code == ExitCode.BAD_INPUT
        assert named in told.err


@pytest.mark.parametrize("words", COMMANDS, ids=[words[0] for words in COMMANDS])
async def test_a_wrong_token_is_said_as_such(page: Page, tmp_path: Path, words: tuple[str, ...]) -> None:
    """With the setting; and nothing is done."""
    told = await Operator(tmp_path, token="another-token-of-some-length")(*words, "--at", page.url)

    assert told.code == ExitCode.BAD_INPUT
    assert "AUDIENCE_SYNC_ADMIN__TOKEN_FILE" in told.err
    assert "another-token" not in told.seen
    assert page.told == []


async def test_without_a_token_nobody_is_asked(page: Page) -> None:
    """There is none to show."""
    told = await asyncio.to_thread(Shell({}), "status", "--at", page.url)
    assert told.code == ExitCode.BAD_INPUT
    assert "AUDIENCE_SYNC_ADMIN__TOKEN_FILE" in told.err


async def test_where_the_page_is_off_that_is_said(operator: Operator) -> None:
    """And how it is switched on."""
    async with serving(is_on=False) as off:
        told = await operator("status", "--at", off.url)
    assert told.code == ExitCode.UNAVAILABLE
    assert "no operator's page" in told.err


async def test_where_nobody_answers_that_is_said(operator: Operator) -> None:
    """A port where nobody listens, a name that nobody has."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        told = await operator("status", "--at", f"127.0.0.1:{port}")
        assert told.code == ExitCode.UNAVAILABLE
        assert "can't be reached" in told.err
    told = await operator("status", "--at", "no-such-host.invalid:8080")
    assert told.code == ExitCode.UNAVAILABLE
    assert "no-such-host.invalid" in told.err


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ftp://host",
        "http://",
        "http://user:pass@host",
        "host:port",
        "http://host/path",
        "http://h?q=1",
        "[::1",
    ],
)
async def test_what_is_no_address_is_refused(operator: Operator, address: str) -> None:
    """Before the token is shown to anybody."""
    told = await operator("status", "--at", address)
    assert told.code == ExitCode.BAD_INPUT
    assert "host:port" in told.err


@contextmanager
def a_stranger(status: int, body: bytes) -> Iterator[tuple[str, list[str]]]:
    """Something else that speaks HTTP: its address, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"<html>"), (302, b""), (500, b"oops"), (404, b"\xff"), (502, b'["x"]')]
)
async def test_a_stranger_is_told_from_a_replica(operator: Operator, status: int, body: bytes) -> None:
    """And no token follows where it points."""
    with a_stranger(status, body) as (url, asked):
        told = await operator("status", "--at", url)
    assert told.code == ExitCode.UNAVAILABLE
    assert url in told.err
    assert len(asked) == 1
