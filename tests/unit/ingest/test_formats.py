"""Every format gives the same verdicts and the same readings; what is wrong is told apart."""

import gzip
import json
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.border.decode import Malformed
from services.ingest.border.formats.cloudevents import (
    BadHeaders,
    read_binary,
    read_event,
    read_events,
)
from services.ingest.border.formats.lines import MAX_LINE_BYTES, Lines
from services.ingest.border.formats.media import Format, Unsupported, coding_of, format_of, is_plain
from services.ingest.border.formats.parts import Part
from services.ingest.border.formats.record import Unreadable, read_record
from services.ingest.border.formats.unpack import Corrupt, unpack, unpacker
from services.ingest.border.intake import Intake, Taken
from services.ingest.border.judge import Rights
from shared.contracts.reading import ItemCode
from tests.unit.ingest.encodings import BINARY, EVENT, FORMATS, PACKINGS, through
from tests.unit.ingest.test_agreement import agree, anything, items
from tests.unit.ingest.worlds import MOMENT, NOW, registry

GOOD = {"sensor_id": "gauge-1", "metric": "water.level", "observed_at": MOMENT, "value": 3.5}
INTAKE = Intake(registry(), lambda: NOW, 1000)
known = st.fixed_dictionaries(
    {
        "sensor_id": st.sampled_from(["gauge-1", "gauge-1", "gauge-1", "old-1", "who", "a b", 5]),
        "metric": st.sampled_from(["water.level", "water.level", "weather.rain", "nope"]),
        "observed_at": st.sampled_from([MOMENT, "2026-05-01T07:00:00.5Z", "2020-01-01T00:00:00Z"]),
        "value": st.floats(-100, 100) | st.integers() | st.sampled_from([float("nan"), "3", None]),
    },
    optional={"quality": st.sampled_from(["good", "bad", "fine"]), "extra": st.none()},
)
# An array inside of an event is several items.
single = anything.filter(lambda item: not isinstance(item, list))
batches = st.lists(known | items | single, min_size=1, max_size=5)


def verdicts(taken: Taken) -> Any:
    refused = [(r.index, r.code, r.pointer.count("/") == 0) for r in taken.refused]
    fields = [r.pointer.rsplit("/", 1)[-1] for r in taken.refused if r.code != "malformed"]
    numbered = [field for field in fields if not field.isdigit()]
    return taken.partitions, [(index, code) for index, code, _ in refused], numbered


@pytest.mark.parametrize("coding", list(PACKINGS), ids=str)
@pytest.mark.parametrize("name", [name for name in FORMATS if name != "array"])
@settings(max_examples=60, deadline=None)
@given(batch=batches)
async def test_a_batch_has_the_same_verdicts_in_every_format(
    name: str, coding: str | None, batch: list[Any]
) -> None:
    plain = await INTAKE.take(json.dumps(batch).encode(), Rights())
    form, encode = FORMATS[name]
    other = await INTAKE.take_items(through(form, coding, encode(batch)), Rights())
    assert verdicts(plain)[:2] == verdicts(other)[:2]
    assert plain.accepted == other.accepted


@pytest.mark.parametrize("name", list(FORMATS))
@settings(max_examples=100, deadline=None)
@given(batch=st.lists(items | single, min_size=1, max_size=3))
def test_every_format_reads_items_as_the_contract_does(name: str, batch: list[Any]) -> None:
    form, encode = FORMATS[name]
    found = through(form, None, encode(batch))
    for item, verdict in zip(batch, found.items(0, len(batch)), strict=True):
        agree(json.dumps(item).encode(), verdict)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([f for f in Format if f is not Format.JSON]), st.binary(max_size=80))
def test_no_bytes_break_a_format(form: Format, raw: bytes) -> None:
    for body in (raw, b"[%s]" % raw, json.dumps(EVENT)[:-1].encode() + b', "data": %s}' % raw):
        try:
            found = through(form, None, body)
        except Malformed as error:
            assert error.detail
        else:
            assert len(list(found.items(0, len(found)))) == len(found)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["gzip", "zstd"]), st.data())
def test_packed_bytes_come_out_whole_in_any_portions(
    raw: bytes, coding: str, data: st.DataObject
) -> None:
    packed = PACKINGS[coding](raw) + PACKINGS[coding](b"more")
    source, found, at = unpacker(coding), b"", 0
    while at < len(packed):
        size = data.draw(st.integers(1, 40))
        found += b"".join(source.feed(packed[at : at + size]))
        at += size
    source.end()
    assert found == raw + b"more"


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_bomb_is_stopped_at_the_bound(coding: str) -> None:
    bomb = PACKINGS[coding](bytes(200_000_000))
    assert len(bomb) < 300_000
    assert unpack(bomb, coding, 1_000_000) is None
    assert max(len(piece) for piece in unpacker(coding).feed(bomb)) <= 16 * 1024 * 1024


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_what_is_not_packed_or_breaks_off_is_told_with_its_place(coding: str) -> None:
    packed = PACKINGS[coding](json.dumps([GOOD] * 50).encode())
    for wrong in (b"", b"[]", packed[:-3], packed[: len(packed) // 2], packed + b"tail"):
        with pytest.raises(Corrupt) as caught:
            unpack(wrong, coding, 1_000_000)
        assert 0 <= caught.value.position <= len(wrong)


def test_zstd_with_a_window_that_takes_too_much_memory_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True)
    packed = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = packed.compress(bytes(100)) + packed.flush()
    with pytest.raises(Corrupt):
        unpack(body, "zstd", 1000)


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"specversion": None}, "/specversion", ItemCode.MALFORMED),
        ({"specversion": "0.3"}, "/specversion", ItemCode.INVALID_VALUE),
        ({"specversion": 1.0}, "/specversion", ItemCode.INVALID_TYPE),
        ({"id": ""}, "/id", ItemCode.INVALID_VALUE),
        ({"id": "x" * 257}, "/id", ItemCode.INVALID_VALUE),
        ({"id": "a\nb"}, "/id", ItemCode.INVALID_VALUE),
        ({"id": "\ud800"}, "/id", ItemCode.INVALID_VALUE),
        ({"source": None}, "/source", ItemCode.MALFORMED),
        ({"source": "a b"}, "/source", ItemCode.INVALID_VALUE),
        ({"type": 5}, "/type", ItemCode.INVALID_TYPE),
        ({"datacontenttype": "text/xml"}, "/datacontenttype", ItemCode.INVALID_VALUE),
        ({"data_base64": "e30="}, "/data", ItemCode.MALFORMED),
        ({"data": []}, "/data", ItemCode.MALFORMED),
        ({"data": 5}, "/data", ItemCode.INVALID_TYPE),
        ({"data": GOOD | {"value": "x"}}, "/data/value", ItemCode.INVALID_TYPE),
        ({"data": GOOD | {"value": float("nan")}}, "/data/value", ItemCode.INVALID_VALUE),
        ({"data": [GOOD, GOOD | {"unit": 1}]}, "/data/1/unit", ItemCode.UNKNOWN_FIELD),
    ],
)
async def test_a_wrong_event_is_refused_alone(
    change: dict[str, Any], pointer: str, code: ItemCode
) -> None:
    event = EVENT | {"data": GOOD} | change
    alone = await INTAKE.take_items(read_event(json.dumps(event).encode()), Rights())
    assert [(r.pointer, r.code) for r in alone.refused] == [(pointer, code)]
    whole = json.dumps([EVENT | {"data": GOOD}, event, EVENT | {"data": GOOD}]).encode()
    taken = await INTAKE.take_items(read_events(whole), Rights())
    assert [(r.pointer, r.code) for r in taken.refused] == [(f"/1{pointer}", code)]
    assert taken.accepted in (2, 3)


@pytest.mark.parametrize("data", ["e", "e30", "!!!!", 5, "eyE="])
async def test_wrong_base64_is_refused_alone(data: Any) -> None:
    event = EVENT | {"data_base64": data}
    taken = await INTAKE.take_items(read_event(json.dumps(event).encode()), Rights())
    assert taken.refused[0].pointer == "/data_base64"


def test_wrong_headers_of_an_event_are_named() -> None:
    body = json.dumps(GOOD).encode()
    for name in BINARY:
        with pytest.raises(BadHeaders) as caught:
            read_binary({key: value for key, value in BINARY.items() if key != name}, body)
        assert caught.value.header == name
    assert len(read_binary(BINARY | {"source": b"urn:%E6%B0%B4"}, body)) == 1


async def test_events_leave_their_trace_with_their_readings() -> None:
    events = [EVENT | {"id": "a", "data": [GOOD, GOOD]}, EVENT | {"id": "b", "data": GOOD}]
    found = read_events(json.dumps(events).encode())
    ((_, readings),) = (await INTAKE.take_items(found, Rights())).partitions.items()
    assert found.trace(readings) == "0 urn:gauges a\n2 urn:gauges b"
    assert found.trace(readings[2:]) == "2 urn:gauges b"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([b"", b" ", b"a", b"bc", b"\r"]), max_size=6), st.data())
def test_lines_are_cut_the_same_in_any_portions(lines: list[bytes], data: st.DataObject) -> None:
    body, cutter, found, at = b"\n".join(lines), Lines(), list[Part](), 0
    while at < len(body):
        size = data.draw(st.integers(1, 4))
        found += cutter.feed(body[at : at + size])
        at += size
    found += cutter.end()
    expected = [line.strip() for line in lines if line.strip()]
    assert [part.raw for part in found] == expected
    assert [part.pointer for part in found] == [f"/{n}" for n in range(len(expected))]


async def test_an_endless_line_is_refused_and_not_held() -> None:
    lines = Lines()
    assert not list(lines.feed(json.dumps(GOOD).encode()[:-1]))
    found = list(lines.feed(b"}\n"))
    for _ in range(50):
        assert not list(lines.feed(b"x" * MAX_LINE_BYTES))
        assert len(lines._begun) <= MAX_LINE_BYTES
    found += [*lines.feed(b"\n" + json.dumps(GOOD).encode()), *lines.end()]
    assert [part.flaw and part.flaw.code for part in found] == [None, ItemCode.TOO_LARGE, None]
    assert len(found[1].raw) < 1000


def test_headers_decide_the_format() -> None:
    plain = {b"content-type": b"application/json"}
    assert is_plain(plain) and format_of(plain) is Format.JSON
    for name in (b"content-encoding", b"idempotency-key", b"ce-specversion", b"ce-id"):
        assert not is_plain(plain | {name: b"x"})
    assert format_of(plain | {b"ce-id": b"1"}) is Format.BINARY
    structured = {b"content-type": b"Application/CloudEvents+JSON; charset=UTF-8", b"ce-id": b"1"}
    assert format_of(structured) is Format.EVENT
    for wrong in (b"", b"text/plain", b"application/json; charset=gbk", b"application/cloudevents"):
        with pytest.raises(Unsupported):
            format_of({b"content-type": wrong})
    assert coding_of({b"content-encoding": b"X-GZIP"}) == "gzip"
    with pytest.raises(Unsupported):
        coding_of({b"content-encoding": b"br"})


async def test_a_record_is_recognised_with_and_without_headers() -> None:
    event = EVENT | {"data": GOOD}
    one, array = json.dumps(GOOD).encode(), json.dumps([GOOD, GOOD]).encode()
    ce = tuple((f"ce_{name}", value) for name, value in BINARY.items())
    as_event = ("content-type", b"application/cloudevents+json")
    records: list[tuple[tuple[tuple[str, bytes], ...], bytes, int]] = [
        ((), one, 1),
        ((), array, 2),
        ((), json.dumps(event).encode(), 1),
        ((), json.dumps([event, event]).encode(), 2),
        ((), json.dumps(EVENT | {"data": GOOD | {"value": float("nan")}}).encode(), 0),
        ((as_event,), json.dumps(event).encode(), 1),
        ((("content-type", b"application/x-ndjson"),), one + b"\n" + one, 2),
        (ce, one, 1),
        ((*ce, ("content-type", b"application/json")), array, 2),
        ((("Content-Encoding", b"gzip"),), gzip.compress(array), 2),
        ((("content-encoding", b"zstd"),), PACKINGS["zstd"](json.dumps(event).encode()), 1),
    ]
    for headers, value, accepted in records:
        taken = await INTAKE.take_items(read_record(headers, value, 100_000), Rights())
        assert taken.accepted == accepted, (headers, value)
    wrong: list[tuple[tuple[tuple[str, bytes], ...], bytes]] = [
        ((), b"\xff"),
        ((("content-type", b"text/plain"),), one),
        ((("content-encoding", b"gzip"),), one),
        ((("content-encoding", b"gzip"),), gzip.compress(bytes(200_000))),
        ((*ce[1:], ("ce_specversion", b"0.3")), one),
    ]
    for headers, value in wrong:
        with pytest.raises(Unreadable):
            read_record(headers, value, 100_000)
