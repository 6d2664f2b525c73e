"""A signing key that is replaced at the vendor's while three replicas send under load: nobody restarts anything."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.support.fleet import Fleet, eventually
from tests.support.load import all_in_step, all_settled, under_load
from tests.support.local_kafka import free_ports
from tests.support.product import Product
from tests.support.secrecy import KEYS, SIGNING_KEY

pytestmark = pytest.mark.broker

NEW_KEY: Final = "the next key for tests, found nowhere else: b21d04"
KEYS.add(NEW_KEY)


@pytest.fixture
def emulator_options(tmp_path: Path) -> Sequence[str]:
    """It comes back with all that it has answered."""
    [port] = free_ports(1)
    return ("--port", str(port), "--state", str(tmp_path / "state"))


def test_a_signing_key_is_replaced_without_a_restart(
    fleet: Fleet, topics: str, sources: list[str], broker: str, tmp_path: Path
) -> None:
    """Three replicas were sending under load.

    Their key's file was emptied; later the API took another key only, and the file got it as a Secret does.
    The empty one was refused and the old key went on counting; delivery stopped with the old key and went on with the
    new one; every user was in step, nothing was given up, and no partition had moved.
    """
    product = Product(users=1_000, seed=7, topics=topics)
    file = mounted(tmp_path, SIGNING_KEY)
    for _ in range(3):
        fleet.start(AUDIENCE_SYNC_CHAT__SIGNING_KEY_FILE=str(file))
    fleet.wait_until_ready()
    assignments = fleet_total(fleet, "audience_sync_assignments_total")
    with under_load(product, broker, events_a_second=300):
        eventually(lambda: fleet_total(fleet, "audience_sync_requests_total", outcome="confirmed"), "work")
        replace(tmp_path, "")
        eventually(lambda: fleet_total(fleet, "audience_sync_credentials_outdated") == 3, "it is refused")
        assert fleet_total(fleet, "audience_sync_stopped") == 0
        fleet.chat.change_key(NEW_KEY)
        eventually(lambda: fleet_total(fleet, "audience_sync_stopped") == 3, "the old key is refused")
        replace(tmp_path, NEW_KEY)
        eventually(lambda: fleet_total(fleet, "audience_sync_credentials_outdated") == 0, "it is taken")
        eventually(lambda: fleet_total(fleet, "audience_sync_stopped") == 0, "all go on")
    all_in_step(product.truth, fleet.chat)
    all_settled(broker, topics, sources)
    assert fleet_total(fleet, "audience_sync_rotations_total", outcome="taken") == 3
    assert fleet_total(fleet, "audience_sync_dead_letters_total") == 0
    assert fleet_total(fleet, "audience_sync_assignments_total") == assignments
    assert len(fleet.running) == 3


def mounted(folder: Path, text: str) -> Path:
    """A file as a Secret has it in a pod: behind two links, of which the upper one is turned."""
    replace(folder, text)
    file = folder / "mounted-key"
    file.symlink_to("..data/key")
    return file


def replace(folder: Path, text: str) -> None:
    """Turn the link to a folder with the new content, at once."""
    generation = folder / f"..{len(list(folder.iterdir()))}"
    generation.mkdir()
    (generation / "key").write_text(text)
    turned = folder / "..data_tmp"
    turned.symlink_to(generation.name)
    turned.replace(folder / "..data")


def fleet_total(fleet: Fleet, name: str, **labels: str) -> float:
    """A metric's sum over the replicas."""
    return sum(replica.metric(name, **labels) for replica in fleet.running)
