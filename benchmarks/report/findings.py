"""What people have to say of the figures: before and after of the work they asked for, and why a goal was missed."""

import tomllib
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = Path(__file__).with_name("findings.toml")


class Finding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that cost much, and what it cost afterwards. The figures are of two runs of the same, in turns."""

    title: str
    what: str
    """What a profile showed, and what was done, in a sentence or two."""

    unit: str
    before: float
    after: float
    how: str
    """The workload and the command, so that it can be measured again."""


class Findings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: findings, the most costly first, and {goal: why it was missed}."""

    findings: list[Finding] = []
    reasons: dict[str, str] = {}


def findings() -> Findings:
    """As they stand in the file. Raises msgspec.ValidationError, which names what is wrong in it."""
    return msgspec.convert(tomllib.loads(FILE.read_text()), Findings)
