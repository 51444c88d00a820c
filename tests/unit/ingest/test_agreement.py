"""The fast decoder accepts and refuses exactly what the contract, `ReadingIn`, does."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.ingest.border.decode import Refusal, Wire, read_body, read_item, spelling
from shared.contracts.reading import ReadingIn

names = st.sampled_from(
    ["gauge-1", "a", "", "x" * 64, "x" * 65, "a b", "é", "a\n", "\0", "ok\u0000"]
)
metrics = st.sampled_from(["water.level", "m", "M", "a..b", ".a", "a.", "m" * 64, "m" * 65, "a\n"])
zones = st.sampled_from(["Z", "z", "+08:00", "-00:00", "+23:59", "+24:00", "+0800", "", " Z", "+8"])
fractions = st.sampled_from(["", ".5", ".123456", ".1234567", ".9999999", ".", ",5", ".000000500"])
numbers = st.integers(0, 99)


@st.composite
def moments(draw: st.DrawFn) -> str:
    """Times that are right, nearly right, or wrong."""
    year = draw(st.sampled_from(["2026", "0001", "9999", "0000", "26", "12026"]))
    month, day = draw(st.integers(0, 13)), draw(st.integers(0, 32))
    hour, minute, second = draw(st.integers(0, 25)), draw(st.integers(0, 61)), draw(numbers)
    gap = draw(st.sampled_from(["T", "t", " ", "_", ""]))
    clock = f"{hour:02d}:{minute:02d}:{second:02d}{draw(fractions)}{draw(zones)}"
    return f"{year}-{month:02d}-{day:02d}{gap}{clock}"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)
good_time = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
values = st.floats(allow_nan=True) | st.integers() | st.sampled_from([10**308, 10**309, -(10**400)])


def mostly(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Usually `right`, sometimes anything at all."""
    return st.one_of(right, right, right, anything)


items = st.fixed_dictionaries(
    {
        "sensor_id": mostly(names),
        "metric": mostly(metrics),
        "observed_at": mostly(good_time | moments()),
        "value": mostly(values),
    },
    optional={
        "quality": mostly(st.sampled_from(["good", "suspect", "bad", "Good"])),
        "replace": mostly(st.booleans()),
        "extra": st.integers(),
    },
)


def contract(raw: bytes) -> ReadingIn | None:
    """What the contract says."""
    try:
        return ReadingIn.model_validate_json(raw)
    except ValidationError:
        return None


def fast(verdict: Wire | Refusal) -> Wire | None:
    """What the gateway makes of it (`spelling` is asked of ids that are not registered)."""
    if isinstance(verdict, Refusal) or spelling(verdict) is not None:
        return None
    return verdict


def agree(raw: bytes, verdict: Wire | Refusal) -> None:
    expected, found = contract(raw), fast(verdict)
    assert (found is None) == (expected is None)
    if expected is not None and found is not None:
        assert (found.sensor_id, found.metric) == (expected.sensor_id, expected.metric)
        assert found.observed_at == expected.observed_at
        assert found.value == expected.value
        assert (found.quality, found.replace) == (expected.quality.value, expected.replace)


@settings(max_examples=600, deadline=None)
@given(items)
def test_one_item_is_judged_as_the_contract_does(item: dict[str, Any]) -> None:
    raw = json.dumps(item).encode()
    agree(raw, read_item(raw))


@settings(max_examples=300, deadline=None)
@given(st.lists(items | anything, min_size=1, max_size=4))
def test_items_of_a_batch_are_judged_as_the_contract_does(batch: list[Any]) -> None:
    body = read_body(json.dumps(batch).encode())
    assert len(body) == len(batch)
    for item, verdict in zip(batch, body.items(0, len(batch)), strict=True):
        agree(json.dumps(item).encode(), verdict)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_break_the_decoder(raw: bytes) -> None:
    agree(raw, read_item(raw))


@settings(max_examples=300, deadline=None)
@given(items, st.integers(0, 200), st.binary(max_size=2))
def test_no_spoilt_byte_breaks_the_decoder(item: dict[str, Any], at: int, noise: bytes) -> None:
    raw = json.dumps(item, ensure_ascii=False).encode("utf-8", "surrogatepass")
    spoilt = raw[:at] + noise + raw[at + len(noise) :]
    agree(spoilt, read_item(spoilt))
