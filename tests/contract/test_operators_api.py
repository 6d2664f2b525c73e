"""What an operator's program gets to hear as JSON, and what nobody else does."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from audience_sync.core.changes import AddTag, Endpoint, RemoveAllTags, SetAttribute
from audience_sync.core.verdicts import Outcome, Verdict
from tests.support.deliveries import NO_ANSWER
from tests.support.operators import TOKEN, Page, serving

DOCS: Final = (Path(__file__).parents[2] / "docs" / "operators-page.md").read_text()
BEARER: Final = {"Authorization": f"Bearer {TOKEN}"}
PATHS: Final = ("status", "user?id=alice", "dead-letters", "pause", "no-such-thing", "")


@pytest_asyncio.fixture
async def page() -> AsyncIterator[Page]:
    """A replica that nobody has asked yet."""
    async with serving() as page:
        yield page


@pytest_asyncio.fixture
async def client(page: Page) -> AsyncIterator[httpx.AsyncClient]:
    """It shows the token."""
    async with httpx.AsyncClient(
        base_url=f"{page.url}/operator/api/", headers=BEARER, trust_env=False
    ) as client:
        yield client


async def said(client: httpx.AsyncClient, path: str) -> Any:
    """What is said to a GET."""
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


async def until(what: Callable[[], bool]) -> None:
    """Return when *what* holds."""
    async with asyncio.timeout(30):
        while True:
            if what():
                return
            await asyncio.sleep(0.02)


NOT_THE_TOKEN: Final = [
    None,
    "",
    "Bearer",
    "Bearer wrong",
    f"Bearer {TOKEN}x",
    f"Bearer {TOKEN[:-1]}",
    f"Basic {TOKEN}",
    TOKEN,
    "Bearer \xff\xfe",
]


@pytest.mark.parametrize("shown", NOT_THE_TOKEN, ids=range(len(NOT_THE_TOKEN)))
async def test_without_the_token_nothing_is_told(page: Page, shown: str | None) -> None:
    """The same to everybody, whatever is asked for: not even what there is."""
    headers = [] if shown is None else [(b"authorization", shown.encode("latin-1"))]
    answers = set()
    async with httpx.AsyncClient(trust_env=False) as client:
        for path in PATHS:
            for method in ("GET", "POST"):
                answer = await client.request(method, f"{page.url}/operator/api/{path}", headers=headers)
                told = {name: value for name, value in answer.headers.items() if name != "date"}
                answers.add((answer.status_code, answer.content, tuple(sorted(told.items()))))

    [(status, body, _)] = answers
    assert status == 401
    assert b"alice" not in body
    assert page.told == []
    assert page.refused == 2 * len(PATHS)


async def test_where_it_is_off_there_is_nothing(page: Page) -> None:
    """Neither with a token nor without; the rest of the port is there."""
    async with serving(is_on=False) as off, httpx.AsyncClient(trust_env=False) as client:
        for path in ("/operator", "/operator/api/status", "/operator/login"):
            for headers in ({}, BEARER):
                assert (await client.get(off.url + path, headers=headers)).status_code == 404
        for url in (off.url, page.url):
            assert (await client.get(f"{url}/status")).status_code == 200


async def test_a_new_token_counts_at_once(page: Page, client: httpx.AsyncClient) -> None:
    """And the old one no longer does."""
    page.token = SecretStr("another-token-of-some-length")

    assert (await client.get("status")).status_code == 401
    answer = await client.get("status", headers={"Authorization": "Bearer another-token-of-some-length"})
    assert answer.status_code == 200


async def test_the_shapes_are_those_of_the_docs(page: Page, client: httpx.AsyncClient) -> None:
    """Each field is explained, and no field is explained that is not there."""
    page.letter("bob")
    page.deliveries.answer = lambda _: NO_ANSWER
    page.deliveries.tell("alice", AddTag("vip"))
    logging.getLogger("somebody").error("something failed")
    page.pauses.pause("rule:city", page.clock())
    page.replay.begin(["x"])
    await until(lambda: page.replay.told() is not None)
    told = {
        "status": await said(client, "status"),
        "user": await said(client, "user?id=alice"),
        "dead-letters": await said(client, "dead-letters"),
    }

    for name, content in told.items():
        section = DOCS[DOCS.index(f"### `{name}`") :]
        section = section[: section.index("\n##", 4)]
        fields = set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))
        assert fields == set(content), name


async def test_the_status_tells_what_the_replica_does(page: Page, client: httpx.AsyncClient) -> None:
    """With rates, pauses, and the last errors; nobody is named but who has been ready for longest."""
    page.pauses.pause("endpoint:add_tag", page.clock())
    page.deliveries.tell("alice", AddTag("vip"), urgent=True)
    page.deliveries.tell("bob", SetAttribute("city", "Shenzhen"))
    page.totals = {"records": 500, "requests": 5, "parts": 5}
    logging.getLogger("somebody").error("something failed")
    async with asyncio.timeout(30):
        while True:
            found = await said(client, "status")
            if found["per_second"]["last_minute"].get("records"):
                break
            await asyncio.sleep(0.1)

    assert found["ready"] is False
    assert "endpoint:add_tag" in found["reason"]
    assert [pause["what"] for pause in found["paused"]] == ["endpoint:add_tag"]
    assert found["endpoints"]["add_tag"]["ready_longest"] == ["alice"]
    assert found["waiting_users"] == 2
    assert found["errors"][0]["fields"] == {"text": "something failed"}
    assert "rule:membership" in found["pausable"]


async def test_a_user_is_looked_up_while_he_waits_and_when_he_is_confirmed(
    page: Page, client: httpx.AsyncClient
) -> None:
    """What waits and what was confirmed, each from which event."""
    assert await said(client, "user?id=alice") == {"user": "alice", "waits": None, "confirmed": []}
    page.deliveries.tell("nobody", AddTag("x"))
    page.deliveries.tell("alice", RemoveAllTags(), AddTag("vip"), SetAttribute("city", "Shenzhen"))
    waits = (await said(client, "user?id=alice"))["waits"]

    assert waits["step"] == "waiting"
    assert waits["endpoint"] == "remove_all_tags"
    assert waits["changes"] == [["RemoveAllTags"], ["AddTag", "vip"], ["SetAttribute", "city", "Shenzhen"]]
    [event] = waits["first_events"]
    assert (event["topic"], event["partition"], event["position"]) == ("events", 0, 1)

    await until(lambda: page.deliveries.settled)
    found = await said(client, "user?id=alice")
    assert found["waits"] is None
    assert [each["endpoint"] for each in found["confirmed"]] == ["set_attr", "add_tag", "remove_all_tags"]
    assert found["confirmed"][0]["changes"] == [["SetAttribute", "city", "Shenzhen"]]
    assert [each["first_events"][0]["position"] for each in found["confirmed"]] == [1, 1, 1]


async def test_a_user_under_way_and_refused_is_told_as_such(page: Page, client: httpx.AsyncClient) -> None:
    """With the code, and what is in the request."""
    page.deliveries.answer_seconds = 3600.0
    page.deliveries.tell("alice", AddTag("vip"), urgent=True)
    page.deliveries.tell("bob", AddTag("vip"), urgent=True)
    await until(lambda: bool(page.deliveries.sent))
    user = page.deliveries.tenure.debouncer
    user.refused(next(iter(page.deliveries.under_way)), 70107, page.clock())
    told = [(await said(client, f"user?id={name}"))["waits"] for name in ("alice", "bob")]

    assert [waits["step"] for waits in told] == ["sending", "sending"]
    assert [waits["under_way"] for waits in told] == [[["AddTag", "vip"]]] * 2
    assert sorted(waits["refused"]["code"] if waits["refused"] else 0 for waits in told) == [0, 70107]


@pytest.mark.parametrize("user", ["", "u" * 33, "关" * 11])
async def test_what_can_be_no_user_is_refused(client: httpx.AsyncClient, user: str) -> None:
    """With the limit."""
    answer = await client.get("user", params={"id": user})
    assert answer.status_code == 400
    assert "32" in answer.json()["error"]


async def test_what_is_paused_stays_so_until_it_is_resumed(page: Page, client: httpx.AsyncClient) -> None:
    """A repeat of either is harmless."""
    first = (await client.post("pause", json={"what": "endpoint:add_tag"})).json()
    assert (await client.post("pause", json={"what": "endpoint:add_tag"})).json() == first
    page.deliveries.tell("alice", AddTag("vip"), urgent=True)
    await asyncio.sleep(0.3)
    assert page.deliveries.sent == []

    assert (await client.post("resume", json={"what": "endpoint:add_tag"})).json() == {"was_paused": True}
    await until(lambda: page.deliveries.settled)
    assert (await client.post("resume", json={"what": "endpoint:add_tag"})).json() == {"was_paused": False}
    assert not page.pauses.reads("x") or page.pauses.sends_to(Endpoint.ADD_TAGS)


BAD: Final[list[tuple[str, object, int, str]]] = [
    ("pause", {"what": "endpoint:add_tags"}, 400, "endpoint:add_tag,"),
    ("pause", {"what": "rule:nobody"}, 400, "rule:city"),
    ("resume", {"what": "everything"}, 400, "all"),
    ("pause", {}, 400, "what"),
    ("pause", {"what": 7}, 400, "str"),
    ("pause", {"what": "all", "until": 5}, 400, "until"),
    ("pause", ["all"], 400, "object"),
    ("replay", {"ids": []}, 400, "1 to 100"),
    ("replay", {"ids": [str(number) for number in range(101)]}, 400, "1 to 100"),
    ("replay", {"ids": ["a\0b"]}, 400, "id"),
    ("log-level", {"level": "TRACE"}, 400, "DEBUG"),
    ("log-level", {"level": "DEBUG", "seconds": 0}, 400, "seconds"),
    ("log-level", {"level": "DEBUG", "seconds": 3601}, 400, "3600"),
    ("nothing", {}, 404, "nothing"),
    ("status", {}, 405, "POST"),
]


@pytest.mark.parametrize(("path", "content", "status", "named"), BAD)
async def test_what_can_not_be_meant_is_refused_with_what_could_be(
    page: Page, client: httpx.AsyncClient, path: str, content: object, status: int, named: str
) -> None:
    """And nothing is done."""
    answer = await client.post(path, json=content)

    assert answer.status_code == status
    assert named in answer.json()["error"]
    assert page.told == []


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b"[" * 100_000, b'{"what": "all"'])
async def test_a_body_that_is_no_json_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    """However it is none."""
    assert (await client.post("pause", content=body)).status_code == 400


async def test_a_body_without_end_is_refused(client: httpx.AsyncClient) -> None:
    """Memory has a bound."""
    assert (await client.post("pause", content=b" " * 300_000)).status_code == 413


async def test_letters_are_found_by_user_and_code(page: Page, client: httpx.AsyncClient) -> None:
    """The newest of the topic."""
    page.letter("bob", number=1)
    page.letter("alice", number=2, code=40006)
    page.letter(None, number=3, code=None)

    assert len((await said(client, "dead-letters"))["letters"]) == 3
    assert [each["user"] for each in (await said(client, "dead-letters?user=bob"))["letters"]] == ["bob"]
    assert [each["user"] for each in (await said(client, "dead-letters?code=40006"))["letters"]] == ["alice"]
    assert len((await said(client, "dead-letters?limit=2"))["letters"]) == 2
    for query in ("code=x", "limit=0", "limit=501", "limit=-1", "code=1e3"):
        assert (await client.get(f"dead-letters?{query}")).status_code == 400
    page.letters_fail = "Kafka at nowhere: it is away"
    answer = await client.get("dead-letters")
    assert (answer.status_code, answer.json()) == (503, {"error": "Kafka at nowhere: it is away"})


async def test_letters_are_replayed_one_wish_at_a_time(page: Page, client: httpx.AsyncClient) -> None:
    """What became of each is told by the status."""
    answer = await client.post("replay", json={"ids": ["a", "b", "a"]})
    assert answer.status_code == 202
    assert (await client.post("replay", json={"ids": ["c"]})).status_code == 409
    await until(lambda: (told := page.replay.told()) is not None and told.ended_at is not None)
    replay = (await said(client, "status"))["replay"]

    assert (replay["asked"], replay["exit_code"], replay["ends"]) == (2, 0, {"replayed": 2})
    assert [letter["id"] for letter in replay["letters"]] == ["a", "b"]
    assert replay["message"] == "2 replayed.\n"
    assert (await client.post("replay", json={"ids": ["c"]})).status_code == 202


async def test_a_replay_that_fails_is_told() -> None:
    """With the code and the words of the command."""
    async with serving(script="import sys; print('no broker', file=sys.stderr); sys.exit(3)") as page:
        page.replay.begin(["a"])
        await until(lambda: (told := page.replay.told()) is not None and told.ended_at is not None)
        told = page.replay.told()
    assert told is not None
    assert (told.exit_code, told.message, told.ends) == (3, "no broker\n", {})


async def test_the_log_level_goes_back_by_itself(page: Page, client: httpx.AsyncClient) -> None:
    """After the time that was said."""
    answer = await client.post("log-level", json={"level": "DEBUG", "seconds": 0.5})
    assert answer.json()["level"] == "DEBUG"
    assert logging.getLogger().level == logging.DEBUG
    await until(lambda: page.told == ["level DEBUG", "level INFO by itself"])
    assert logging.getLogger().level == logging.INFO
    assert (await said(client, "status"))["log"] == {"level": "INFO", "normal": "INFO", "back_at": None}


async def test_an_answer_of_a_user_who_was_never_confirmed_holds_nothing(page: Page) -> None:
    """A refused part is no confirmed one."""
    page.deliveries.answer = lambda _: Verdict(outcome=Outcome.STOPPED, reason="off")
    page.deliveries.tell("alice", AddTag("vip"), urgent=True)
    await until(lambda: bool(page.deliveries.seen))

    assert page.operator.user("alice").confirmed == []
