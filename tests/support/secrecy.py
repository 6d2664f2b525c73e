"""Searches everything that a test run has printed for signing keys and signatures, and fails the run for one.

Everything: what each test wrote to its output and its log, how failures were told, and the output of every
process and container that was started. Keys of tests are known; a signature is known by its shape, whoever
made it: base64 in the vendor's alphabet, around zlib, around JSON with a `TLS.sig`.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

import pytest

SIGNING_KEY: Final = "a key for tests, found nowhere else: 7f3c9a"
"""What processes of tests sign with."""

KEYS: Final = {SIGNING_KEY}
"""The keys to search for; whoever uses another one adds it."""

_MAYBE_A_SIGNATURE: Final = re.compile(r"eJ[0-9A-Za-z*_+/=-]{80,}")
"""zlib's first two bytes in base64, and enough behind them."""

_BACK_TO_BASE64: Final = str.maketrans("*-_", "+/=")

_OUTPUTS: list[tuple[str, Path]] = []
_FOUND: list[str] = []


def keep_watch_on(log: Path) -> None:
    """Search this file too, at the end of the test that it belongs to."""
    _OUTPUTS.append((log.name, log))


def secrets_in(text: str) -> Iterator[str]:
    """What *text* gives away, raw or percent-encoded, in words that don't give it away again."""
    decoded = unquote(text)
    for key in KEYS:
        if key in text or key in decoded or quote(key, safe="") in text:
            yield "a signing key"
    for candidate in _MAYBE_A_SIGNATURE.findall(text) + _MAYBE_A_SIGNATURE.findall(decoded):
        if _is_signature(candidate):
            yield "a signature"


def _is_signature(candidate: str) -> bool:
    for length in range(len(candidate), 80, -1):  # the match may have run on into what follows
        if length % 4:
            continue
        try:
            return b"TLS.sig" in zlib.decompress(
                base64.b64decode(candidate[:length].translate(_BACK_TO_BASE64))
            )
        except (binascii.Error, zlib.error):
            continue
    return False


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Search what the test has printed, and what its processes have."""
    texts = [(title, text) for title, text in report.sections]
    texts.append(("how it failed", report.longreprtext))
    if report.when == "teardown":
        texts += [(name, log.read_text(errors="replace")) for name, log in _OUTPUTS if log.exists()]
        _OUTPUTS.clear()
    for title, text in texts:
        _FOUND.extend(f"{report.nodeid}: {secret} in {title}" for secret in set(secrets_in(text)))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if anything was given away."""
    if _FOUND:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say where."""
    if _FOUND:
        terminalreporter.section("secrets were printed", red=True)
        for line in _FOUND:
            terminalreporter.line(line)
