"""What fault tests share: topics of their own, an emulator that judges them at the end, and replicas before it.

A file that wants another emulator or other settings overrides `calls_per_second`, `emulator_options`,
`rules` or `settings`.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.fleet import FAST_TAKEOVER, EmulatedChat, Fleet, emulated_chat
from tests.support.product import TOPICS, rules_for


@pytest.fixture
def topics() -> str:
    """What the names of this test's topics begin with: a broker that is given may have those of another run."""
    return f"{uuid4().hex[:8]}-"


@pytest.fixture
def sources(topics: str) -> list[str]:
    """The topics that are read."""
    return [topics + topic for topic in TOPICS]


@pytest.fixture
def calls_per_second() -> float:
    """What the API allows each endpoint."""
    return 20


@pytest.fixture
def emulator_options() -> Sequence[str]:
    """Further arguments of the emulator."""
    return ()


@pytest.fixture
def settings() -> Mapping[str, str]:
    """Further settings of the replicas, as they stand in the environment."""
    return {}


@pytest.fixture
def rules(topics: str, tmp_path: Path) -> Path:
    """The file with the rules."""
    return rules_for(topics, tmp_path)


@pytest.fixture
def chat(tmp_path: Path, calls_per_second: float, emulator_options: Sequence[str]) -> Iterator[EmulatedChat]:
    """An emulator; it judges each test at its end."""
    with emulated_chat(
        tmp_path, calls_per_second=calls_per_second, arguments=tuple(emulator_options)
    ) as emulator:
        yield emulator
        judge(emulator)


@pytest.fixture
def fleet(
    tmp_path: Path,
    topics: str,
    broker: str,
    chat: EmulatedChat,
    rules: Path,
    calls_per_second: float,
    settings: Mapping[str, str],
) -> Iterator[Fleet]:
    """Replicas with topics of 8 partitions each; none is started. The group is called as the topics begin."""
    environment = FAST_TAKEOVER | {
        "AUDIENCE_SYNC_KAFKA__GROUP_ID": topics,
        "AUDIENCE_SYNC_RULES_FILE": str(rules),
        "AUDIENCE_SYNC_DEAD_LETTERS__TOPIC": f"{topics}dead-letters",
        "AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": "1",
        "AUDIENCE_SYNC_DEBOUNCE__LONGEST_WAIT_SECONDS": "5",
        "AUDIENCE_SYNC_CHAT__CALLS_PER_SECOND": str(calls_per_second),
        **settings,
    }
    with Fleet(tmp_path, broker=broker, chat=chat, environment=environment) as fleet:
        yield fleet


def judge(emulator: EmulatedChat) -> None:
    """What holds whatever breaks."""
    counters = emulator.counters()
    assert counters["overlaps"] == [], "one user was in two requests at the same time"
    assert counters["broken_limits"] == []
    assert counters["went_back"] == [], "a value was older than one sent before"
