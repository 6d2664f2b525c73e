"""The page of the API and the client's tables say the same."""

import re
from pathlib import Path
from typing import Final

from audience_sync.chat_api.hosts import Hosts, Region
from audience_sync.chat_api.wire import Command, Family, path

PAGE: Final = (Path(__file__).parents[2] / "docs" / "chat-api.md").read_text()


def test_the_hosts_are_those_of_the_page() -> None:
    """A wrong letter in a host is a call to somebody else."""
    rows = re.findall(r"^\| ([A-Z][\w ]+) \| `([\w.-]+)` \| `([\w.-]+)` \| documented", PAGE, re.MULTILINE)
    told = {
        name.lower().replace(" ", "_"): Hosts(f"https://{main}", f"https://{backup}")
        for name, main, backup in rows
    }
    assert told == {region.value: Hosts.of(region) for region in Region}


def test_every_call_has_its_section() -> None:
    """What a docstring refers to is there."""
    sections = set(re.findall(r"^### (\w+)$", PAGE, re.MULTILINE))
    assert {
        path(Family.ALL_MEMBER_PUSH, each).split("/")[-1] for each in Command if each is not Command.REVOKE
    } < sections
    assert "revoke" in sections
