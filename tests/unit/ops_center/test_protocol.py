"""What clients may send, and tokens that nobody can forge into an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops_center.protocol import (
    Refusal,
    Token,
    canonical,
    decode_client,
    decode_hello,
    decode_token,
    encode_token,
    filter_key,
)
from shared.contracts.live import ClientHello, ClientPing, Filter


def test_hello_and_ping_are_understood() -> None:
    assert decode_hello('{"type":"hello"}') == ClientHello()
    full = '{"type":"hello","resume":null,"filter":{"domains":["traffic"],"areas":null},"new":1}'
    assert decode_hello(full) == ClientHello(None, Filter(["traffic"], None))
    assert decode_client('{"type":"ping"}') == ClientPing()


@pytest.mark.parametrize(
    "text",
    [
        None,
        b"{}",
        "",
        "[]",
        "{}",
        '{"type":"snapshot"}',
        '{"type":"ping"}',
        '{"type":"hello","resume":7}',
        '{"type":"hello","filter":{"domains":["weather"]}}',
        '{"type":"hello","filter":[]}',
        '{"type":"hello","resume":"' + "x" * 9000 + '"}',
        '{"type":"hello","filter":{"areas":[' + ",".join(['"a"'] * 65) + "]}}",
        "\ud800",
        "[" * 5000,
    ],
)
def test_anything_else_is_refused_with_a_reason(text: str | bytes | None) -> None:
    with pytest.raises(Refusal) as refusal:
        decode_hello(text)
    assert refusal.value.code == 4400
    assert 0 < len(refusal.value.reason.encode()) <= 123


@given(st.text())
def test_no_text_breaks_the_decoders(text: str) -> None:
    assert decode_token(text) is None
    with pytest.raises(Refusal):
        decode_client(text)


offsets = st.lists(st.integers(0, 2**62), max_size=8).map(tuple)


@given(st.text(), st.text(max_size=20), offsets, offsets, st.integers(0, 2**60))
def test_a_token_comes_back_as_it_was(
    incarnation: str, registry: str, readings: tuple[int, ...], incidents: tuple[int, ...], at: int
) -> None:
    token = Token(incarnation[:50], registry, "", readings, incidents, at)
    assert decode_token(encode_token(token)) == token


def test_a_negative_offset_is_no_token() -> None:
    assert decode_token(encode_token(Token("a", "b", "", (-1,), (0,), 0))) is None


def test_the_same_wish_has_the_same_key() -> None:
    one = Filter(domains=["traffic", "utilities", "traffic"], areas=["b", "a"])
    other = Filter(domains=["utilities", "traffic"], areas=["a", "b"])
    assert filter_key(canonical(one)) == filter_key(canonical(other)) != ""
    assert filter_key(canonical(None)) == filter_key(canonical(Filter())) == ""
    assert filter_key(canonical(Filter(domains=[]))) != ""
