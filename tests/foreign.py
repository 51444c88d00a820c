"""What another producer's library may send and aiokafka's never would."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from aiokafka.producer import message_accumulator, producer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy as Builder


class Name(str):
    """A header's name that is these bytes on the wire, UTF-8 or not."""

    raw: bytes

    def __new__(cls, raw: bytes) -> "Name":
        made = super().__new__(cls, raw.decode("latin-1"))
        made.raw = raw
        return made

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """`raw`."""
        return self.raw


def batch(*names: str, codec: int = 0) -> bytes:
    """A batch as a broker sends it: a record for each header's name, values `v0`, `v1`, …"""
    builder = Builder(2, codec, 0, -1, -1, -1, 1 << 20)
    for n, name in enumerate(names):
        builder.append(n, n, b"key", b"v%d" % n, headers=[(name, b"x")])
    return bytes(builder.build())


@contextmanager
def names_of_any_bytes() -> Iterator[None]:
    """aiokafka's producer writes a `Name` as it is."""
    with (
        patch.object(message_accumulator, "DefaultRecordBatchBuilder", Builder),
        patch.object(producer, "DefaultRecordBatchBuilder", Builder),
    ):
        yield
