"""The messages that operations.md explains are those that the service ends with."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import audience_sync
from tests.support.start_messages import ANYTHING, explained, says

MESSAGES: Final = explained()


def texts() -> Iterator[str]:
    """Every text in the code, with … for what is filled in."""
    for file in Path(audience_sync.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Constant(value=str(text)):
                    yield text
                case ast.JoinedStr(values=parts):
                    yield "".join(
                        str(part.value) if isinstance(part, ast.Constant) else ANYTHING for part in parts
                    )


TEXTS: Final = frozenset(texts())


def test_there_are_some() -> None:
    """Else the table has another shape."""
    assert len(MESSAGES) >= 15
    assert set(MESSAGES.values()) == {2, 3}


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_that_is_explained_is_in_the_code(message: str) -> None:
    """Word for word."""
    assert any(says(text, message) for text in TEXTS)
