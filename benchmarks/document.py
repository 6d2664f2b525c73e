"""The JSON of a run: where the figures come from, and each part's."""

from pathlib import Path
from typing import Any, Final

import msgspec

from benchmarks.measuring import Machine

ROOT: Final = Path(__file__).parents[1]
FILE: Final = ROOT / "docs" / "performance.json"


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has found."""

    taken: str
    """When the run ended, in UTC."""

    quick: bool
    seconds: float
    """How long the run took."""

    machine: Machine
    parts_seconds: dict[str, float]
    parts: dict[str, Any]
    """{part: its figures}, as the module of this name describes them; `msgspec.convert` with strict=False reads them
    back, for JSON has only texts as keys."""

    failed: dict[str, str] = {}
    """{part: why it has no figures}."""


def read(file: Path = FILE) -> Document:
    """What stands in a file. Raises msgspec.ValidationError, which names what is wrong in it."""
    return msgspec.json.decode(file.read_bytes(), type=Document)


def write(document: Document, file: Path = FILE) -> None:
    """Put it into a file, for people too."""
    file.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")
