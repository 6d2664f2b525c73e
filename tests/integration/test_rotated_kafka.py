"""A broker whose authority, certificates and passwords are replaced: the service goes on, and is not restarted."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.support.broker import needed
from tests.support.certificates import Authority, authority, written
from tests.support.fleet import FAST_TAKEOVER, EmulatedChat, Fleet, Replica, emulated_chat, eventually
from tests.support.load import all_in_step, feed
from tests.support.local_kafka import LocalKafka, local_kafka
from tests.support.product import Product, rules_for
from tests.support.secrecy import KEYS

pytestmark = pytest.mark.broker

USERS: Final = ("audience-sync", "audience-sync-2")
PASSWORDS: Final = ("a-password-of-tests", "the-next-password-of-tests")  # they open nothing but this broker
KEYS.update(PASSWORDS)


class Files:
    """What broker and service are protected with, of one generation at a time; each in files of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for side in ("broker", "service"):
            (folder / side).mkdir(parents=True)

    def of_broker(self, trusted: Authority) -> None:
        """Its certificate, and whom it trusts, are of *trusted* when it starts again."""
        self._of("broker", trusted)

    def of_service(self, trusted: Authority, *, user: str, password: str) -> None:
        """The same for the service, at any time; and how it logs in."""
        self._of("service", trusted)
        written(user, self.folder / "service" / "user")
        written(password, self.folder / "service" / "password")

    def _of(self, side: str, trusted: Authority) -> None:
        written(trusted.server(), self.folder / side / "own.pem")
        written(trusted.pem(), self.folder / side / "trusted.pem")

    def settings(self) -> dict[str, str]:
        """What the service is told."""
        prefix, folder = "AUDIENCE_SYNC_KAFKA__", self.folder / "service"
        return {
            f"{prefix}SECURITY_PROTOCOL": "SASL_SSL",
            f"{prefix}SASL_MECHANISM": "SCRAM-SHA-512",
            f"{prefix}SASL_USERNAME_FILE": str(folder / "user"),
            f"{prefix}SASL_PASSWORD_FILE": str(folder / "password"),
            f"{prefix}SSL_CA_FILE": str(folder / "trusted.pem"),
            f"{prefix}SSL_CERTIFICATE_FILE": str(folder / "own.pem"),
            f"{prefix}SSL_KEY_FILE": str(folder / "own.pem"),
        }


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """The first generation."""
    files = Files(tmp_path / "files")
    first = authority("first")
    files.of_broker(first)
    files.of_service(first, user=USERS[0], password=PASSWORDS[0])
    return files


@pytest.fixture
def kafka(files: Files) -> Iterator[LocalKafka]:
    """A broker that asks for a certificate and SCRAM, and knows both users."""

    def secured(port: int) -> Mapping[str, str]:
        listener = "listener.name.secured"
        return {
            "listeners": f"SECURED://127.0.0.1:{port}",
            "advertised.listeners": f"SECURED://127.0.0.1:{port}",
            "listener.security.protocol.map": "SECURED:SASL_SSL",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(files.folder / "broker" / "own.pem"),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(files.folder / "broker" / "trusted.pem"),
            f"{listener}.ssl.client.auth": "required",
            f"{listener}.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            f"{listener}.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
        }

    users = dict(zip(USERS, PASSWORDS, strict=True))
    with needed("a broker of its own"), local_kafka(more=secured, users=users) as running:
        yield running


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[EmulatedChat]:
    """An emulator."""
    with emulated_chat(tmp_path) as emulator:
        yield emulator


def test_login_and_certificates_of_another_authority_are_taken_over_without_a_restart(
    kafka: LocalKafka, chat: EmulatedChat, files: Files, tmp_path: Path
) -> None:
    """A replica was reading; half a pair of certificate and key was refused, and the old ones went on counting.

    Then another user with another password, and certificates of another authority, were put into the files, and the
    broker came back with that authority, and lets the old user in no more.
    The same process read on and gave nothing up; the first generation opens nothing any more.
    """
    environment = FAST_TAKEOVER | files.settings() | {"AUDIENCE_SYNC_DEBOUNCE__QUIET_SECONDS": "0.5"}
    environment["AUDIENCE_SYNC_RULES_FILE"] = str(rules_for("", tmp_path))
    product, second = Product(users=50, seed=1), authority("second")
    own = files.folder / "service" / "own.pem"
    sound = own.read_text()
    with Fleet(tmp_path, broker=kafka.secure_bootstrap, chat=chat, environment=environment) as fleet:
        replica = fleet.start()
        fleet.wait_until_ready()
        feed(product, kafka.bootstrap, 100)
        all_in_step(product.truth, chat, seconds=60)

        own.write_text(sound[: len(sound) // 2])
        eventually(lambda: outdated(replica) == 1, "half a file is refused")
        feed(product, kafka.bootstrap, 100)
        all_in_step(product.truth, chat, seconds=60)

        files.of_service(second, user=USERS[1], password=PASSWORDS[1])
        eventually(lambda: outdated(replica) == 0, "the new ones are taken")
        kafka.change_password(USERS[0], "nobody has this one")
        kafka.kill()
        files.of_broker(second)
        kafka.start()
        feed(product, kafka.bootstrap, 100)
        all_in_step(product.truth, chat, seconds=90)

        assert replica.running
        assert replica.metric("audience_sync_rotations_total", credential="kafka", outcome="taken") == 1
        assert replica.metric("audience_sync_rotations_total", credential="kafka", outcome="refused") == 1
        assert replica.metric("audience_sync_dead_letters_total") == 0
        assert "Traceback" not in replica.text()

        former = Files(tmp_path / "former")
        former.of_service(second, user=USERS[0], password=PASSWORDS[0])
        late = Replica(
            "late",
            tmp_path,
            broker=kafka.secure_bootstrap,
            chat_url=chat.url,
            environment=environment | former.settings(),
        )
        try:
            assert late.wait(90) == 3
        finally:
            late.end()


def outdated(replica: Replica) -> float:
    """Whether what is in the files can't be used."""
    return replica.metric("audience_sync_credentials_outdated", credential="kafka")
