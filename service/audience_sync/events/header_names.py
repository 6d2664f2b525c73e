"""Records whose headers have names that are no UTF-8: read like any other, instead of never.

Brokers take such records, from clients that write names as raw bytes. aiokafka decodes every name, and raises
out of the poll: it would fail at the same record for ever, for all partitions of the consumer. So a batch that
can't be read is read again by aiokafka's reader in Python, with what is no UTF-8 in a name replaced.
"""

from collections.abc import Iterator
from typing import Any, SupportsIndex

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy


def read_any_header_name() -> None:
    """Let every consumer of this process read such records. Safe to repeat."""
    fetcher.MemoryRecords = Batches


class Batches(_MemoryRecordsPy):  # type: ignore[misc]  # final, as aiokafka extends it nowhere; it has no other hook
    """The batches that a fetch has brought."""

    def next_batch(self, *_: Any) -> Any:
        """The next of them."""
        data = self._next_slice
        batch = super().next_batch()
        return _Batch(batch, data) if isinstance(batch, DefaultRecordBatch) else batch


class _Batch:
    """A batch, and its bytes for a second reading."""

    __slots__ = ("_batch", "_data")

    def __init__(self, batch: Any, data: Any) -> None:
        self._batch, self._data = batch, data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter(list(self._batch))
        except UnicodeDecodeError:
            return iter(list(_TolerantBatch(bytearray(self._data))))


class _TolerantBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # as above
    """aiokafka's reader in Python: text of headers is what it decodes, and all that it decodes."""

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer: bytearray = _Bytes(self._buffer)


class _Bytes(bytearray):
    """Bytes whose slices are text in any case."""

    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        item = super().__getitem__(index)
        return _Text(item) if isinstance(item, bytearray) else item


class _Text(bytes):
    """Bytes that are text in any case."""

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        """The text, with what is none replaced."""
        del errors  # the reader asks for none to be passed over
        return super().decode(encoding, "replace")
