"""What is in the repository leads nowhere that a reader can't go."""

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]

LEFT_OUT: Final = frozenset(
    {
        ".git",
        ".venv",
        "__pycache__",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".hypothesis",
        "build",
        "dist",
    }
)

STRANGERS: Final = {
    "a registry's host": "|".join(
        re.escape(f"{name}.{domain}")
        for name, domain in [
            ("pypi", "org"),
            ("files.pythonhosted", "org"),
            ("repo.maven", "apache.org"),
            ("repo1.maven", "org"),
            ("deb.debian", "org"),
            ("archive.ubuntu", "com"),
            ("proxy.golang", "org"),
            ("sum.golang", "org"),
            ("registry-1.docker", "io"),
            ("registry.npmjs", "org"),
        ]
    ),
    "a path of one machine": r"(?<![\w.$}-])/(?:work|root|Users)/\w|(?<![\w.$}-])/home/\w+/",
}
"""What must stand in no file: mirrors and proxies are the reader's own, and so are folders."""


def files() -> list[Path]:
    """All files but what tools leave behind."""
    return sorted(
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and not LEFT_OUT & set(path.relative_to(ROOT).parts)
        and ".egg-info" not in str(path)
    )


def text_of(path: Path) -> str:
    """The file as text; what is no UTF-8 has nothing to read."""
    return path.read_text(errors="ignore")


PAGES: Final = [path for path in files() if path.suffix == ".md"]


@pytest.mark.parametrize("what", STRANGERS)
def test_no_file_names(what: str) -> None:
    """Each with its place, so that it is found."""
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in files()
        for match in re.finditer(STRANGERS[what], text_of(path))
    ]
    assert found == []


def without_code(text: str) -> str:
    """The prose of a page."""
    return re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """What can be linked to in a page, as hosts of repositories make it from headings."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    """To files that are here, and to headings in them."""
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text())):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.is_relative_to(ROOT), target
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target
