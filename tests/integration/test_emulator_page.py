"""The emulator's page as a browser shows it, live, and the picture of it in the docs."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, expect

from audience_sync.emulator.faults import FailNext, FaultSettings
from audience_sync.emulator.server import Emulator, serve
from audience_sync.emulator.settings import Settings
from tests.support.browser import running_browser
from tests.support.emulator import call

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PICTURE: Final = Path(__file__).parents[2] / "docs" / "images" / "emulator.png"
DESKTOP: Final = ViewportSize(width=1280, height=800)
PHONE: Final = ViewportSize(width=360, height=740)

SETTINGS: Final = Settings(key="a key for tests", attribute_names=("membership", "city", "language"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One for all tests; each has pages of its own."""
    async with running_browser() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def emulator() -> AsyncIterator[Emulator]:
    """One that knows nobody."""
    async with serve(SETTINGS) as emulator:
        yield emulator


@pytest_asyncio.fixture(loop_scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """It makes the calls that the page shows."""
    async with httpx.AsyncClient() as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, emulator: Emulator) -> AsyncIterator[Page]:
    """The page, open and live. Whatever a test checks, nothing on it may have been stopped or gone wrong."""
    context = await browser.new_context(viewport=DESKTOP)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
    await page.goto(emulator.url)
    await expect(page.locator("#live")).to_have_text("live")
    yield page
    await context.close()
    assert complaints == []


async def ask(client: httpx.AsyncClient, emulator: Emulator, endpoint: str, body: object) -> None:
    assert (await call(client, emulator, endpoint, body))["ErrorCode"] == 0


async def add_tags(client: httpx.AsyncClient, emulator: Emulator, user: str, *tags: str) -> None:
    await ask(client, emulator, "im_add_tag", {"UserTags": [{"To_Account": user, "Tags": list(tags)}]})


async def push(
    client: httpx.AsyncClient, emulator: Emulator, text: str, condition: object, **fields: object
) -> None:
    message = {"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}
    body = {"MsgRandom": len(text), "MsgLifeTime": 3600, "MsgBody": [message], "Condition": condition}
    await ask(client, emulator, "im_push", body | fields)


async def fits(page: Page) -> bool:
    """Whether nothing is wider than the window."""
    return bool(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


async def test_a_user_appears_as_soon_as_a_call_names_him(
    page: Page, emulator: Emulator, client: httpx.AsyncClient
) -> None:
    """Without a reload; so does what is known of him, and that he is online."""
    await expect(page.locator("#users")).to_contain_text("Nobody yet.")
    await add_tags(client, emulator, "alice", "follows-600519")
    row = page.locator("#users tr", has_text="alice")
    await expect(row).to_contain_text("follows-600519")
    await expect(row.get_by_role("img", name="offline")).to_be_visible()
    await expect(page.locator("#requests li").first).to_contain_text("im_add_tag alice")
    emulator.login("alice")
    await expect(row.get_by_role("img", name="online")).to_be_visible()


async def test_a_push_is_listed_with_whom_it_is_for(
    page: Page, emulator: Emulator, client: httpx.AsyncClient
) -> None:
    """And how many have it, while they come online."""
    emulator.import_accounts("bob")
    await add_tags(client, emulator, "alice", "vip")
    await add_tags(client, emulator, "bob", "vip")
    emulator.login("alice")
    await push(client, emulator, "Good morning", {"TagsOr": ["vip"]})
    row = page.locator("#pushes li")
    await expect(row).to_contain_text("Good morning")
    await expect(row.locator(".to")).to_have_text("to vip")
    await expect(row.locator("dd")).to_have_text(["2", "1", "1"])
    emulator.login("bob")
    await expect(row.locator("dd")).to_have_text(["2", "2", "0"])


async def test_what_users_are_called_is_never_run(
    page: Page, emulator: Emulator, client: httpx.AsyncClient
) -> None:
    """Neither when the page comes nor when a part of it is swapped."""
    evil = "<img src=x onerror=evil=1><script>evil=1</script>"
    await add_tags(client, emulator, "<script>evil=1</script>", evil)
    for _ in range(2):
        await expect(page.locator("#users .tag")).to_have_text(evil)
        assert await page.evaluate("typeof evil") == "undefined"
        await page.reload()


async def test_a_search_goes_on_while_one_types(
    page: Page, emulator: Emulator, client: httpx.AsyncClient
) -> None:
    """It stays in the address, so that a reload keeps it; new users are searched as well."""
    emulator.import_accounts("alice", "bob")
    await page.get_by_role("searchbox").fill("ali")
    rows = page.locator("#users tbody b")
    await expect(rows).to_have_text(["alice"])
    assert urlsplit(page.url).query == "search=ali"
    await add_tags(client, emulator, "carol", "t")
    await add_tags(client, emulator, "alina", "t")
    await expect(rows).to_have_text(["alina", "alice"])
    await page.reload()
    await expect(rows).to_have_text(["alina", "alice"])
    await expect(page.get_by_role("searchbox")).to_have_value("ali")


async def test_what_is_selected_stays_until_it_is_copied(
    page: Page, emulator: Emulator, client: httpx.AsyncClient
) -> None:
    """A page that moves under the mouse is no help; afterwards it catches up."""
    await add_tags(client, emulator, "alice", "t")
    await page.locator("#users tbody b").dblclick()
    await add_tags(client, emulator, "bob", "t")
    await expect(page.locator("#requests li")).to_have_count(2)
    await expect(page.locator("#users tbody tr")).to_have_count(1)
    assert await page.evaluate("getSelection().toString()") == "alice"
    await page.evaluate("getSelection().removeAllRanges()")
    await expect(page.locator("#users tbody tr")).to_have_count(2)


async def test_it_says_when_the_emulator_is_gone(browser: Browser) -> None:
    """What it shows then is old."""
    context = await browser.new_context()
    page = await context.new_page()
    async with serve(SETTINGS) as emulator:
        await page.goto(emulator.url)
        await expect(page.locator("#live")).to_have_text("live")
    await expect(page.locator("#live")).to_have_text("waiting for the emulator")
    await context.close()


async def test_without_javascript_it_shows_all_the_same(
    browser: Browser, emulator: Emulator, client: httpx.AsyncClient
) -> None:
    """On reload; and the search is a form."""
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(emulator.url)
    await add_tags(client, emulator, "alice", "t")
    await add_tags(client, emulator, "bob", "t")
    await page.reload()
    rows = page.locator("#users tbody b")
    await expect(rows).to_have_text(["bob", "alice"])
    await expect(page.locator("#live")).to_be_hidden()
    await page.get_by_role("searchbox").fill("ali")
    await page.keyboard.press("Enter")
    await expect(rows).to_have_text(["alice"])
    await context.close()


async def test_nothing_is_wider_than_a_phone(
    page: Page, emulator: Emulator, client: httpx.AsyncClient
) -> None:
    """Also with the longest words that the API takes."""
    await page.set_viewport_size(PHONE)
    user, word = "u" * 32, "w" * 50
    await ask(
        client, emulator, "im_set_attr", {"UserAttrs": [{"To_Account": user, "Attrs": {"membership": word}}]}
    )
    await add_tags(client, emulator, user, word, "关" * 16)
    await push(client, emulator, "x" * 200, {"AttrsAnd": {"membership": word}}, From_Account=user)
    await client.post(f"{emulator.url}/v4/{'p' * 200}")
    emulator.bad_users(**{user: 70107})
    faults = [FailNext("code:60007", "timpush/clear_all_tags", for_seconds=60, users=[user] * 3)]
    emulator.set_faults(FaultSettings(fail_next=faults))
    await expect(page.locator("#behaviour")).to_contain_text("clear_all_tags")
    await expect(page.locator("#pushes li")).to_have_count(1)
    for width in (PHONE["width"], 601, 901, 320):
        await page.set_viewport_size(ViewportSize(width=width, height=740))
        assert await fits(page), width


async def test_it_is_dark_where_everything_is(browser: Browser, emulator: Emulator) -> None:
    """Text stays lighter than what it stands on."""
    brightness = """() => {
        const style = getComputedStyle(document.documentElement);
        const of = (colour) => colour.match(/\\d+/g).slice(0, 3).reduce((sum, each) => sum + Number(each), 0);
        return [of(style.color), of(style.backgroundColor)];
    }"""
    for scheme, text_is_lighter in (("light", False), ("dark", True)):
        context = await browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
        page = await context.new_page()
        await page.goto(emulator.url)
        text, paper = await page.evaluate(brightness)
        assert (text > paper) is text_is_lighter
        await context.close()


PEOPLE: Final = (
    ("alice", {"membership": "platinum", "city": "Shenzhen"}, ("follows-600519", "vip")),
    ("bob", {"membership": "gold", "city": "Shanghai", "language": "en"}, ("follows-000001",)),
    ("carol", {"membership": "platinum", "city": "Shenzhen"}, ("follows-600519", "follows-300750", "beta")),
    ("小明", {"membership": "silver", "city": "深圳"}, ("follows-科技",)),
    ("erin", {"membership": "none", "city": "Chengdu"}, ()),
    ("frank", {"membership": "platinum", "city": "Beijing"}, ("vip",)),
)


async def test_the_picture_in_the_docs(page: Page, emulator: Emulator, client: httpx.AsyncClient) -> None:
    """Made anew on request, or if there is none."""
    await some_minutes_of_work(emulator, client)
    await page.reload()
    await expect(page.locator("#live")).to_have_text("live")
    await expect(page.locator("#pushes li")).to_have_count(2)
    assert await fits(page)
    if os.environ.get("AUDIENCE_SYNC_TEST_WRITE_PICTURES") or not PICTURE.exists():
        PICTURE.parent.mkdir(exist_ok=True)
        await page.screenshot(path=PICTURE, full_page=True)
    assert PICTURE.read_bytes().startswith(b"\x89PNG")


async def some_minutes_of_work(emulator: Emulator, client: httpx.AsyncClient) -> None:
    """Users, pushes, a fault and a mistake, as they come about while one wires events."""
    emulator.import_accounts("alice", "bob", "carol", "小明", "grace")
    parts = [{"To_Account": user, "Attrs": attributes} for user, attributes, _ in PEOPLE]
    await ask(client, emulator, "im_set_attr", {"UserAttrs": parts})
    for user, _, tags in PEOPLE:
        if tags:
            await add_tags(client, emulator, user, *tags)
    for user in ("alice", "bob", "小明"):
        emulator.login(user)
    seats = {"AttrsAnd": {"membership": "platinum", "city": "Shenzhen"}}
    await push(client, emulator, "Your seat at Wednesday's dinner in Shenzhen is reserved.", seats)
    await asyncio.sleep(1.05)  # the API wants more than a second between two pushes
    await push(client, emulator, "茅台发布三季报", {"TagsOr": ["follows-600519", "follows-科技"]})
    await ask(client, emulator, "im_get_attr", {"To_Account": ["alice", "bob"]})
    emulator.fail_next("code_after:91000")
    welcome = {"UserTags": [{"To_Account": "erin", "Tags": ["welcome"]}]}
    for endpoint in ("im_add_tag", "im_add_tag", "timpush/add_tag"):
        await call(client, emulator, endpoint, welcome)
    age = {"UserAttrs": [{"To_Account": "bob", "Attrs": {"age": "37"}}]}
    await call(client, emulator, "im_set_attr", age)
    too_long = {"UserTags": [{"To_Account": "bob", "Tags": ["follows-" + "6" * 43]}]}
    await call(client, emulator, "im_add_tag", too_long)
    emulator.switch(batch="partial")
    emulator.bad_users(mallory=70107)
    burst = [FailNext("code:60007", "im_set_attr", for_seconds=300, users=["grace"])]
    emulator.set_faults(FaultSettings(fail_next=burst, chance={"stall:2": 0.01}))
