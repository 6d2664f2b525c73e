"""The client for schema registries, against one that is served here from the documented protocol."""

import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Proto
from pydantic import SecretStr

from audience_sync.events.formats.protobuf import ProtobufSchema
from audience_sync.events.schema_registry import RegistryAddress, SchemaRegistry
from audience_sync.events.schemas import Described, RegistryError, UnknownSchemaError
from tests.support.registry_server import RegistryServer, serving
from tests.support.schemas import MEMBER, proto_file, serialised, text_of

PASSWORD = "correct-horse"


@pytest.fixture
def registry() -> Iterator[RegistryServer]:
    with serving() as server:
        yield server


async def fetched(address: RegistryAddress, schema_id: int) -> Described:
    client = SchemaRegistry(address)
    try:
        return await client.fetch(schema_id)
    finally:
        await client.close()


async def test_a_schema_comes_with_all_it_refers_to(registry: RegistryServer) -> None:
    """Each after what it needs itself, which is the order in which it can be understood. No type means Avro."""
    refers = {"name": "com.example.B", "subject": "b/sub", "version": 2}
    registry.schemas[1] = {"schema": "A", "references": [refers]}
    registry.versions["b/sub", 2] = {
        "subject": "b/sub", "version": 2, "id": 3, "schema": "B",
        "references": [{"name": "com.example.C", "subject": "c", "version": 1}],
    }  # fmt: skip
    registry.versions["c", 1] = {"subject": "c", "version": 1, "id": 4, "schema": "C"}

    described = await fetched(RegistryAddress(url=registry.url), 1)

    assert described == Described("AVRO", "A", {"com.example.C": "C", "com.example.B": "B"})
    assert list(described.references) == ["com.example.C", "com.example.B"]


async def test_schemas_that_refer_to_each_other_in_circles_come_to_an_end(registry: RegistryServer) -> None:
    """No registry takes them; one that serves them must not hold us for ever."""
    registry.schemas[1] = {"schema": "A", "references": [{"name": "0", "subject": "s", "version": 0}]}
    for version in range(500):
        registry.versions["s", version] = {
            "subject": "s", "version": version, "id": 3, "schema": "S",
            "references": [{"name": str(version + 1), "subject": "s", "version": version + 1}],
        }  # fmt: skip

    with pytest.raises(RegistryError, match="refers"):
        await fetched(RegistryAddress(url=registry.url), 1)
    assert len(registry.asked) <= 300


async def test_protobuf_is_asked_for_in_serialised_form(registry: RegistryServer) -> None:
    """Its text is for people; the imports come in that form too."""
    user = proto_file(package="com.example.users", User={"id": (1, Proto.TYPE_STRING, "")})
    event = proto_file(
        imports=("users.proto",), E={"user": (1, Proto.TYPE_MESSAGE, ".com.example.users.User")}
    )
    registry.serialised = {"event in words": serialised(event), "user in words": serialised(user)}
    registry.schemas[1] = {
        "schemaType": "PROTOBUF", "schema": "event in words",
        "references": [{"name": "users.proto", "subject": "users", "version": 1}],
    }  # fmt: skip
    registry.versions["users", 1] = {
        "subject": "users", "version": 1, "id": 2, "schemaType": "PROTOBUF", "schema": "user in words",
    }  # fmt: skip

    described = await fetched(RegistryAddress(url=registry.url), 1)

    schema = ProtobufSchema(described.text, described.references)
    assert schema.read(b"\x00\x0a\x03\x0a\x01a") == ("com.example.E", {"user": {"id": "a"}})


async def test_only_the_protocols_own_word_means_that_a_schema_is_unknown(registry: RegistryServer) -> None:
    """A wrong path is answered with 404 too, and must not drain a topic into the dead letters."""
    with pytest.raises(UnknownSchemaError):
        await fetched(RegistryAddress(url=registry.url), 99)
    with pytest.raises(RegistryError, match="404"):
        await fetched(RegistryAddress(url=f"{registry.url}/wrong"), 99)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, b'{"error_code": 40101, "message": "Unauthorized"}'),
        (403, b"<html>"),
        (404, b"{}"),
        (429, b""),
        (500, b'{"error_code": 50001}'),
        (503, b"[]"),
        (200, b""),
        (200, b"<html>a proxy</html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"schema": 7}'),
        (200, b'{"schema": "A", "references": 7}'),
        (200, b'{"schema": "A", "references": [{"name": "x"}]}'),
    ],
)
async def test_whatever_else_comes_is_no_answer(registry: RegistryServer, status: int, body: bytes) -> None:
    """Asked again later; nothing is given up for it."""
    registry.broken = (status, body)

    with pytest.raises(RegistryError):
        await fetched(RegistryAddress(url=registry.url, timeout_seconds=5), 1)


async def test_a_registry_that_is_not_there_is_no_answer() -> None:
    with serving() as registry:
        url = registry.url

    with pytest.raises(RegistryError):
        await fetched(RegistryAddress(url=url), 1)


async def test_the_second_of_two_addresses_is_tried(registry: RegistryServer) -> None:
    registry.schemas[1] = {"schema": "A"}
    with serving() as gone:
        url = gone.url

    assert (await fetched(RegistryAddress(url=f"{url},{registry.url}"), 1)).text == "A"


async def test_credentials_are_sent_and_stand_in_no_message(registry: RegistryServer) -> None:
    """What is refused is told without them."""
    registry.schemas[1] = {"schema": text_of(MEMBER)}
    registry.credentials = f"alice:{PASSWORD}"
    right = RegistryAddress(url=registry.url, username="alice", password=SecretStr(PASSWORD))
    wrong = RegistryAddress(url=registry.url, username="alice", password=SecretStr("wr0ng-secret"))

    assert (await fetched(right, 1)).kind == "AVRO"
    with pytest.raises(RegistryError) as caught:
        await fetched(wrong, 1)
    assert "401" in str(caught.value)
    assert "wr0ng" not in str(caught.value)
    assert PASSWORD not in repr(right)


async def test_the_registry_is_checked_against_the_authority_that_is_given(tmp_path: Path) -> None:
    """One that nobody vouches for gets no answer from us, and no password."""
    certificate = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(context) as registry:
        registry.schemas[1] = {"schema": "A"}

        assert (await fetched(RegistryAddress(url=registry.url, ca_file=certificate), 1)).text == "A"
        asked = len(registry.asked)
        with pytest.raises(RegistryError, match="CERTIFICATE_VERIFY_FAILED"):
            await fetched(RegistryAddress(url=registry.url), 1)
        assert len(registry.asked) == asked


def _certificate(folder: Path) -> Path:
    """A certificate for loopback that vouches for itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - day, now + day)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file
