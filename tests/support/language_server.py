"""An editor's side of the Language Server Protocol, as much as it takes to ask yaml-language-server something."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

SETTINGS: Final = {
    "yaml": {"hover": True, "completion": True, "validate": True, "schemaStore": {"enable": False}},
    "http": {},
    "[yaml]": {},
}
"""What the server asks its editor for. No schemas from the network: a file says where its own is."""


class Editor:
    """A file that is open in an editor, and the server that knows about it."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._number = 0

    def ask(self, method: str, parameters: object) -> Any:
        """The server's answer. Its own questions are answered meanwhile."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": parameters})
        while True:
            message = self._receive()
            if message.get("id") == self._number and "method" not in message:
                return message.get("result")

    def tell(self, method: str, parameters: object) -> None:
        """What needs no answer."""
        self._send({"method": method, "params": parameters})

    def opened(self, path: Path, text: str) -> list[str]:
        """What the server marks as wrong in a file with this text."""
        uri = path.as_uri()
        opened = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": opened})
        while True:
            message = self._receive()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri:
                return [each["message"] for each in message["params"]["diagnostics"]]

    def completed(self, path: Path, *, line: int, character: int) -> set[str]:
        """What is offered there (counted from 0)."""
        found = self.ask("textDocument/completion", _at(path, line, character))
        return {item["label"] for item in found["items"]}

    def hovered(self, path: Path, *, line: int, character: int) -> str:
        """What is shown of the word that stands there."""
        found = self.ask("textDocument/hover", _at(path, line, character))
        return str(found["contents"]["value"]) if found else ""

    def _send(self, message: dict[str, object]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        length = 0
        while (line := self._process.stdout.readline().strip()) or not length:
            assert self._process.poll() is None, "the language server has ended"
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        if "method" in message and "id" in message:  # a question of the server's own
            items = message.get("params", {}).get("items", [])
            self._send({"id": message["id"], "result": [SETTINGS.get(each.get("section")) for each in items]})
        return message


def _at(path: Path, line: int, character: int) -> dict[str, object]:
    return {"textDocument": {"uri": path.as_uri()}, "position": {"line": line, "character": character}}


@contextmanager
def editor(program: str, folder: Path) -> Iterator[Editor]:
    """An editor in *folder* with *program* as its language server."""
    process = subprocess.Popen([program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        opened = Editor(process)
        capabilities = {
            "workspace": {"configuration": True},
            "textDocument": {"hover": {"contentFormat": ["markdown"]}, "completion": {"completionItem": {}}},
        }
        opened.ask(
            "initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": capabilities}
        )
        opened.tell("initialized", {})
        yield opened
    finally:
        process.kill()
        process.communicate()
