"""What a rude peer does to a connection ends it, soon; a polite one never notices."""

import asyncio
import os
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from shared.runtime import Server
from shared.web import patience, wire
from shared.web.limit import BodyLimit
from shared.web.prompt import prompt_protocol
from shared.web.wire import WireProtocol

SOON = 20.0
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: city\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
PLAIN = b"GET / HTTP/1.1\r\nHost: city\r\n\r\n"
TEXT, CONTINUED, BINARY, PING, PONG = 0x1, 0x0, 0x2, 0x9, 0xA


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Echoes bodies and messages; `/flood` sends more than any buffer holds."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            if message.get("text") == "flood":
                while True:
                    await send({"type": "websocket.send", "bytes": bytes(1024 * 1024)})
            await send({"type": "websocket.send", "text": str(len(message.get("text") or ""))})
        return
    more = scope["path"] != "/flood"
    body = b""
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(64 if scope["path"] == "/flood" else 0):
        part = {"type": "http.response.body", "body": bytes(1024 * 1024), "more_body": True}
        await send(part)
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def served(body_seconds: float = 30.0) -> AsyncIterator[tuple[int, Callable[[], int]]]:
    """(port, how many connections the server has)."""
    config = uvicorn.Config(
        BodyLimit(application, 1_000_000, body_seconds), port=0, loop="none", lifespan="off",
        http=prompt_protocol({}), ws=WireProtocol, ws_max_size=64 * 1024, log_config=None,
        ws_per_message_deflate=False, ws_ping_interval=None, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield port, lambda: len(server.server_state.connections)
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits of a fraction of a second."""
    for name in ("HEAD_SECONDS", "STALLED_SECONDS"):
        monkeypatch.setattr(patience, name, 0.3)


def frame(opcode: int, data: bytes = b"", *, last: bool = True) -> bytes:
    """A client's frame, masked with zeros."""
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack("!H", len(data))
    return bytes([(0x80 if last else 0) | opcode]) + size + bytes(4) + data


async def connected(port: int, said: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    return reader, writer


async def all_of(reader: asyncio.StreamReader) -> bytes:
    """Until the server ends it."""
    async with asyncio.timeout(SOON):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


async def gone(count: Callable[[], int]) -> None:
    async with asyncio.timeout(SOON):
        while count():
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    "said",
    [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: city\r\n", b"\r\n\r\n", PLAIN + b"GET / H"],
)
async def test_a_head_that_never_ends_is_not_waited_for(said: bytes) -> None:
    async with served() as (port, count):
        reader, _ = await connected(port, said)
        await all_of(reader)
        await gone(count)


async def test_a_head_without_bounds_is_refused() -> None:
    async with served() as (port, count):
        for begun in (b"GET / HTTP/1.1\r\nX: ", b"GET /", PLAIN[:-2] + b"A: b\r\n" * 9_000):
            reader, _ = await connected(port, begun + b"x" * patience.HEAD_BYTES)
            assert b" 431 " in (await all_of(reader)).partition(b"\r\n")[0]
        await gone(count)


async def test_trailers_without_bounds_are_refused() -> None:
    head = b"POST / HTTP/1.1\r\nHost: city\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
    async with served() as (port, count):
        _, writer = await connected(port, head + b"X-Trailer: ")
        async with asyncio.timeout(SOON):
            while not writer.is_closing():
                writer.write(b"x" * 10_000)
                await asyncio.sleep(0.01)
        await gone(count)


async def test_a_body_that_never_comes_is_not_waited_for() -> None:
    head = b"POST / HTTP/1.1\r\nHost: city\r\nConnection: close\r\nContent-Length: 9\r\n\r\nabc"
    async with served(body_seconds=0.3) as (port, count):
        reader, _ = await connected(port, head)
        assert b"408" in (await all_of(reader)).partition(b"\r\n")[0]
        await gone(count)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("socket", [False, True])
async def test_a_peer_that_takes_nothing_is_cut_off(socket: bool) -> None:
    async with served() as (port, count):
        reader, writer = await connected(
            port, UPGRADE if socket else PLAIN.replace(b"/ ", b"/flood ", 1)
        )
        await reader.readuntil(b"\r\n\r\n")
        writer.write(frame(TEXT, b"flood") if socket else b"")
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        async with asyncio.timeout(SOON):
            while not count():
                await asyncio.sleep(0.01)
        await gone(count)
        assert reader is not None


@pytest.mark.parametrize(
    "flood",
    [
        frame(PING, os.urandom(100)) * 200,
        frame(PONG) * 200,
        frame(TEXT, b"x", last=False) + frame(CONTINUED, last=False) * 200,
    ],
    ids=["pings", "pongs", "pieces"],
)
async def test_floods_that_no_handler_sees_end_the_socket(flood: bytes) -> None:
    async with served() as (port, count):
        reader, writer = await connected(port, UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(flood)
        said = await all_of(reader)
        assert struct.pack("!H", 1008) + b"too many " in said
        await gone(count)


async def test_a_text_that_is_none_ends_the_socket_and_is_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with served() as (port, count):
        for said in (frame(TEXT, b"\xc3\x28"), frame(TEXT, b"\xe6", last=False)
                     + frame(CONTINUED, b"x")):  # fmt: skip
            reader, writer = await connected(port, UPGRADE)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(said)
            assert struct.pack("!H", 1007) in await all_of(reader)
        await gone(count)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.usefixtures("hurried")
async def test_polite_peers_are_served_as_ever() -> None:
    async with served() as (port, count):
        reader, writer = await connected(port, UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        pieces = [frame(TEXT, b"x" * 100, last=False)]
        pieces += [frame(CONTINUED, b"x" * 100, last=n == wire.PIECES - 2)
                   for n in range(wire.PIECES - 1)]  # fmt: skip
        writer.write(b"".join(pieces) + frame(PING, b"here"))
        expected = {b"\x81\x04%d" % (100 * wire.PIECES), b"\x8a\x04here"}
        async with asyncio.timeout(SOON):
            assert {await reader.readexactly(6) for _ in range(2)} == expected
        again, speaker = await connected(port, PLAIN)
        for _ in range(300):
            await again.readuntil(b"0\r\n\r\n")
            speaker.write(PLAIN)
        await again.readuntil(b"0\r\n\r\n")
        rude, _ = await connected(port, b"GET")
        assert await all_of(rude) == b""  # so long no head was waited for
        writer.write(frame(TEXT, b"still here"))
        assert await reader.readexactly(4) == b"\x81\x0210"
        writer.close()
        speaker.close()
        await gone(count)
