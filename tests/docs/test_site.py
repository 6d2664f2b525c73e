"""The pages as a site: whole, and without anything of another host."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

ROOT: Final = Path(__file__).parents[2]
TOP: Final = ("README", "CHANGELOG", "CONTRIBUTING", "SECURITY")
FETCHED: Final = {
    "script": "src",
    "img": "src",
    "link": "href",
    "source": "src",
    "iframe": "src",
    "object": "data",
}
"""{element: the attribute that makes a browser fetch something}."""


class Page(HTMLParser):
    """What a page has anchors for, what it links to, what a browser fetches for it, and what its navigation lists."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.captions = re.findall(r'class="caption-text">([^<]+)<', text)
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        given = dict(attrs)
        self.anchors |= {given.get("id") or ""}
        if tag == "a" and (to := given.get("href")):
            self.links.append(to)
        if (
            tag in FETCHED
            and (what := given.get(FETCHED[tag]))
            and given.get("rel") not in ("search", "index")
        ):
            self.fetched.append(what)


def markdown() -> Iterator[Path]:
    """Every page that people read."""
    yield from (ROOT / f"{name}.md" for name in TOP)
    for folder in ("docs", "deploy", "helm"):
        yield from (page for page in (ROOT / folder).rglob("*.md") if page.parent.name != "changelog")


def test_the_site_is_whole_and_works_without_a_network(tmp_path: Path) -> None:
    """Sphinx warns of a link or an anchor that leads nowhere, and of a page outside the navigation."""
    site = tmp_path / "site"
    options = ("--quiet", "--fail-on-warning", "--keep-going", "--conf-dir", ROOT / "docs" / "site")
    made = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, "--doctree-dir", tmp_path / "read", ROOT, site],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (made.returncode, made.stderr) == (0, "")

    pages = {file: Page(file.read_text()) for file in site.rglob("*.html")}
    expected = {site / page.relative_to(ROOT).with_suffix(".html") for page in markdown()}
    assert expected - pages.keys() == set()
    assert pages[site / "index.html"].captions == re.findall(
        r"^## (.+)$", (ROOT / "docs" / "README.md").read_text(), re.MULTILINE
    )
    for file, page in pages.items():
        assert [url for url in page.fetched if urlsplit(url).netloc] == [], file
        assert [to for to in page.links if not leads_somewhere(to, file, pages)] == [], file
    for style in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)\"']+", style.read_text()) == [], style


def leads_somewhere(link: str, file: Path, pages: dict[Path, Page]) -> bool:
    """Whether what a page links to is there; what is on other hosts is not asked."""
    to = urlsplit(link)
    if to.scheme or to.netloc:
        return True
    target = (file.parent / unquote(to.path)).resolve() if to.path else file
    if target not in pages:
        return target.is_file() and not to.fragment
    return not to.fragment or unquote(to.fragment) in pages[target].anchors
