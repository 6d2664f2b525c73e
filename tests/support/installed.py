"""A distribution that is installed for one test: a module, and the entry points that name what is in it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def installed(folder: Path, *, module: str, source: str, formats: dict[str, str]) -> Iterator[None]:
    """Have *module* with *source* on the path, and *formats* (name: object in the module) announced."""
    (folder / f"{module}.py").write_text(source)
    information = folder / f"{module}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    lines = [f"{name} = {module}:{place}" for name, place in formats.items()]
    (information / "entry_points.txt").write_text("\n".join(["[audience_sync.formats]", *lines, ""]))
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop(module, None)
