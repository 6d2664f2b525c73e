"""What the image holds may be passed on, and the page says under which licence."""

from email.message import Message
from types import SimpleNamespace
from typing import Any

import pytest

from docs.licences import licence, rows
from docs.make_reference import FOLDER


def test_every_package_of_the_image_stands_on_the_page() -> None:
    """With the version that is pinned. Other Pythons need a few more or less."""
    text = (FOLDER / "licences.md").read_text()
    pins = dict(
        line.split("==")
        for line in (FOLDER.parent / "constraints.txt").read_text().splitlines()
        if "==" in line
    )
    pinned = {name.lower().replace("_", "-"): version.split(";")[0].strip() for name, version in pins.items()}
    found = list(rows())
    assert len(found) > 40
    for name, version, spdx in found:
        assert f"| {name} | {version} | {spdx} |" in text, "run `make docs`"
        assert pinned[name.lower().replace("_", "-").replace(".", ".")] == version


@pytest.mark.parametrize(
    ("said", "spdx"),
    [
        ({"License-Expression": "Apache-2.0 AND MIT"}, "Apache-2.0 AND MIT"),
        ({"License": "3-Clause BSD License"}, "BSD-3-Clause"),
        ({"Classifier": "License :: OSI Approved :: MIT License"}, "MIT"),
        ({"License": "GPL-3.0"}, None),
        ({"License-Expression": "MIT AND GPL-3.0-only"}, None),
        ({}, None),
    ],
)
def test_a_licence_that_is_not_known_is_refused(said: dict[str, str], spdx: str | None) -> None:
    """So that nobody ships what must not be passed on."""
    metadata = Message()
    metadata["Name"] = "thing"
    for field, text in said.items():
        metadata[field] = text
    package: Any = SimpleNamespace(metadata=metadata)
    if spdx is not None:
        assert licence(package) == spdx
        return
    with pytest.raises(ValueError, match="thing says of its licence"):
        licence(package)
