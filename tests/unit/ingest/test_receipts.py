"""Receipts survive the way there and back; anything else is garbage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.border.receipts import Garbage, decode, digest, encode

places = st.tuples(st.integers(0, 65_535), st.integers(0, 2**63 - 1))


@given(st.lists(places, min_size=1, max_size=20), st.text())
def test_a_receipt_names_its_positions(where: list[tuple[int, int]], incarnation: str) -> None:
    token = encode(incarnation, where)
    receipt = decode(token)
    assert receipt.places == tuple(where)
    assert receipt.life == digest(incarnation)
    assert token.isascii() and not set(token) & set("/+=?&#% ")


@given(st.text(max_size=80))
def test_text_is_garbage(text: str) -> None:
    with pytest.raises(Garbage):
        decode(text)


def test_a_changed_letter_is_noticed() -> None:
    token = encode("life", [(1, 5)])
    swapped = "B" if token[14] != "B" else "C"
    with pytest.raises(Garbage):
        decode(token[:14] + swapped + token[15:])
