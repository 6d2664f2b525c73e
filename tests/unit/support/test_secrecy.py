"""The search that watches the whole test run finds what is planted, and nothing else."""

import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from audience_sync.chat_api.signature import Signature
from tests.support.secrecy import SIGNING_KEY, secrets_in


def signature() -> str:
    """A real one, of the key of tests."""
    made = Signature(
        1400000000, "administrator", SecretStr(SIGNING_KEY), life_seconds=86_400, clock=lambda: 1e9
    )
    return made.current().get_secret_value()


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"key: {SIGNING_KEY}.", "a signing key"),
        (f"key={quote(SIGNING_KEY)}&", "a signing key"),
        (f"key={quote(SIGNING_KEY, safe='')}&", "a signing key"),
        (f"POST /v4?usersig={signature()}&random=1", "a signature"),
        (f"POST /v4?usersig={quote(signature(), safe='')}&random=1", "a signature"),
        (f"'{signature()}eJabc'", "a signature"),
    ],
    ids=["key", "key encoded", "key wholly encoded", "signature", "signature encoded", "with a tail"],
)
def test_what_is_given_away_is_found(text: str, secret: str) -> None:
    """Raw or percent-encoded, wherever it stands in a line."""
    assert secret in secrets_in(text)


def test_what_only_looks_like_a_signature_is_left_alone() -> None:
    """Base64 is no secret by itself."""
    assert list(secrets_in("eJ" + "A" * 300)) == []


@pytest.mark.parametrize(
    "where", ["print", "logging.getLogger('x').warning", "raise RuntimeError", "process"]
)
def test_a_run_with_a_planted_leak_fails_and_does_not_repeat_it(tmp_path: Path, where: str) -> None:
    """Output, log, exception and a process's file: each is searched."""
    planted = tmp_path / "test_planted.py"
    act = (
        "open(log, 'w').write(SECRET); keep_watch_on(pathlib.Path(log))"
        if where == "process"
        else f"{where}(SECRET)"
    )
    planted.write_text(
        "import logging, pathlib\n"
        "from tests.support.secrecy import keep_watch_on\n"
        "from tests.unit.support.test_secrecy import signature\n"
        "SECRET = signature()\n"
        f"log = {str(tmp_path / 'process.log')!r}\n"
        f"def test_planted():\n    {act}\n"
    )
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "tests.support.secrecy",
            planted,
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode != 0
    assert "secrets were printed" in run.stdout
    assert "a signature in" in run.stdout
