"""The messages of a service that does not start, as docs/operations.md explains them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

OPERATIONS: Final = Path(__file__).parents[2] / "docs" / "operations.md"
ANYTHING: Final = "…"


def explained() -> Mapping[str, int]:
    """{message, with … for what varies: exit code} of the page."""
    _, _, rest = OPERATIONS.read_text().partition("## When it does not start")
    section = rest.partition("\n## ")[0]
    return {said: int(code) for said, code in re.findall(r"^\| `(.+?)` \| (\d) \|", section, re.MULTILINE)}


def says(text: str, message: str) -> bool:
    """Whether a text holds this message, whatever stands in the places of …."""
    parts = (re.escape(part) for part in message.split(ANYTHING))
    return re.search(".*".join(parts), text) is not None


def explanations_of(text: str, code: int) -> list[str]:
    """The messages of the page that a service has ended with: its output, and its exit code."""
    return [message for message, of_page in explained().items() if code == of_page and says(text, message)]
