"""The operator's page as a browser shows it, without a script, and the pictures of it in the docs."""

import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ViewportSize, expect
from playwright.async_api import Page as Tab

from audience_sync.core.changes import AddTag, RemoveTag, SetAttribute, UserId
from tests.support.browser import running_browser
from tests.support.operators import TOKEN, Page, serving

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"
DESKTOP: Final = ViewportSize(width=1280, height=800)
PHONE: Final = ViewportSize(width=360, height=1180)
EVIL: Final = '"><img src=x onerror=alert(1)>'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One for all tests; each has pages of its own."""
    async with running_browser() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def page() -> AsyncIterator[Page]:
    """A replica that nobody has asked yet."""
    async with serving() as page:
        yield page


@pytest_asyncio.fixture(loop_scope="module")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A browser that runs no script: the page has none."""
    context = await browser.new_context(viewport=DESKTOP, java_script_enabled=False)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="module")
async def tab(context: BrowserContext, page: Page) -> AsyncIterator[Tab]:
    """The overview, after the token was shown. Whatever a test does, nothing may have been blocked."""
    tab = await context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("dialog", lambda dialog: complaints.append(dialog.message))
    await tab.goto(f"{page.url}/operator")
    await log_in(tab, TOKEN)
    await expect(tab.get_by_role("heading", level=1)).to_have_text("audience-sync-0")
    yield tab
    assert [each for each in complaints if not each.startswith("Failed to load resource")] == []


async def log_in(tab: Tab, token: str) -> None:
    """Show a token in the form."""
    await tab.get_by_label("Token").fill(token)
    await tab.get_by_role("button", name="Open").click()


async def test_a_browser_without_the_token_sees_the_form_and_nothing_else(
    page: Page, context: BrowserContext
) -> None:
    """The same after a wrong one, and on whatever page; no session comes of it."""
    tab = await context.new_page()
    page.deliveries.tell("alice")
    seen = set()
    for path in ("", "/user?id=alice", "/dead-letters", "/nothing"):
        answer = await tab.goto(f"{page.url}/operator{path}")
        assert answer is not None
        assert answer.status == 401
        seen.add(await tab.content())
    await log_in(tab, "not the token at all")
    seen.add(await tab.content())

    [html] = seen
    assert "alice" not in html
    assert await context.cookies() == []


async def test_the_cookie_is_for_this_page_alone(page: Page, tab: Tab, context: BrowserContext) -> None:
    """No script reads it, no other site sends it, and it holds nothing of the token; a logout ends it."""
    [cookie] = await context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/operator")
    assert TOKEN not in cookie["value"]

    await tab.get_by_role("button", name="Log out").click()
    await expect(tab.get_by_label("Token")).to_be_visible()
    assert await context.cookies() == []
    async with httpx.AsyncClient(trust_env=False) as client:
        old = {"cookie": f"{cookie['name']}={cookie['value']}"}
        assert (await client.get(f"{page.url}/operator", headers=old)).status_code == 401


async def test_a_form_from_elsewhere_does_nothing(page: Page, tab: Tab, context: BrowserContext) -> None:
    """Even with the cookie: a page on another port of the same host would send it."""
    await expect(tab.get_by_role("button", name="Pause all")).to_be_visible()
    [cookie] = await context.cookies()
    async with httpx.AsyncClient(trust_env=False) as client:
        for form in (
            {"what": "all"},
            {"what": "all", "form_token": "guessed"},
            {"what": "all", "form_token": "é"},
        ):
            answer = await client.post(
                f"{page.url}/operator/pause",
                data=form,
                headers={"cookie": f"{cookie['name']}={cookie['value']}"},
            )
            assert answer.status_code == 403
    assert not page.pauses


async def test_nothing_may_run_on_it(page: Page, tab: Tab) -> None:
    """The browser is told so on every page."""
    for path in ("", "/user?id=alice", "/dead-letters", "/nothing"):
        answer = await tab.goto(f"{page.url}/operator{path}")
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "script" not in policy
        assert "<script" not in await tab.content()
        assert answer.headers["referrer-policy"] == "no-referrer"


async def test_an_endpoint_is_paused_and_resumed(page: Page, tab: Tab) -> None:
    """The page says so, and the state beside the replica's name; so does the rest of the port."""
    await tab.get_by_role("button", name="Pause add_tag").click()
    await expect(tab.get_by_role("status")).to_have_text("Paused: endpoint:add_tag.")
    await expect(tab.locator("#state")).to_contain_text("endpoint:add_tag")
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{page.url}/readyz")
    assert (answer.status_code, "endpoint:add_tag" in answer.text) == (503, True)
    page.deliveries.tell("alice", AddTag("vip"), urgent=True)
    await tab.get_by_role("link", name="Look again").click()
    await expect(tab.get_by_role("link", name="alice")).to_be_visible()
    assert page.deliveries.sent == []

    await tab.get_by_role("button", name="Resume add_tag").click()
    await expect(tab.locator("#state")).to_have_text("working")
    assert page.told == ["paused endpoint:add_tag", "resumed endpoint:add_tag"]


async def test_a_rule_that_is_gone_can_be_resumed(page: Page, tab: Tab) -> None:
    """It is listed for as long as it is paused."""
    await tab.get_by_role("button", name="Pause rule:city").click()
    await expect(tab.locator(".warn")).to_contain_text("nothing is read from city-changed")
    page.pauses.take({})
    await tab.get_by_role("link", name="Look again").click()
    await tab.get_by_role("button", name="Resume rule:city").click()
    assert not page.pauses


async def test_a_user_is_looked_up(page: Page, tab: Tab) -> None:
    """By keyboard alone."""
    page.deliveries.tell("alice", RemoveTag("trial"), SetAttribute("city", "深圳"))
    await tab.get_by_label("User", exact=True).focus()
    await tab.keyboard.type("alice")
    await tab.keyboard.press("Enter")

    await expect(tab.get_by_role("heading", level=1)).to_have_text("alice")
    waits = tab.get_by_role("region", name="Waits")
    await expect(waits.locator(".changes li")).to_have_text(["remove tag trial", "set city = 深圳"])
    await expect(waits.locator(".places li")).to_contain_text("events / 0 at 0")
    await expect(tab.get_by_role("region", name="Confirmed last")).to_contain_text(
        "Nothing that this replica"
    )


async def test_what_anything_is_called_is_text(page: Page, tab: Tab) -> None:
    """A user, a tag, a reason, a rule: markup is shown as it is written, on every page."""
    page.pauses.take({EVIL: ("topic",)})
    page.letter(EVIL, info=EVIL)
    page.pauses.pause("endpoint:add_tag", page.clock())
    page.deliveries.tell(EVIL, AddTag(EVIL), urgent=True)
    logging.getLogger("somebody").error(EVIL)
    page.deliveries.delivery.nudge()
    for path, where in (("", "#h-pause + ul"), ("/dead-letters", ".letters"), (f"/user?id={EVIL}", "h1")):
        await tab.goto(f"{page.url}/operator{path}")
        await expect(tab.locator(where)).to_contain_text(EVIL)
        assert await tab.locator("img").count() == 0
        await expect(tab.locator("main")).not_to_contain_text("&lt;")


async def test_letters_are_chosen_and_replayed(page: Page, tab: Tab) -> None:
    """By user and code; what became of them stands on the overview."""
    for number, user in enumerate(("alice", "bob", "carol"), start=1):
        page.letter(user, number=number, code=40006 if user == "carol" else 70107)
    await tab.get_by_role("link", name="Dead letters").click()
    await expect(tab.get_by_role("checkbox")).to_have_count(3)
    await tab.get_by_label("Code").fill("70107")
    await tab.get_by_role("button", name="Show").click()
    await expect(tab.get_by_role("checkbox")).to_have_count(2)
    await tab.get_by_role("checkbox", name="bob").check()
    await tab.get_by_role("button", name="Replay what is chosen").click()
    async for _ in turns():
        await tab.goto(f"{page.url}/operator")
        if "ended" in (await tab.locator("#replay").text_content() or ""):
            break

    await expect(tab.locator("#replay")).to_contain_text("1 letters")
    await expect(tab.locator("#replay")).to_contain_text("1 replayed")
    assert page.told == ["replay 1"]


async def turns() -> AsyncIterator[int]:
    """Some; what is waited for takes less."""
    for number in range(200):
        yield number
    raise AssertionError("it did not come about")


async def test_what_can_not_be_done_is_said(page: Page, tab: Tab) -> None:
    """With the reason, and the way back."""
    page.letters_fail = "Kafka at nowhere:9092: no broker answers"
    await tab.get_by_role("link", name="Dead letters").click()
    await expect(tab.get_by_role("alert")).to_have_text("Kafka at nowhere:9092: no broker answers")
    await tab.goto(f"{page.url}/operator/dead-letters?code=x")
    await expect(tab.get_by_role("alert")).to_contain_text("whole number")
    await tab.get_by_role("link", name="Back to the overview").click()
    await expect(tab.get_by_role("heading", level=1)).to_have_text("audience-sync-0")


async def test_the_log_level_is_changed_for_a_while(page: Page, tab: Tab) -> None:
    """And the page says until when."""
    await tab.get_by_label("Level", exact=True).select_option("DEBUG")
    await tab.get_by_label("for", exact=True).select_option("5 minutes")
    await tab.get_by_role("button", name="Change").click()
    await expect(tab.get_by_role("region", name="Log level")).to_contain_text("DEBUG, until")
    assert page.told == ["level DEBUG"]
    assert logging.getLogger().level == logging.DEBUG


async def test_nothing_is_wider_than_a_phone(page: Page, tab: Tab, browser: Browser) -> None:
    """Also with the longest words that the API takes; and what a finger must hit is large enough."""
    worst(page)
    context = await browser.new_context(storage_state=await tab.context.storage_state())
    measuring = await context.new_page()
    for path in ("", f"/user?id={'u' * 32}", "/dead-letters", "/nothing"):
        await measuring.goto(f"{page.url}/operator{path}")
        for width in (1280, 861, 860, 561, 560, 360, 320):
            await measuring.set_viewport_size(ViewportSize(width=width, height=740))
            assert await measuring.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
                path,
                width,
            )
        heights = await measuring.evaluate(
            "[...document.querySelectorAll('button, select, input:not([type=hidden]):not([type=checkbox])')]"
            ".map(each => each.getBoundingClientRect().height)"
        )
        assert min(heights) >= 44, path
    await context.close()


def worst(page: Page) -> None:
    """All that is long, at once."""
    page.pauses.take({"r" * 80: ("t" * 120,)})
    for pause in ("endpoint:add_tag", f"rule:{'r' * 80}"):
        page.pauses.pause(pause, page.clock())
    page.deliveries.tell("u" * 32, AddTag("w" * 50), SetAttribute("n" * 50, "关" * 16), urgent=True)
    page.letter("u" * 32, info="i" * 300)
    logging.getLogger("somebody").error("e" * 300)
    page.deliveries.delivery.nudge()


CONTRAST: Final = """() => {
    const of = (colour) => {
        const [r, g, b, a] = colour.match(/[\\d.]+/g).map(Number);
        const part = (c) => { c /= 255; return c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; };
        return {light: .2126 * part(r) + .7152 * part(g) + .0722 * part(b), opaque: a !== 0};
    };
    const behind = (element) => {
        for (; element; element = element.parentElement) {
            const found = of(getComputedStyle(element).backgroundColor);
            if (found.opaque) return found.light;
        }
    };
    const low = [];
    for (const element of document.querySelectorAll('body *')) {
        const says = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
        if (!says || !element.getClientRects().length) continue;
        const [text, paper] = [of(getComputedStyle(element).color).light, behind(element)];
        const ratio = (Math.max(text, paper) + .05) / (Math.min(text, paper) + .05);
        const name = `${element.tagName}.${element.className} ${element.textContent.slice(0, 30)}`;
        if (ratio < 4.5) low.push(`${name}: ${ratio}`);
    }
    return low;
}"""
"""Texts that stand out less from what they stand on than WCAG AA asks for."""


NAMELESS: Final = """[...document.querySelectorAll('input:not([type=hidden]), select')]
    .filter(each => !each.labels.length).length"""
"""Fields without a label."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_stands_out(page: Page, tab: Tab, browser: Browser, scheme: Any) -> None:
    """In both schemes; and each field has a name."""
    worst(page)
    context = await browser.new_context(color_scheme=scheme, storage_state=await tab.context.storage_state())
    measuring = await context.new_page()
    for path in ("", f"/user?id={'u' * 32}", "/dead-letters", "/nothing"):
        await measuring.goto(f"{page.url}/operator{path}")
        assert await measuring.evaluate(CONTRAST) == [], path
        assert await measuring.evaluate(NAMELESS) == 0, path
        assert await measuring.evaluate("document.querySelectorAll('h1').length") == 1
    await context.clear_cookies()
    await measuring.goto(f"{page.url}/operator")
    assert await measuring.evaluate(CONTRAST) == []
    await context.close()


async def test_the_pictures_in_the_docs(page: Page, tab: Tab) -> None:
    """Made anew on request, or if there are none."""
    a_night(page)
    async for _ in turns():
        await tab.get_by_role("link", name="Look again").click()
        if (await tab.locator(".tiles dd").nth(4).text_content()) != "0.0":
            break
    await expect(tab.locator("#state")).to_contain_text("paused")
    for name, size in (("operators-page.png", DESKTOP), ("operators-page-phone.png", PHONE)):
        await tab.set_viewport_size(size)
        picture = IMAGES / name
        if os.environ.get("AUDIENCE_SYNC_TEST_WRITE_PICTURES") or not picture.exists():
            await tab.screenshot(path=picture, full_page=size is DESKTOP)
        assert picture.read_bytes().startswith(b"\x89PNG")


def a_night(page: Page) -> None:
    """What somebody finds at three in the morning, who has paused an endpoint an hour before."""
    page.pauses.pause("endpoint:add_tag", page.clock() - 3600)
    for number in range(37):
        page.deliveries.tell(f"user-{number:03}", AddTag("follows-600519"), urgent=True)
    page.deliveries.tell(UserId("alice"), AddTag("vip"), SetAttribute("city", "Shenzhen"), urgent=True)
    page.deliveries.tenure.debouncer.advance(page.clock())
    page.totals = {"records": 4210, "requests": 61, "parts": 5904}
    lines = logging.getLogger("audience_sync.night")
    lines.error(
        {"action": "dead_letter", "cause": "refused_user", "info": "im_add_tag answered 70107: no such user"}
    )
    lines.warning(
        {"action": "request_not_confirmed", "endpoint": "add_tag", "outcome": "slow_down", "code": 60011}
    )
    lines.warning({"action": "paused", "what": "endpoint:add_tag"})
