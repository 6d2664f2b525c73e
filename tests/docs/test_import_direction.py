"""Who may know whom: decisions know nothing of the world, and the two readings of the API nothing of each other."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import audience_sync

PACKAGE: Final = Path(audience_sync.__file__).parent

PARTS: Final = frozenset(path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()) - {
    "__init__",
    "__pycache__",
}
"""The folders and modules of the package."""

MAY_KNOW: Final[dict[str, frozenset[str]]] = {
    "core": frozenset(),
    "emulator": frozenset(),
    "chat_api": frozenset({"core"}),
    "formats": frozenset({"core"}),
    "translators": frozenset({"core"}),
    "events": frozenset({"core", "formats"}),
    "rules": frozenset({"core", "formats", "translators"}),
    "telemetry": frozenset({"core"}),
    "delivery": frozenset({"core", "chat_api", "telemetry"}),
    "probe": frozenset({"core", "chat_api"}),
    "admin": frozenset({"core", "telemetry"}),
    "service": frozenset({"admin", "events"}),
    "settings": frozenset({"core"}),
    "garbage": frozenset(),
    "rotation": frozenset({"telemetry"}),
    "tracing": frozenset({"settings", "telemetry"}),
    "operators_page": frozenset({"admin", "core", "events", "settings", "telemetry"}),
    "outside": frozenset({"chat_api", "core", "events", "settings"}),
    "assembly": PARTS - {"commands", "emulator", "probe", "__main__"},
    "commands": PARTS - {"__main__"},
    "__main__": frozenset({"commands"}),
}
"""What each part may import of the project, besides itself and the version."""

ONLY_IN: Final = {
    "kafka": "events/kafka_admin.py",
    "uvloop": "commands/run.py",
    "cel_expr_python": "rules/conditions.py",
    "opentelemetry": "telemetry/traces.py",
}
"""Libraries that one module knows, so that they can be replaced there."""

NOT_IN_CORE: Final = frozenset(
    {"asyncio", "datetime", "io", "logging", "os", "pathlib", "random", "socket", "threading", "time", "uuid"}
)
"""A clock, chance, input and output: what decisions get as arguments."""


def modules(part: str) -> list[Path]:
    """The files of a part."""
    folder = PACKAGE / part
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def imported(file: Path) -> Iterator[str]:
    """The full name of everything that a file imports, wherever the import stands."""
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.ImportFrom():
                raise AssertionError(f"{file}: a relative import; write the whole name")


def known_parts(file: Path) -> set[str]:
    """The parts of the project that a file imports."""
    names = [name.split(".") for name in imported(file)]
    return {name[1] for name in names if name[0] == "audience_sync" and name[1] in PARTS}


def test_every_part_has_its_place() -> None:
    """A new folder is thought about before its first import."""
    assert set(MAY_KNOW) == PARTS


@pytest.mark.parametrize("part", sorted(MAY_KNOW))
def test_a_part_knows_only_whom_it_may(part: str) -> None:
    """What is waited for, read and sent may know what is decided, never the other way round."""
    strangers = {
        f"{file.relative_to(PACKAGE)} imports {', '.join(sorted(unknown))}"
        for file in modules(part)
        if (unknown := known_parts(file) - MAY_KNOW[part] - {part})
    }
    assert not strangers


def test_core_knows_neither_a_clock_nor_chance_nor_the_world() -> None:
    """The standard library's pure part, msgspec, and itself."""
    for file in modules("core"):
        packages = {name.split(".")[0] for name in imported(file)}
        assert not packages & NOT_IN_CORE, file
        assert packages - set(sys.stdlib_module_names) <= {"msgspec", "audience_sync"}, file


@pytest.mark.parametrize(("library", "only"), ONLY_IN.items())
def test_a_library_is_known_in_one_module(library: str, only: str) -> None:
    """So that it can be replaced in an afternoon."""
    users = {
        str(file.relative_to(PACKAGE))
        for part in PARTS - {"emulator"}
        for file in modules(part)
        if any(name.split(".")[0] == library for name in imported(file))
    }
    assert users == {only}
