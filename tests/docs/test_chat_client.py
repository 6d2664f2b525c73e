"""The examples of the client's page do what the page says."""

import ast
import contextlib
import inspect
import io
import re
from pathlib import Path
from typing import Any, Final

from audience_sync.chat_api import errors
from audience_sync.emulator.server import serve
from audience_sync.emulator.settings import Settings

PAGE: Final = (Path(__file__).parents[2] / "docs" / "chat-client.md").read_text()
ADDRESS: Final = "http://127.0.0.1:8090"
KEY: Final = "any-text-of-yours"


def examples() -> list[tuple[str, str]]:
    """Each block of Python, and the text block that follows it at once, which it prints."""
    found = re.findall(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", PAGE, re.MULTILINE | re.DOTALL)
    return [(code, printed) for code, printed in found]


async def test_every_example_runs_and_prints_what_the_page_shows() -> None:
    """In one namespace, from top to bottom, as a reader would type them."""
    assert len(examples()) >= 5
    names: dict[str, Any] = {}
    async with serve(Settings(key=KEY)) as emulator:
        for code, printed in examples():
            output = io.StringIO()
            source = code.replace(ADDRESS, emulator.url)
            compiled = compile(source, "chat-client.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            with contextlib.redirect_stdout(output):
                done = eval(compiled, names)
                if inspect.iscoroutine(done):
                    await done
            assert output.getvalue() == printed
        assert emulator.overlaps == []


def test_every_error_stands_in_the_table_and_says_whether_it_may_have_been_applied() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| .* \| (yes|no|in part)", PAGE, re.MULTILINE)
    told = {name: said == "yes" for names, said in rows for name in re.findall(r"`(\w+)`", names)}
    raised = [
        each
        for each in vars(errors).values()
        if inspect.isclass(each) and issubclass(each, Exception) and each is not errors.ChatApiError
    ]
    assert told == {each.__name__: getattr(each, "ambiguous", False) for each in raised}
