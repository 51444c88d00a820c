"""What clients may send, and tokens that nobody can forge into an error."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

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
from services.ops_center.replay.requests import change_of, wish_of
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


def test_a_token_that_is_nested_too_deeply_is_none() -> None:
    raw = b'["a","b","c",[1],[1],1,' + b"[" * 1_400
    assert decode_token(base64.urlsafe_b64encode(raw).decode()) is None


def test_a_negative_offset_is_no_token() -> None:
    assert decode_token(encode_token(Token("a", "b", "", (-1,), (0,), 0))) is None


def test_the_same_wish_has_the_same_key() -> None:
    one = Filter(domains=["traffic", "utilities", "traffic"], areas=["b", "a"])
    other = Filter(domains=["utilities", "traffic"], areas=["a", "b"])
    assert filter_key(canonical(one)) == filter_key(canonical(other)) != ""
    assert filter_key(canonical(None)) == filter_key(canonical(Filter())) == ""
    assert filter_key(canonical(Filter(domains=[]))) != ""


words = st.sampled_from(["type", "hello", "filter", "ping", "painted", "steer", "resume", "accept",
                         "bbox", "areas", "domains", "sent_at", "from", "to", "at", "step", "speed",
                         "playing", "2026-01-01T00:00:00Z"]) | st.text(max_size=6)  # fmt: skip
numbers = st.integers(-(2**70), 2**70) | st.floats() | st.sampled_from([1e308, -1e308, 5e-324])
frames = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(words, inner, max_size=6),
    max_leaves=20,
)
kinds = st.sampled_from(["hello", "filter", "ping", "painted", "steer"])


@given(st.dictionaries(words, frames, max_size=6), kinds)
def test_whatever_a_client_says_is_understood_or_refused(said: dict[str, Any], kind: str) -> None:
    text = json.dumps(said | {"type": kind})
    now = datetime(2026, 5, 1, tzinfo=UTC)
    for hear in (decode_client, decode_hello, change_of, lambda one: wish_of(one, now)):
        try:
            hear(text)
        except Refusal as refusal:
            assert 4400 <= refusal.code < 4500
            assert 0 < len(refusal.reason.encode()) <= 123


@pytest.mark.parametrize("opening", ['{"type":"hello","x":', '{"a":', '{"type":"steer","a":[', "["])
def test_what_is_nested_too_deeply_is_refused(opening: str) -> None:
    text = opening + '{"a":[' * 1_300
    for hear in (decode_client, change_of):
        with pytest.raises(Refusal):
            hear(text)


@pytest.mark.parametrize("step", ["1e308", "-1", "0", "601", "1e999", "NaN", '"1"'])
def test_a_step_of_a_replay_that_is_none_is_refused(step: str) -> None:
    with pytest.raises(Refusal):
        change_of(f'{{"type":"steer","step":{step}}}')
