"""The prompt protocol by itself: whatever comes in whichever pieces, the route sees what a parser
would have seen, whether the head was parsed or known."""

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from shared.web.exchange import Headers
from shared.web.prompt import HEADS, Answer, PromptProtocol, prompt_protocol
from tests.waiting import until


class Echo:
    """A prompt way that answers with what it was given; `read` counts the heads it was shown."""

    def __init__(self) -> None:
        self.heads = 0
        self.later: list[tuple[Answer, bytes]] = []
        self.waits = False

    def read(self, headers: Headers) -> Any:
        self.heads += 1
        return dict(headers).get(b"authorization")

    def __call__(self, said: Any, body: bytes, answer: Answer) -> bool:
        if body.startswith(b"no"):
            return False
        found = said + b"|" + body
        if self.waits:
            self.later.append((answer, found))
        else:
            answer(200, found, [])
        return True


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.sent += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        """Whoever tests gives nothing while nothing is read."""

    def resume_reading(self) -> None:
        """See above."""

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name in ("peername", "sockname") else default


class Line:
    """A connection to a server that has one prompt way."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop, self.echo, self.wire = loop, Echo(), Wire()
        self.ordinary = 0  # requests that the application behind was asked
        config = uvicorn.Config(
            self.application, http=prompt_protocol({(b"POST", b"/p"): self.echo}), lifespan="off",
            log_config=None, ws="none", interface="asgi3",
        )  # fmt: skip
        config.load()
        self.protocol: PromptProtocol = config.http_protocol_class(  # type: ignore[assignment,call-arg]
            config=config, server_state=ServerState(), app_state={}, _loop=loop
        )
        self.protocol.connection_made(self.wire)

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers what the prompt way would."""
        self.ordinary += 1
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        found = dict(scope["headers"]).get(b"authorization", b"") + b"|" + body
        length = (b"content-length", b"%d" % len(found))
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": found})

    def give(self, *pieces: bytes) -> list[bytes]:
        """The bodies of what is answered after these pieces."""
        self.wire.sent = b""
        for piece in pieces:
            self.protocol.data_received(piece)
        for _ in range(20):
            self.loop.run_until_complete(asyncio.sleep(0))
        return bodies(self.wire.sent)


def bodies(sent: bytes) -> list[bytes]:
    found = []
    while sent:
        head, _, rest = sent.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields[b"content-length"])
        found.append(rest[:length])
        sent = rest[length:]
    return found


def post(body: bytes, key: bytes = b"k", more: bytes = b"") -> bytes:
    head = b"POST /p HTTP/1.1\r\nHost: c\r\nAuthorization: %b\r\n%bContent-Length: %d\r\n\r\n"
    return head % (key, more, len(body)) + body


@pytest.fixture
def line() -> Iterator[Line]:
    loop = asyncio.new_event_loop()
    made = Line(loop)
    yield made
    made.protocol.connection_lost(None)
    loop.close()


def test_a_head_that_comes_again_is_not_read_again(line: Line) -> None:
    for number in range(5):
        assert line.give(post(b"body %d" % number)) == [b"k|body %d" % number]
    assert line.echo.heads == 1
    assert line.give(post(b"body 1", b"other")) == [b"other|body 1"]
    assert line.echo.heads == 2


def test_few_heads_are_kept(line: Line) -> None:
    for size in range(40):
        assert line.give(post(b"x" * size)) == [b"k|" + b"x" * size]
        assert len(line.protocol._heads) <= HEADS


def test_what_follows_in_the_same_piece_is_not_taken_for_its_body(line: Line) -> None:
    line.give(post(b"one"))
    assert line.give(post(b"two") + post(b"six")) == [b"k|two", b"k|six"]
    assert line.give(post(b"two") + b"POST /p") == [b"k|two"]
    assert line.give(post(b"six").removeprefix(b"POST /p")) == [b"k|six"]


def test_a_known_head_in_pieces_is_parsed(line: Line) -> None:
    line.give(post(b"one"))
    whole = post(b"two")
    for cut in range(1, len(whole)):
        assert line.give(whole[:cut], whole[cut:]) == [b"k|two"], cut


def test_a_known_request_within_a_head_is_a_part_of_it(line: Line) -> None:
    line.give(post(b"one"))
    assert line.give(b"POST /p HTTP/1.1\r\nX: ", post(b"two")) == [b"k|two"]
    assert line.echo.heads == 2


def test_a_body_may_look_like_a_head(line: Line) -> None:
    inner = post(b"one")
    for _ in range(3):
        assert line.give(post(inner)) == [b"k|" + inner]
        assert line.give(inner) == [b"k|one"]
    assert line.give(post(inner)[:-40], post(inner)[-40:]) == [b"k|" + inner]


def test_a_body_in_chunks_is_never_known(line: Line) -> None:
    head = b"POST /p HTTP/1.1\r\nAuthorization: k\r\nTransfer-Encoding: chunked\r\n\r\n"
    for body in (b"3\r\none\r\n0\r\n\r\n", b"3\r\ntwo\r\n0\r\n\r\n", b"4\r\nfour\r\n0\r\n\r\n"):
        assert line.give(head + body) == [b"k|" + body.split(b"\r\n")[1]]
    assert not line.protocol._heads


def test_what_is_not_taken_goes_the_ordinary_way_every_time(line: Line) -> None:
    line.give(post(b"one"))
    for number in range(1, 4):
        assert line.give(post(b"no!")) == [b"k|no!"]
        assert line.ordinary == number
        assert line.give(post(b"two")) == [b"k|two"]
    assert line.ordinary == 3


def test_answers_keep_their_order_while_one_is_awaited(line: Line) -> None:
    line.give(post(b"one"))
    line.echo.waits = True
    assert line.give(post(b"two")) == []
    assert line.give(post(b"six")) == []  # it comes while the one before is not answered
    [(answer, found)] = line.echo.later
    answer(200, found, [])
    assert bodies(line.wire.sent) == [b"k|two"]
    assert line.give() == [b"k|six"]


def test_a_connection_that_closes_takes_nothing_more(line: Line) -> None:
    closing = post(b"one", more=b"Connection: close\r\n")
    assert line.give(closing) == [b"k|one"]
    assert line.wire.closed and not line.protocol._heads


def test_a_connection_is_idle_from_its_last_answer_on(line: Line) -> None:
    """One timer serves many answers, so it may end early, or while something is under way."""
    line.give(post(b"one"))
    first = line.protocol.timeout_keep_alive_task
    line.give(post(b"two"))
    assert line.protocol.timeout_keep_alive_task is first
    line.protocol.timeout_keep_alive_handler()
    assert not line.wire.closed and line.protocol.timeout_keep_alive_task is not None
    line.echo.waits = True
    line.give(post(b"six"))
    line.protocol.timeout_keep_alive = 0
    line.protocol.timeout_keep_alive_handler()
    assert not line.wire.closed
    [(answer, found)] = line.echo.later
    answer(200, found, [])
    line.give()
    assert until(lambda: bool(line.give()) or line.wire.closed, 5)


def test_an_ordinary_answer_begins_the_idle_time_too(line: Line) -> None:
    line.give(post(b"one"))
    line.protocol.timeout_keep_alive = 0
    assert line.give(post(b"no!")) == [b"k|no!"]
    assert until(lambda: bool(line.give()) or line.wire.closed, 5)


PIECES = st.lists(
    st.one_of(
        st.builds(post, st.sampled_from([b"", b"a", b"b", b"no", b"\r\n\r\n", b"longer body"])),
        st.builds(post, st.sampled_from([b"a", b"bb"]), st.sampled_from([b"k", b"l"])),
        st.just(b"GET /g HTTP/1.1\r\nHost: c\r\n\r\n"),
        st.just(b"\r\n"),
    ),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(requests=PIECES, cuts=st.lists(st.integers(1, 400), max_size=12))
def test_however_the_stream_is_cut_the_answers_are_the_same(
    requests: list[bytes], cuts: list[int]
) -> None:
    loop = asyncio.new_event_loop()
    whole, stream = Line(loop), b"".join(requests)
    one_by_one = [body for request in requests for body in whole.give(request)]
    edges = [0, *sorted({min(cut, len(stream)) for cut in cuts}), len(stream)]
    cut = Line(loop)
    pieces = [stream[a:b] for a, b in pairwise(edges) if a < b]
    found = [body for piece in pieces for body in cut.give(piece)]
    for made in (whole, cut):
        made.protocol.connection_lost(None)
    loop.close()
    assert found == one_by_one
