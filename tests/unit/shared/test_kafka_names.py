"""Header names that are no UTF-8, in fetched bytes as a broker sends them."""

import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.structs import TopicPartition

from shared.eventlog.kafka_names import Fetched, Patient
from tests.foreign import Name, batch

ODD = Name(b"\xffname\xfe")
CODECS = [0, 1, 2, 3, 4]  # none, gzip, snappy, lz4, zstd


def unpacked(data: bytes, start: int = 0) -> Patient:
    return Patient(
        TopicPartition("city.inbox", 0), Fetched(data), None, start, None, None, True, 0
    )  # fmt: skip


@pytest.mark.parametrize("codec", CODECS)
def test_every_record_comes_once_and_in_order(codec: int) -> None:
    found = list(unpacked(batch("a", "b", ODD, "c", ODD, codec=codec) + batch("d", codec=codec)))
    assert [one.value for one in found[:5]] == [b"v0", b"v1", b"v2", b"v3", b"v4"]
    names = [one.headers[0][0] for one in found[:5]]
    assert names == ["a", "b", "\ufffdname\ufffd", "c", "\ufffdname\ufffd"]


def test_what_was_asked_for_is_where_it_begins() -> None:
    assert [one.value for one in unpacked(batch("a", ODD, "b", ODD, "c"), start=3)] == [
        b"v3",
        b"v4",
    ]


def test_a_batch_cut_short_is_left_for_the_next_fetch() -> None:
    whole = batch(ODD, "a")
    records = unpacked(whole + batch("b")[:-3])
    assert [one.value for one in records] == [b"v0", b"v1"]
    assert records.next_fetch_offset == 2


def test_what_is_corrupt_is_still_refused() -> None:
    data = bytearray(batch("a", ODD))
    data[-1] ^= 1
    with pytest.raises(CorruptRecordException):
        list(unpacked(bytes(data)))


def test_the_quick_reader_refuses_what_this_is_for() -> None:
    with pytest.raises((UnicodeDecodeError, CorruptRecordException)):
        list(DefaultRecordBatch(batch(ODD)))
