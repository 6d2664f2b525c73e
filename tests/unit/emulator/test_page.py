"""The page in the browser, without one: what is on it, what is never on it, and when parts of it are sent anew."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from audience_sync.emulator import page, view
from audience_sync.emulator.api import Api
from audience_sync.emulator.apps import Apps
from audience_sync.emulator.condition import Condition
from audience_sync.emulator.faults import FailNext, FaultSettings, Step
from audience_sync.emulator.outcome import Outcome, Stream
from audience_sync.emulator.settings import AppSettings, Settings
from tests.unit.emulator.given import KEY, NOW, SIGNED, attributes, code, outcome, tags

NONCE = "nonce-of-this-test"
FIRST, SECOND = 1400000000, 1400000001
NONE = "\N{EN DASH}"


def some_apps(**settings: Any) -> Apps:
    given: dict[str, Any] = {"attribute_names": ("sex", "city"), "calls_per_second": 1e6}
    other = AppSettings(key="another key", app_id=SECOND)
    apps = Apps(Settings(key=KEY, more_apps=(other,), **given | settings))
    apps.begin()
    return apps


@pytest.fixture
def apps() -> Apps:
    """Two apps; the first has two attributes."""
    return some_apps()


@pytest.fixture
def api(apps: Apps) -> Api:
    """The first of them."""
    return apps.first


class Reader(HTMLParser):
    """The text of a page, and its elements with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._in_code = False
        self.feed(html)

    @property
    def text(self) -> str:
        """All words, one space between them."""
        return " ".join(self.words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.elements.append((tag, dict(attrs)))
        self._in_code = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the parser's own signature
        """It ends."""
        self._in_code = False

    def handle_data(self, data: str) -> None:
        """There is text in it."""
        if not self._in_code and data.strip():
            self.words.append(" ".join(data.split()))


def answer(apps: Apps, path: str = "/", query: str = "", *, now: float = NOW) -> Outcome:
    look = page.look_at(path, query)
    assert look is not None
    found = page.respond(apps, look, nonce=NONCE, now=now)
    assert isinstance(found, Outcome)
    return found


def shown(apps: Apps, path: str = "/", query: str = "", *, now: float = NOW) -> Reader:
    return Reader(answer(apps, path, query, now=now).body.decode())


def live(apps: Apps, path: str = "/live", query: str = "") -> Stream:
    look = page.look_at(path, query)
    assert look is not None
    found = page.respond(apps, look, nonce=NONCE, now=NOW)
    assert isinstance(found, Stream)
    return found


def sent(stream: Stream, *, now: float = NOW) -> dict[str, str]:
    """{part: its HTML} of what a stream sends."""
    parts = {}
    for chunk in stream.news(now):
        head, data = chunk.decode().rstrip("\n").split("\n")
        assert head == "event: part"
        part = json.loads(data.removeprefix("data: "))
        parts[part["name"]] = part["html"]
    return parts


def push(api: Api, random: int, *, now: float = NOW, **fields: object) -> None:
    text = {"MsgType": "TIMTextElem", "MsgContent": {"Text": f"message {random}"}}
    body = {"MsgRandom": random, "MsgBody": [text], **fields}
    assert code(api, "im_push", body, now=now) == 0


def test_everything_is_on_it(apps: Apps, api: Api) -> None:
    """Users with what is known of them, pushes, requests with their verdicts, findings, and what is unusual."""
    api.import_accounts(["alice", "bob"])
    api.log_in("alice", NOW)
    code(api, "im_set_attr", attributes("alice", city="Shenzhen"))
    code(api, "im_add_tag", tags("bob", "follows-600519"))
    code(api, "im_add_tag", tags("bob", "x" * 51))
    push(api, 7, MsgLifeTime=60, Condition={"AttrsAnd": {"city": "Shenzhen", "sex": "f"}})
    push(api, 8, now=NOW + 2, MsgLifeTime=60)
    api.change_switches(batch="partial", most_tags_of_the_app=3)
    api.bad_users = {"mallory": 70107}
    api.feature_on = False
    faults = [FailNext("half", "im_push", count=2, users=["zoe"]), FailNext("code:60007", for_seconds=90)]
    script = [Step(at_seconds=60, chance={})]
    api.faults.change(
        FaultSettings(latency_seconds=0.25, fail_next=faults, chance={"reset": 0.5}, script=script), now=NOW
    )
    text = shown(apps).text
    for words in [
        "app 1400000000 app 1400000001",
        "Users 2 1 online",
        "Requests 5 1 refused",
        "Pushes 2 98 left today",
        f"alice imported city Shenzhen {NONE}",
        f"bob imported {NONE} follows-600519",
        "message 7 to all of city = Shenzhen sex = f matched 0 delivered 0 waiting 0 waits until 00:17:40",
        "message 8 to everybody matched 2 delivered 1 waiting 1 waits until 00:17:42",
        "im_add_tag bad tag 90034",
        "im_add_tag bob OK",
        "Limits broken 1 im_add_tag: 90034, tag",
        "Users in two requests at once 0 Values that went back 0",
        "im_add_tag 2 2 of 1 000 000",
        "push to all users is off",
        "batch is partial not reject",
        "most_tags_of_the_app is 3 not any number",
        "every answer comes 0.25 s later",
        "half on im_push with zoe 2 times",
        "code:60007 on any endpoint until 00:18:10",
        "reset with a chance of 0.5",
        "a script has 1 more step; nothing new until 00:17:40",
        "mallory is always refused with 70107",
        "0 sex 1 city 2 free",
    ]:
        assert words in text


def test_a_page_without_anything_says_so(apps: Apps) -> None:
    """Instead of empty boxes."""
    text = shown(apps).text
    for words in [
        "Nobody yet.",
        "Nothing was pushed yet.",
        "No call has come yet.",
        "every switch has its default",
    ]:
        assert words in text


def test_every_app_has_its_page(apps: Apps, api: Api) -> None:
    """And each says which one is shown; one that is not there is named."""
    api.import_accounts(["alice"])
    assert "alice" in shown(apps, f"/apps/{FIRST}").text
    other = shown(apps, f"/apps/{SECOND}")
    assert "alice" not in other.text
    assert [
        element["href"] for tag, element in other.elements if "aria-current" in element and tag == "a"
    ] == [f"/apps/{SECOND}"]
    missing = answer(apps, "/apps/5")
    assert (missing.status, missing.body) == (404, b"There is no app 5 here.\n")


@pytest.mark.parametrize(
    "path", ["/x", "/apps", "/apps/", "/apps/x", "/apps/1/more", "/live/", "/v4/timpush/push", "//", ""]
)
def test_other_addresses_are_not_the_pages(path: str) -> None:
    """They belong to the API, which has its own answer."""
    assert page.look_at(path, "") is None


EVIL = "<script>alert(1)</script>"


def test_what_users_are_called_is_text(apps: Apps, api: Api) -> None:
    """Whatever stands in a name, a value, a tag, a message or a path."""
    user = "<b>'\"&bold"
    code(api, "im_set_attr", attributes(user, city=EVIL))
    code(api, "im_add_tag", tags(user, EVIL))
    push(
        api,
        1,
        From_Account=EVIL,
        Condition={"TagsOr": [EVIL]},
        MsgBody=[{"MsgType": "TIMTextElem", "MsgContent": {"Text": EVIL}}],
    )
    api.bad_users = {EVIL: 70107}
    arrival = api.arrive(f"/{EVIL}", NOW)
    api.decide(arrival, method="POST", query="", body=b"", now=NOW)
    api.leave(arrival, NOW, answered=True)
    read = shown(apps, query="search=%3Cb%3E")
    assert [tag for tag, _ in read.elements].count("script") == 1
    assert user in read.words
    assert read.text.count(EVIL) >= 6
    assert ("input", "<b>") in [(tag, element.get("value")) for tag, element in read.elements]


def test_nothing_on_it_is_secret(apps: Apps, api: Api) -> None:
    """Neither a key nor a signature, also not of a call whose address was wrong."""
    outcome(api, "im_get_tag", b"{}")
    outcome(api, "im_get_tag", b"{}", signed=f"{SIGNED}&more=1")
    body = answer(apps).body.decode()
    signature = re.search("usersig=([^&]+)", SIGNED)
    assert signature
    assert not [secret for secret in (KEY, "another key", signature[1]) if secret in body]


def test_it_needs_nothing_from_elsewhere_and_allows_nothing_else(apps: Apps) -> None:
    """Its own style and script carry the number that the headers name, and no attribute is code."""
    found = answer(apps)
    headers = dict(found.headers)
    policy = dict(each.strip().split(" ", 1) for each in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == f"'nonce-{NONCE}'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    elements = Reader(found.body.decode()).elements
    for tag, element in elements:
        assert not [name for name in element if name.startswith("on") or name in ("style", "src")], tag
        if tag in ("script", "style"):
            assert element["nonce"] == NONCE
        if "href" in element:
            assert str(element["href"]).startswith(("/apps/", "data:image/svg+xml,"))
    assert "link" in [tag for tag, _ in elements]  # or every browser asks the API for an icon


def test_users_are_found_by_a_part_of_their_name(apps: Apps, api: Api) -> None:
    """And the page says how many there are in all."""
    api.import_accounts([*(f"user-{number}" for number in range(500)), "alice"])
    assert [row.user for row in view.users(api, "").rows][:2] == ["alice", "user-499"]
    everybody = shown(apps)
    assert "The latest 200 of 501 users." in everybody.text
    assert "user-300" not in everybody.words
    assert "1 user with “user-300” in the name." in shown(apps, query="search=user-300").text
    assert "No user has “x” in the name." in shown(apps, query="search=x").text
    assert "111 users with “user-3”" in shown(apps, query="search=+user-3+").text


def test_the_page_does_not_grow_with_what_is_there(apps: Apps, api: Api) -> None:
    """However many users, pushes, requests and findings there are."""
    names = [f"user-{number:05d}" for number in range(20_000)]
    api.import_accounts(names)
    for number in range(100):
        push(
            api,
            number,
            now=NOW + 2 * number,
            MsgBody=[{"MsgType": "TIMTextElem", "MsgContent": {"Text": "x" * 9000}}],
        )
        code(api, "im_get_tag", {"To_Account": names[:100]})
        code(api, "im_add_tag", tags("a", "x" * 51))
    api.bad_users = dict.fromkeys(names, 70107)
    api.faults.change(FaultSettings(fail_next=[FailNext("half", users=names)]), now=NOW)
    assert len(answer(apps).body) < 150_000


def test_a_stream_begins_with_everything_and_goes_on_with_what_changed(apps: Apps, api: Api) -> None:
    """Parts that are the same are not sent again."""
    stream = live(apps)
    assert tuple(sent(stream)) == page.PARTS
    assert sent(stream) == {}
    code(api, "im_add_tag", tags("alice", "vip"))
    changed = sent(stream)
    assert set(changed) == {"tiles", "users", "requests", "paces"}
    assert "vip" in changed["users"]
    assert sent(stream) == {}


def test_a_stream_sends_what_the_page_has(apps: Apps, api: Api) -> None:
    """Part by part, with the version that the page knows it by."""
    code(api, "im_add_tag", tags("alice", "vip"))
    html = answer(apps).body.decode()
    for chunk in live(apps).news(NOW):
        part = json.loads(chunk.decode().split("data: ")[1])
        assert f'id="{part["name"]}" data-version="{part["version"]}"' in html
        assert part["html"] in html


def test_nothing_is_laid_out_before_something_has_moved(
    apps: Apps, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that is open all day costs nothing while nothing happens."""
    stream = live(apps)
    sent(stream)
    monkeypatch.setattr(page, "_part", None)
    assert sent(stream) == {}
    api.revision += 1
    with pytest.raises(TypeError):
        sent(stream)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("users", lambda api: api.import_accounts(["a"])),
        ("users", lambda api: api.log_in("a", NOW)),
        ("slots", lambda api: code(api, "im_set_attr_name", {"AttrNames": {"5": "level"}})),
        ("behaviour", lambda api: api.change_switches(twice="refused")),
        ("behaviour", lambda api: api.faults.change(FaultSettings(chance={"half": 0.5}), now=NOW)),
        ("pushes", lambda api: push(api, 1)),
        ("findings", lambda api: code(api, "im_add_tag", {})),
        ("requests", lambda api: code(api, "account_check", {"CheckItem": [{"UserID": "a"}]})),
    ],
)
def test_a_stream_tells_each_kind_of_change(apps: Apps, api: Api, part: str, change: Any) -> None:
    """Whatever way it came about."""
    stream = live(apps)
    sent(stream)
    change(api)
    assert part in sent(stream)


def test_a_stream_notices_a_fault_that_ends_and_an_app_that_comes(apps: Apps, api: Api) -> None:
    """Neither needs a request."""
    api.faults.change(FaultSettings(fail_next=[FailNext("half", for_seconds=5)]), now=NOW)
    stream = live(apps)
    assert "half" in sent(stream)["behaviour"]
    assert sent(stream, now=NOW + 4) == {}
    assert "half" not in sent(stream, now=NOW + 6)["behaviour"]
    apps.add(AppSettings(key="k", app_id=9))
    assert set(sent(stream)) == {"apps"}


def test_a_stream_has_the_search_of_its_page(apps: Apps, api: Api) -> None:
    """Other users come and go unseen."""
    stream = live(apps, f"/apps/{FIRST}/live", "search=ali")
    api.import_accounts(["alice", "bob"])
    assert "alice" in (first := sent(stream)["users"])
    assert "bob" not in first
    api.import_accounts(["carol"])
    assert "users" not in sent(stream)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition(), []),
        (Condition(tags_or=("a",)), [("", ["a"])]),
        (
            Condition(tags_or=("a", "b"), tags_and=("c", "d")),
            [("all of", ["c", "d"]), ("any of", ["a", "b"])],
        ),
        (Condition(tags_not=("a",)), [("none of", ["a"])]),
        (Condition(attributes_or={"city": "x"}), [("", ["city = x"])]),
    ],
)
def test_a_condition_in_words(condition: Condition, words: list[tuple[str, list[str]]]) -> None:
    """As one would say it."""
    assert [(clause.word, clause.terms) for clause in view.clauses(condition)] == words


def test_what_becomes_of_a_push(api: Api) -> None:
    """It waits, it is over, it is taken back, or it never waits."""
    api.import_accounts(["a"])
    push(api, 1)
    push(api, 2, now=NOW + 2, MsgLifeTime=10)
    text = {"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}
    pushed = {"MsgRandom": 3, "MsgBody": [text]}
    assert code(api, "timpush/push", pushed, now=NOW + 4) == 0
    task_id = api.pushing.sent[-1].task_id
    ends = [(row.ends, row.waiting, row.until and row.until.clock) for row in view.pushes(api, NOW + 5)]
    assert ends == [
        ("waits until", 1, "1970-01-08 00:16:44"),
        ("waits until", 1, "00:16:52"),
        ("online users only", 0, None),
    ]
    revoked = {"TaskId": task_id, "OfflinePushInfo": {"PushFlag": 0}}
    assert code(api, "timpush/revoke", revoked, now=NOW + 20) == 0
    assert [(row.ends, row.waiting) for row in view.pushes(api, NOW + 20)][:2] == [
        ("withdrawn", 0),
        ("expired", 0),
    ]


def test_what_stands_in_a_message() -> None:
    """Its text, and the kind of what is no text; not more than a glance takes."""
    text = {"MsgType": "TIMTextElem", "MsgContent": {"Text": "hello"}}
    assert view.text_of([text, {"MsgType": "TIMFaceElem", "MsgContent": {}}]) == "hello [TIMFaceElem]"
    long = {"MsgType": "TIMTextElem", "MsgContent": {"Text": "x" * 300}}
    assert view.text_of([long]) == "x" * 199 + "…"
    assert view.text_of([]) == ""


def test_how_requests_end(api: Api) -> None:
    """A verdict, no verdict, or no answer at all."""
    for kind in ("garbage", "reset", "code:91000"):
        api.faults.change(FaultSettings(fail_next=[FailNext(kind)]), now=NOW)
        outcome(api, "im_get_tag", json.dumps({"To_Account": [f"u{number}" for number in range(5)]}).encode())
    rows = view.requests(api, NOW)
    assert [(row.verdict, row.good, row.fault) for row in rows] == [
        ("91000", False, "code:91000"),
        ("no answer", False, "reset"),
        ("not JSON", False, "garbage"),
    ]
    assert (rows[0].users, rows[0].more_users, rows[1].took) == (["u0", "u1", "u2"], 2, "")
