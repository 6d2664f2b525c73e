"""A real Debezium over a real PostgreSQL: users follow the rows of a table, as docs/formats.md shows it."""

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from tests.support.connect import Connect, connecting, version_of
from tests.support.fleet import Fleet, Replica, emulated_chat, eventually
from tests.support.letters import dead_letters
from tests.support.load import all_settled, show
from tests.support.postgres import Postgres
from tests.support.product import Truth, out_of_step

pytestmark = pytest.mark.broker

PAGE: Final = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()
RECIPE: Final = PAGE.partition("### A table of PostgreSQL, step by step")[2].partition("\n## ")[0]
TABLES: Final = ("members", "guests")
"""The one on the page; and one like it, whose connector writes schemas around keys and values."""

WITH_SCHEMAS: Final = {"key.converter.schemas.enable": "true", "value.converter.schemas.enable": "true"}

ROWS: Final = 50
"""So many members before the connector starts, and as many who come later, in each table."""


def block(kind: str) -> str:
    """The recipe's only block of this kind."""
    [text] = re.findall(rf"```{kind}\n(.*?)```", RECIPE, re.DOTALL)
    return str(text)


@pytest.fixture
def prefix() -> str:
    """What topics and group are called by: a broker that is given may have those of another run."""
    return f"test-{uuid4().hex[:8]}"


@pytest.fixture
def rules(prefix: str, tmp_path: Path) -> Path:
    """Those on the page, for both topics."""
    topics = ", ".join(topics_of(prefix))
    source = f"topics: [{topics}], each_user_in_one_topic: true"
    file = tmp_path / "rules.yaml"
    file.write_text(block("yaml").replace("topic: shop.public.members", source))
    return file


@pytest.fixture
def replica(tmp_path: Path, broker: str, prefix: str, rules: Path) -> Iterator[tuple[Replica, Fleet]]:
    """The service, which runs, and what it stands before."""
    environment = {
        "AUDIENCE_SYNC_KAFKA__GROUP_ID": prefix,
        "AUDIENCE_SYNC_KAFKA__COMMIT_INTERVAL_SECONDS": "0.5",
        "AUDIENCE_SYNC_RULES_FILE": str(rules),
        "AUDIENCE_SYNC_DEAD_LETTERS__TOPIC": f"{prefix}-dead-letters",
        "AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": "0.5",
        "AUDIENCE_SYNC_DEBOUNCE__LONGEST_WAIT_SECONDS": "2",
    }
    with (
        emulated_chat(tmp_path) as chat,
        Fleet(tmp_path, broker=broker, chat=chat, environment=environment) as fleet,
    ):
        yield fleet.start(), fleet


def topics_of(prefix: str) -> list[str]:
    """What the connectors call their topics."""
    return [f"{prefix}-{table}.public.{table}" for table in TABLES]


def connectors(prefix: str, postgres: Postgres) -> Iterator[Mapping[str, str]]:
    """The one on the page, for each table."""
    on_the_page = dict(line.split("=", 1) for line in block("properties").splitlines())
    for table in TABLES:
        yield on_the_page | {
            "name": table,
            "database.port": str(postgres.port),
            "topic.prefix": f"{prefix}-{table}",
            "slot.name": table,
            "publication.name": table,
            "table.include.list": f"public.{table}",
            **(WITH_SCHEMAS if table == "guests" else {}),
        }


class Shop:
    """What happens to the rows, and whom the tables have ever had."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._ever: set[str] = set()

    def in_each_table(self, *statements: str) -> None:
        """Each statement in a transaction of its own, and in both tables; TABLE stands for their names."""
        for statement in statements:
            for table in TABLES:
                self._postgres.sql(statement.replace("TABLE", table))

    def truth(self) -> dict[str, Truth]:
        """What each user must have by now, those who are gone included: they have nothing."""
        every = " UNION ALL ".join(f"SELECT id, tier, city FROM {table}" for table in TABLES)
        truth = {}
        for user, tier, city in self._postgres.sql(every):
            attributes = {"membership": tier} | ({"city": city} if city else {})
            truth[user] = Truth(attributes, {"member"})
        self._ever |= truth.keys()
        return {user: Truth() for user in self._ever} | truth


def in_step(shop: Shop, fleet: Fleet, connect: Connect, who: str) -> None:
    """Wait until every user is as the tables have it; no longer than Connect can still bring that about."""
    truth = shop.truth()

    def so() -> bool:
        assert connect.fine, "Kafka Connect has given up"
        return not out_of_step(truth, fleet.chat.state())

    eventually(so, f"{who} are in step", 90, pause_seconds=0.3)


def test_members_follow_the_rows_of_a_table_told_by_a_real_debezium(
    replica: tuple[Replica, Fleet], broker: str, prefix: str, postgres: Postgres, debezium: Path
) -> None:
    """A snapshot, then inserts, updates, a null, deletes and a key that changes: all in step, no dead letter."""
    began = time.monotonic()
    running, fleet = replica
    shop = Shop(postgres)
    for table in TABLES:
        postgres.sql(block("sql").replace("members", table))
    shop.in_each_table(
        f"INSERT INTO TABLE SELECT 'TABLE-' || n, 'silver', 'Beijing' FROM generate_series(1, {ROWS}) n"
    )
    fleet.wait_until_ready()
    prepared = time.monotonic() - began
    with connecting(debezium, broker, *connectors(prefix, postgres)) as connect:
        in_step(shop, fleet, connect, "the members whom the snapshot has read")
        snapshot_seen = time.monotonic() - began
        shop.in_each_table(
            f"INSERT INTO TABLE SELECT 'TABLE-' || n, 'none', NULL FROM generate_series({ROWS + 1}, {2 * ROWS}) n",
            "UPDATE TABLE SET tier = 'gold', city = 'Shenzhen' WHERE id LIKE '%1'",
            "UPDATE TABLE SET city = NULL WHERE id LIKE '%2'",
            "UPDATE TABLE SET tier = 'platinum' WHERE id LIKE '%1'",
        )
        assert len(shop.truth()) == 2 * ROWS * len(TABLES)
        shop.in_each_table(
            "DELETE FROM TABLE WHERE id LIKE '%3'",
            "UPDATE TABLE SET id = id || '-renamed' WHERE id LIKE '%4'",
        )
        in_step(shop, fleet, connect, "all members")
        all_settled(broker, prefix, topics_of(prefix))
        in_step(shop, fleet, connect, "all members still")

    gone = [user for user, truth in shop.truth().items() if not truth.tags]
    assert len(gone) == 2 * (2 * ROWS // 10) * len(TABLES), "deleted and renamed"
    assert running.metric("audience_sync_foreign_keys_total") == 0, "a key of one column is the user"
    assert dead_letters(broker, f"{prefix}-dead-letters") == []
    assert fleet.chat.counters()["overlaps"] == []
    assert "Traceback" not in running.text()
    [[version]] = postgres.sql("SHOW server_version")
    show(
        "a real Debezium",
        postgresql=version,
        debezium=version_of("debezium-connector-postgres"),
        connect=version_of("connect-runtime"),
        users=len(shop.truth()),
        gone=len(gone),
        seconds_until_all_ran=round(prepared),
        seconds_until_the_snapshot_was_in_step=round(snapshot_seen),
        seconds=round(time.monotonic() - began),
    )
