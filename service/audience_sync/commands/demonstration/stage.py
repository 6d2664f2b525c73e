"""Sets up all that the demo needs, on loopback and in a temporary folder, and takes it down again."""

import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from audience_sync.commands.demonstration.broker import embedded_broker
from audience_sync.commands.demonstration.course import Course, Plan
from audience_sync.commands.demonstration.findings import Findings
from audience_sync.commands.demonstration.product import TOPICS, Product
from audience_sync.commands.demonstration.programs import (
    ADMIN_PORT,
    CHAT_ADDRESS,
    Program,
    emulator,
    service,
)
from audience_sync.commands.demonstration.reading import Instruments, UnansweredError, loopback_client
from audience_sync.commands.demonstration.stopping import Stopping
from audience_sync.commands.demonstration.view import View

APP_ID: Final = 1400000000
DEAD_LETTERS: Final = "audience-sync-dead-letters"
REPLAYS: Final = f"{DEAD_LETTERS}-replay"

LONGEST_WAIT_SECONDS: Final = 8.0
"""Less than the default, so that the restless user is sent while one watches."""
FILL_SECONDS: Final = 0.5
"""More than the default, which suits more users than there are here."""
ENDING_SECONDS: Final = 0.5
"""A process that ends closes its connections first: so long it may take to be gone."""


def play(plan: Plan, view: View, stopping: Stopping) -> Findings:
    """Everything, once. Whatever was started has ended when this returns or raises.

    Raises NoBrokerError, ProgramError, UnansweredError, ToldToStopError.
    """
    with (
        tempfile.TemporaryDirectory(prefix="audience-sync-demo-") as name,
        embedded_broker() as broker,
        loopback_client() as client,
    ):
        folder = Path(name)
        broker.create([*TOPICS, DEAD_LETTERS, REPLAYS])
        key_file = folder / "key"
        key_file.write_text(secrets.token_hex(32))
        view.say(f"Kafka (embedded) at {broker.bootstrap}")
        with emulator(folder=folder, key_file=key_file) as emulating:
            chat = emulating.find(CHAT_ADDRESS, stopping)
            view.say(f"The Chat API (emulated) at {chat}")
            settings = {
                "KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap,
                "DEAD_LETTERS__TOPIC": DEAD_LETTERS,
                "CHAT__BASE_URL": chat,
                "CHAT__APP_ID": str(APP_ID),
                "CHAT__SIGNING_KEY_FILE": str(key_file),
                "CHAT__ATTRIBUTE_NAMES": "add",
                "DEBOUNCE__LONGEST_WAIT_SECONDS": str(LONGEST_WAIT_SECONDS),
                "DEBOUNCE__FILL_SECONDS": str(FILL_SECONDS),
            }
            product = Product(users=plan.users, seed=plan.seed, clock=time.time)
            with service(folder=folder, settings=settings) as running:
                address = f"http://127.0.0.1:{running.find(ADMIN_PORT, stopping)}"
                view.say(f"The service at {address}; it joins its consumer group ...")
                instruments = Instruments(client, service=address, emulator=chat)
                programs = [running, emulating]
                course = Course(plan, product, broker, programs, instruments, view=view, stopping=stopping)
                with _blaming(programs):
                    course.wait_until_ready()
                    course.send_events()
                    settled_seconds = course.wait_until_in_step()
                exit_code = running.stop()
            return Findings(
                sent=course.sent,
                unusable=course.unusable,
                settled_seconds=settled_seconds,
                restless=product.restless,
                truth=product.truth,
                users=instruments.users(),
                reading=course.last_reading(),
                letters=broker.count(DEAD_LETTERS),
                exit_code=exit_code,
                log=running.last_lines(),
            )


@contextmanager
def _blaming(programs: Sequence[Program]) -> Iterator[None]:
    """If somebody doesn't answer because a program has ended, then that is what is told."""
    try:
        yield
    except UnansweredError:
        for each in programs:
            each.must_run(grace_seconds=ENDING_SECONDS)
        raise
