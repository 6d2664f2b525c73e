"""How Sphinx makes a site of the Markdown pages, as they stand in the repository: `make site`."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pygments.lexers.data import JsonLexer
from sphinx.application import Sphinx
from sphinx.highlighting import lexers

from audience_sync import __version__

ROOT: Final = Path(__file__).parents[2]

project = html_title = "audience-sync"
version = release = __version__

# Sphinx reads from the repository's root: so a link from docs/ to the chart's page is the same in both.
root_doc = "README"
include_patterns = ["*.md", "docs/**.md", "deploy/*.md", "helm/**.md"]
exclude_patterns = [".*", "build", "dist", "service", "tests", "benchmarks", "docs/changelog"]
extensions = ["myst_parser"]
myst_heading_anchors = 4
smartquotes = False  # --online is no dash
lexers["avsc"] = JsonLexer()  # a schema of Avro

html_theme = "furo"
html_theme_options = {"footer_icons": []}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = html_show_copyright = html_show_sphinx = False
pygments_style, pygments_dark_style = "tango", "native"

FOLDERS: Final = {"docs/decisions/README": "0*", "docs/runbook/README": "[a-z]*"}
"""{page that lists what is in its folder: the others there}."""


def setup(app: Sphinx) -> None:
    """What is told while the site is made."""
    app.connect("source-read", _add_navigation)
    app.connect("html-page-context", _let_names_be_broken)
    app.connect("build-finished", _begin_with_the_first_page)


def _add_navigation(_: Sphinx, page: str, source: list[str]) -> None:
    """The navigation is what docs/README.md lists: a page says nothing of it that only Sphinx understands."""
    if page == root_doc:
        source[0] += "".join(_toctrees((ROOT / "docs" / "README.md").read_text()))
    elif page == "docs/README":
        source[0] = f"---\norphan: true\n---\n{source[0]}"
    elif page in FOLDERS:
        source[0] += _toctree([f"/{Path(page).parent}/{FOLDERS[page]}"], ":glob:")


def _toctrees(contents: str) -> Iterator[str]:
    for section in contents.split("\n## ")[1:]:
        links = re.findall(r"^- \[(.+)\]\((.+)\.md\)$", section, re.MULTILINE)
        pages = ((ROOT / "docs" / path).resolve().relative_to(ROOT) for _, path in links)
        caption = section.partition("\n")[0]
        yield _toctree(
            [f"{title} </{page}>" for (title, _), page in zip(links, pages, strict=True)],
            f":caption: {caption}",
        )


def _toctree(entries: list[str], option: str) -> str:
    return "\n".join(("\n\n```{toctree}", ":hidden:", option, "", *entries, "```\n"))


def _let_names_be_broken(
    _: Sphinx, _page: str, _template: str, context: dict[str, str], _tree: object
) -> None:
    """A long name in a narrow column goes on behind one of its own signs."""
    names = re.compile(r'(?<=<span class="pre">)[^<]+')
    context["body"] = names.sub(
        lambda name: re.sub(r"(?<=[A-Za-z_][_./])(?=\w)", "<wbr>", name.group()), context.get("body", "")
    )


def _begin_with_the_first_page(app: Sphinx, error: Exception | None) -> None:
    """An address without a page shows README.md."""
    if error is None:
        shutil.copyfile(app.outdir / "README.html", app.outdir / "index.html")
