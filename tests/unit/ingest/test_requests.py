"""JSON and texts as they can be kept and sent on."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.quarantine.aside import readable
from services.ingest.requests import parsed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False,
    allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [b'"\\ud800"', b'{"\\udc00": 1}', b"NaN", b"[1e999]", b"-Infinity", b"", b"{", b'"\xff"',
     b"[" * 100_000, b"\xef\xbb\xbf1"],
)  # fmt: skip
def test_what_can_neither_be_kept_nor_sent_on_is_no_json(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parsed(body)


@given(JSON)
def test_all_other_json_is(value: object) -> None:
    assert parsed(json.dumps(value).encode()) == value


@given(st.text(st.characters() | st.sampled_from("\0\ud800\udfff")))
def test_a_reason_is_always_a_text_that_the_database_can_hold(text: str) -> None:
    made = readable(text)
    assert "\0" not in made
    assert len(made.encode()) >= len(text)


def test_a_plain_reason_stays_as_it_is() -> None:
    assert readable("水位 outside the range") == "水位 outside the range"
