"""Protobuf schemas as a registry serves them serialised, and messages that they describe."""

from base64 import b64decode
from binascii import Error as NoBase64Error
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from audience_sync.core.event import Fields

_FILE: Final = "event.proto"
"""What the schema itself is called; the registry doesn't say."""

_DEEPEST: Final = 32
"""How deep a message's definition may stand inside others. Ours: nobody writes by hand what is deeper."""

_PROVIDED: Final = {
    "google/protobuf/": "google.protobuf.",
    "confluent/": "confluent_kafka.schema_registry.confluent.",
}
"""Imports that libraries bring along, which no registry refers to: where they stand as Python modules."""


class ProtobufSchema:
    """One file of messages with all that it imports. Raises ValueError if no data of it can be read."""

    kind: Final = "PROTOBUF"

    def __init__(self, text: str, references: Mapping[str, str]) -> None:
        pool = DescriptorPool()
        added: set[str] = set()
        for name, referred in references.items():
            _add(pool, _file(referred, name), added)
        self._file = _file(text, _FILE)
        _add(pool, self._file, added)
        self._pool = pool
        self._classes: dict[tuple[int, ...], Any] = {}

    def read(self, data: bytes) -> tuple[str | None, Fields]:
        """The message's full name, and its fields as Protobuf's JSON writes them, under the names in the schema.

        Fields without presence are there with their default: nothing tells them from ones that were set to it.
        """
        indexes, start = _indexes(data)
        kind = self._classes.get(indexes)
        if kind is None:
            kind = self._classes[indexes] = GetMessageClass(
                self._pool.FindMessageTypeByName(_full_name(self._file, indexes))
            )
        message = kind.FromString(data[start:])
        fields: dict[str, object] = MessageToDict(
            message,
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
            descriptor_pool=self._pool,
        )
        return kind.DESCRIPTOR.full_name, fields


def _file(text: str, name: str) -> FileDescriptorProto:
    try:
        file = FileDescriptorProto.FromString(b64decode(text, validate=True))
    except (NoBase64Error, DecodeError, ValueError):
        which = "it" if name == _FILE else f"the import {name}"
        raise ValueError(
            f"{which} is not served in serialised form; a registry that can't do so must be given it so, as "
            "producers in Python and .NET do"
        ) from None
    file.name = name
    return file


def _add(pool: DescriptorPool, file: FileDescriptorProto, added: set[str]) -> None:
    """Add *file* after what it imports of the libraries' own."""
    for name in file.dependency:
        if name not in added and (provided := _provided(name)) is not None:
            _add(pool, provided, added)
    if file.name in added:
        return
    added.add(file.name)
    try:
        pool.Add(file)
    except (
        TypeError
    ) as error:  # the library's word for an import that is not there, or a definition that is wrong
        raise ValueError(f"it can't be used: {error}") from None


def _provided(name: str) -> FileDescriptorProto | None:
    for beginning, package in _PROVIDED.items():
        if name.startswith(beginning):
            module = name.removeprefix(beginning).removesuffix(".proto").replace("/", ".") + "_pb2"
            try:
                descriptor = import_module(package + module).DESCRIPTOR
            except ImportError:
                return None
            file = FileDescriptorProto()
            descriptor.CopyToProto(file)
            file.name = name
            return file
    return None


def _indexes(data: bytes) -> tuple[tuple[int, ...], int]:
    """Which message of the file it is: its index among those of its level, a level each; and where it begins.

    A single zero stands for the first message, as that is nearly always the one.
    """
    count, position = _zigzag(data, 0)
    if count == 0:
        return (0,), position
    if not 0 < count <= _DEEPEST:
        raise ValueError(f"it says that its message is {count} levels deep")
    indexes = []
    for _ in range(count):
        index, position = _zigzag(data, position)
        indexes.append(index)
    return tuple(indexes), position


def _zigzag(data: bytes, position: int) -> tuple[int, int]:
    """A number, and where it ends: seven bits a byte, the sign in the lowest."""
    number = 0
    for shift in range(0, 35, 7):
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), position
    raise ValueError("its message index has more than 32 bits")


def _full_name(file: FileDescriptorProto, indexes: tuple[int, ...]) -> str:
    names: list[str] = [file.package] if file.package else []
    level: Any = file.message_type
    for index in indexes:
        if not 0 <= index < len(level):
            raise ValueError(f"its message index {list(indexes)} is not in the schema")
        message: DescriptorProto = level[index]
        names.append(message.name)
        level = message.nested_type
    return ".".join(names)
