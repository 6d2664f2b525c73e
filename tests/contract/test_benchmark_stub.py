"""The benchmarks' stub of the Chat API judges as the emulator does: same requests, same verdicts, same state."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_sync.emulator.api import Api
from audience_sync.emulator.switches import Accounts, Batch, Switches
from benchmarks.stub import Behaviour, Chat, Connection
from tests.support.emulator import path_of
from tests.unit.emulator.given import an_api, attributes, outcome, tags

USER: Final = "To_Account"
NAMES: Final = ("membership", "city")
MUST_BE_IMPORTED: Final = Behaviour(must_be_imported=True)
NAMES_BAD_USERS: Final = Behaviour(must_be_imported=True, names_bad_users=True)

Asked = tuple[str, object]
"""Endpoint and body."""


def emulator_like(behaviour: Behaviour) -> Api:
    """An emulator that stands to the open points as the stub does."""
    switches = Switches(
        accounts=Accounts.IMPORTED if behaviour.must_be_imported else Accounts.AUTO,
        batch=Batch.PARTIAL if behaviour.names_bad_users else Batch.REJECT,
    )
    return an_api(
        attribute_names=NAMES, switches=switches, calls_per_second=behaviour.calls_per_second or 1e9
    )


class Both:
    """The stub and the emulator, asked the same."""

    def __init__(self, behaviour: Behaviour = Behaviour(), *, imported: tuple[str, ...] = ()) -> None:  # noqa: B008
        self.chat, self.api = Chat(behaviour), emulator_like(behaviour)
        self.chat.imported.update(imported)
        self.api.import_accounts(imported)

    def ask(self, endpoint: str, body: object, *, now: float = 1_000.0) -> tuple[object, object]:
        """What each of them says."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        ours = json.loads(self.chat.answer("POST", path_of(endpoint), sent, now=now))
        theirs = json.loads(outcome(self.api, endpoint, sent, now=now).body)
        return verdict(ours), verdict(theirs)

    def agree(self, endpoint: str, body: object, *, now: float = 1_000.0) -> Any:
        """The verdict, if it is one."""
        ours, theirs = self.ask(endpoint, body, now=now)
        assert ours == theirs, f"{endpoint} {body!r}"
        assert self.state() == self.emulated_state(), f"{endpoint} {body!r}"
        return ours

    def state(self) -> dict[str, dict[str, str | bool]]:
        """What the stub knows of whom."""
        return {user: known for user, known in self.chat.users.items() if known}

    def emulated_state(self) -> dict[str, dict[str, str | bool]]:
        """The same of the emulator."""
        users = {
            user: dict(one.attributes) | dict.fromkeys(one.tags, True)
            for user, one in self.api.store.users().items()
        }
        return {user: known for user, known in users.items() if known}


def verdict(answer: Any) -> Any:
    """Of an answer, what a client acts on."""
    named = {each[USER]: each["ErrorCode"] for each in answer.get("ErrorList", ())}
    data = {name: answer[name] for name in ("AttrNames", "ResultItem") if name in answer}
    return answer["ActionStatus"], answer["ErrorCode"], named, data


SOUND: Final[list[Asked]] = [
    ("im_get_attr_name", {}),
    ("timpush/get_attr_name", {}),
    ("im_add_tag", tags("alice", "a", "b")),
    ("timpush/add_tag", tags("alice", "b", "标签")),
    ("im_set_attr", attributes("alice", membership="gold", city="深圳")),
    ("im_remove_tag", tags("alice", "a", "never there")),
    ("im_remove_tag", tags("alice", *(f"tag-{number}" for number in range(50)))),
    ("im_remove_attr", {"UserAttrs": [{USER: "alice", "Attrs": ["city", "membership"]}]}),
    ("im_add_tag", {"UserTags": [{USER: f"user-{number}", "Tags": ["x"]} for number in range(100)]}),
    ("im_add_tag", {"UserTags": [{USER: "alice", "Tags": ["x"]}, {USER: "alice", "Tags": ["x", "y"]}]}),
    ("im_remove_all_tags", {USER: ["alice", "nobody"]}),
    ("timpush/clear_all_tags", {USER: ["user-7"]}),
    ("account_import", {"UserID": "alice"}),
    ("account_check", {"CheckItem": [{"UserID": "alice"}, {"UserID": "nobody"}]}),
]


@pytest.mark.parametrize(("endpoint", "body"), SOUND)
def test_sound_requests_are_confirmed_with_the_same_effect(endpoint: str, body: object) -> None:
    """Each alone; the stored state decides in the next test."""
    both = Both(imported=("alice",))
    assert both.agree(endpoint, body)[:2] == ("OK", 0)


def test_one_after_the_other_they_leave_the_same_state() -> None:
    """Also where a request takes away what another gave."""
    both = Both(imported=("alice",))
    for endpoint, body in SOUND * 2:
        both.agree(endpoint, body)
    assert len(both.state()) == 99


MANY: Final = [{USER: f"user-{number}", "Tags": ["x"], "Attrs": {"city": "x"}} for number in range(101)]


@pytest.mark.parametrize(
    ("endpoint", "body", "code"),
    [
        ("im_add_tag", b"{", 90001),
        ("im_add_tag", b"[]", 90001),
        ("im_add_tag", {}, 90019),
        ("im_add_tag", {"UserTags": []}, 90019),
        ("im_add_tag", {"UserTags": [7]}, 90019),
        ("im_add_tag", {"UserTags": MANY}, 90018),
        ("im_set_attr", {"UserAttrs": MANY}, 90018),
        ("im_remove_tag", {"UserTags": MANY}, 90018),
        ("im_remove_all_tags", {USER: [f"user-{number}" for number in range(101)]}, 90018),
        ("im_add_tag", tags("alice"), 90019),
        ("im_add_tag", tags("", "x"), 90035),
        ("im_add_tag", tags("u" * 33, "x"), 90035),
        ("im_add_tag", tags("alice", *map(str, range(11))), 90032),
        ("im_add_tag", tags("alice", "t" * 51), 90034),
        ("im_add_tag", tags("alice", "标" * 17), 90034),
        ("im_add_tag", tags("alice", ""), 90034),
        ("im_add_tag", {"UserTags": [{USER: "alice", "Tags": ["x", 7]}]}, 90019),
        ("im_add_tag", {"UserTags": [{USER: 7, "Tags": ["x"]}]}, 90019),
        ("im_remove_tag", {"UserTags": [{USER: 7, "Tags": ["x"]}]}, 90021),
        ("im_remove_tag", tags("alice", ""), 90034),
        ("im_remove_all_tags", {USER: []}, 90021),
        ("im_remove_all_tags", {USER: [7]}, 90021),
        ("im_set_attr", attributes("alice"), 90019),
        ("im_set_attr", {"UserAttrs": [{USER: "alice", "Attrs": {"city": 7}}]}, 90033),
        ("im_set_attr", attributes("alice", city=""), 90030),
        ("im_set_attr", attributes("alice", city="c" * 51), 90030),
        ("im_set_attr", attributes("alice", sex="x"), 90033),
        ("im_set_attr", {"UserAttrs": [{USER: "alice", "Attrs": ["city"]}]}, 90019),
        ("im_remove_attr", {"UserAttrs": [{USER: "alice", "Attrs": {"city": ""}}]}, 90021),
        ("im_remove_attr", {"UserAttrs": [{USER: "alice", "Attrs": ["sex"]}]}, 90033),
        ("account_import", {"UserID": "u" * 33}, 70402),
        ("account_check", {"CheckItem": []}, 70402),
    ],
)
def test_what_breaks_a_limit_is_refused_with_the_same_code(endpoint: str, body: object, code: int) -> None:
    """And nothing of it is applied."""
    both = Both()
    assert both.agree(endpoint, body)[1] == code
    assert both.state() == {}


@pytest.mark.parametrize("behaviour", [MUST_BE_IMPORTED, NAMES_BAD_USERS])
@pytest.mark.parametrize("family", ["im_", "timpush/"])
def test_unknown_users_and_full_ones_are_treated_alike(behaviour: Behaviour, family: str) -> None:
    """Refused with all the others, or named while the others are served."""
    both = Both(behaviour, imported=("alice", "bob"))
    for start in range(0, 100, 10):
        both.agree(f"{family}add_tag", tags("alice", *(f"t{start + number}" for number in range(10))))
    parts = [("bob", "x"), ("alice", "t5"), ("alice", "t100"), ("stranger", "x"), ("bob", "y")]
    both.agree(f"{family}add_tag", {"UserTags": [{USER: user, "Tags": [tag]} for user, tag in parts]})
    both.agree(f"{family}remove_tag", {"UserTags": [{USER: user, "Tags": [tag]} for user, tag in parts]})
    both.agree(f"{family}set_attr", attributes("stranger", city="x"))
    both.agree("account_import", {"UserID": "stranger"})
    assert both.agree(f"{family}set_attr", attributes("stranger", city="x"))[:2] == ("OK", 0)


def test_calls_beyond_the_rate_are_refused_at_the_same_moments() -> None:
    """A bucket for each endpoint."""
    both = Both(Behaviour(calls_per_second=5))
    moments = [100 + number * 0.11 for number in range(40)] + [106.0] * 9
    codes = [both.agree("im_add_tag", tags("alice", "x"), now=now)[1] for now in moments]
    assert set(codes) == {0, 60007}
    assert both.agree("im_remove_tag", tags("alice", "x"), now=106.0)[1] == 0
    assert both.chat.counters.most_in_a_second == both.api.most_calls_in_a_second()["im_add_tag"]


users = st.sampled_from(["alice", "bob", "carol", "u" * 32, "u" * 33, "", 7, None])
texts = st.sampled_from(["x", "y", "city", "标签", "t" * 50, "t" * 51, "", 7, None])
names = st.sampled_from(["city", "membership", "sex", ""])
tag_entry = st.fixed_dictionaries({USER: users, "Tags": st.lists(texts, max_size=12)})
value_entry = st.fixed_dictionaries({USER: users, "Attrs": st.dictionaries(names, texts, max_size=3)})
name_entry = st.fixed_dictionaries({USER: users, "Attrs": st.lists(names, max_size=3)})
of_all = st.fixed_dictionaries({USER: st.lists(users, max_size=4)})


def bodies(field: str, entry: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Bodies with up to four entries, one of which may be no entry at all."""
    return st.fixed_dictionaries({field: st.lists(st.one_of(entry, entry, entry, st.just(7)), max_size=4)})


requests = st.one_of(
    st.tuples(
        st.sampled_from(["im_add_tag", "im_remove_tag", "timpush/add_tag"]), bodies("UserTags", tag_entry)
    ),
    st.tuples(st.sampled_from(["im_set_attr", "timpush/set_attr"]), bodies("UserAttrs", value_entry)),
    st.tuples(st.just("im_remove_attr"), bodies("UserAttrs", name_entry)),
    st.tuples(st.sampled_from(["im_remove_all_tags", "timpush/clear_all_tags"]), of_all),
)


@settings(max_examples=300)
@given(st.sampled_from([Behaviour(), MUST_BE_IMPORTED, NAMES_BAD_USERS]), st.lists(requests, max_size=8))
def test_any_requests_get_the_same_verdicts_and_leave_the_same_state(
    behaviour: Behaviour, asked: list[Asked]
) -> None:
    """Sound or not, in any order."""
    both = Both(behaviour, imported=("alice", "bob"))
    for endpoint, body in asked:
        both.agree(endpoint, body)


@asynccontextmanager
async def served(chat: Chat) -> AsyncIterator[str]:
    """The stub's address."""
    server = await asyncio.get_running_loop().create_server(lambda: Connection(chat), "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_over_http_bodies_arrive_whole_and_are_counted() -> None:
    """Large ones in several pieces, one after the other on one connection."""
    chat = Chat(Behaviour(answer_seconds=0.01))
    large = {
        "UserTags": [
            {USER: f"user-{number:027}", "Tags": [f"{tag}" * 50 for tag in range(10)]}
            for number in range(100)
        ]
    }
    async with served(chat) as url, httpx.AsyncClient() as client:
        for _ in range(3):
            answer = await client.post(f"{url}/v4/all_member_push/im_add_tag?sdkappid=1", json=large)
            assert answer.json()["ErrorCode"] == 0
        assert (await client.get(f"{url}/v4/all_member_push/im_add_tag")).json()["ErrorCode"] == 60002
        assert (await client.post(f"{url}/v4/all_member_push/im_push", json={})).json()["ErrorCode"] == 60009
        counters = (await client.get(f"{url}/control/counters")).json()
        state = (await client.get(f"{url}/control/state")).json()
    assert counters["requests"] == {"im_add_tag": 4}
    assert counters["users_per_request"] == {"im_add_tag": {"100": 3}}
    assert counters["refused"] == {"60002": 1, "60009": 1}
    assert len(state) == 100


async def test_requests_that_come_in_single_bytes_are_answered() -> None:
    """A head and a body may be cut anywhere."""
    body = json.dumps(tags("alice", "x")).encode()
    head = f"POST /v4/all_member_push/im_add_tag?x=1 HTTP/1.1\r\ncontent-length: {len(body)}\r\n\r\n"
    chat = Chat(Behaviour())
    async with served(chat) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        for each in head.encode() + body:
            writer.write(bytes([each]))
            await writer.drain()
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        writer.close()
    assert chat.users == {"alice": {"x": True}}
