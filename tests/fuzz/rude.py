"""Clients of the sockets that mean no good. Each is a coroutine that holds its connection until the
server ends it."""

import asyncio
import random
import struct
import zlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

CONTINUED, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
UPGRADE = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
STEERS: Sequence[bytes] = (
    b'{"type":"steer","step":1e308}', b'{"type":"steer","step":-1}', b'{"type":"steer","at":"x"}',
    b'{"type":"steer","at":"0001-01-01T00:00:00+23:59"}', b'{"type":"steer","step":1e-320}',
    b'{"type":"steer","at":"9999-12-31T23:59:59-23:59"}', b'{"type":"steer","speed":2}',
)  # fmt: skip
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
HELLO = b'{"type":"hello"}'
PAST = b'{"type":"hello","from":"2020-01-01T00:00:00Z"}'
WRONG_WORDS: Sequence[bytes] = (
    b"", b"null", b"[]", b"7", b'"hello"', b"{}", b'{"type":7}', b'{"type":"snapshot"}',
    b'{"type":"hello","resume":{}}', b'{"type":"hello","resume":"AAAA"}extra', b"[" * 7_000,
    b'{"type":"hello","filter":{"bbox":[1e999,0,1,1]}}', b'{"type":"hello","filter":7}',
    b'{"type":"hello","filter":{"bbox":[-1e308,-1e308,1e308,1e308]}}', b'{"a":' * 1_500,
    b'{"type":"hello","filter":{"areas":["\\ud800"]}}', b'{"type":"hello","accept":"gzip"}',
    b'{"type":"hello","resume":"' + b"A" * 7_900 + b'"}', HELLO * 2, b"\x00", b"x" * 60_000,
    b'{"type":"hello","start":"0001-01-01T00:00:00Z","end":"9999-12-31T23:59:59Z","speed":1e308}',
    b'{"type":"hello","from":"-infinity","to":"infinity"}',
)  # fmt: skip


@dataclass
class Target:
    """Where they go. `token`: one that is let in."""

    port: int
    path: str
    token: str
    chance: random.Random
    opened: int = 0  # connections, so far


Rude = Callable[[Target], Coroutine[Any, Any, None]]


def frame(opcode: int, data: bytes = b"", *, bits: int = 0x80, masked: bool = True) -> bytes:
    """One frame; `bits`: FIN and the reserved ones."""
    flag, size = 0x80 if masked else 0, len(data)
    if size > 65_535:
        length = bytes([flag | 127]) + struct.pack("!Q", size)
    elif size > 125:
        length = bytes([flag | 126]) + struct.pack("!H", size)
    else:
        length = bytes([flag | size])
    return bytes([bits | opcode]) + length + (bytes(4) if masked else b"") + data


def request(target: Target, headers: bytes = UPGRADE + KEY, *, line: bytes = b"") -> bytes:
    """The head of a handshake with the right token."""
    first = line or b"GET %b?token=%b HTTP/1.1" % (target.path.encode(), target.token.encode())
    return first + b"\r\nHost: city\r\n" + headers + b"\r\n"


class Connection:
    """A socket that writes what it likes, and reads only when told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, target: Target) -> "Connection":
        """Not a byte is said yet."""
        made = cls(*await asyncio.open_connection("127.0.0.1", target.port))
        target.opened += 1
        return made

    async def say(self, data: bytes) -> None:
        """Waits while the server takes nothing; silent when it has closed."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError:
            return

    async def upgrade(self, target: Target, more: bytes = b"") -> None:
        """The handshake, as it should be."""
        await self.say(request(target, UPGRADE + KEY + more))
        try:
            await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError):
            return

    def deafen(self) -> None:
        """Take nothing from now on."""
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]

    async def end(self) -> None:
        """Until the server has ended it; whatever it says is thrown away."""
        try:
            while await self._reader.read(65_536):
                pass
        except OSError:
            pass
        finally:
            self._writer.close()

    async def flood(self, data: bytes) -> None:
        """The same again and again, until the server has ended it."""
        while not (self._reader.at_eof() or self._writer.is_closing()):
            await self.say(data)
            await asyncio.sleep(0)
        await self.end()


def saying(*pieces: bytes, upgraded: bool = True) -> Rude:
    """One that says this, then listens."""

    async def one(target: Target) -> None:
        connection = await Connection.open(target)
        if upgraded:
            await connection.upgrade(target)
        for piece in pieces:
            await connection.say(piece)
        await connection.end()

    return one


def flooding(data: bytes, *first: bytes, deaf: bool = False, upgraded: bool = True) -> Rude:
    """One that says `first`, then the same for ever; `deaf`: it takes nothing."""

    async def one(target: Target) -> None:
        connection = await Connection.open(target)
        if upgraded:
            await connection.upgrade(target)
        for piece in first:
            await connection.say(piece)
        if deaf:
            connection.deafen()
        await connection.flood(data)

    return one


async def deaf_screen(target: Target) -> None:
    """Says hello as it should, and takes nothing; it answers no ping."""
    connection = await Connection.open(target)
    await connection.say(request(target))
    connection.deafen()
    await connection.say(frame(TEXT, HELLO))
    await asyncio.sleep(3600)


async def garbage(target: Target) -> None:
    """Right frames with some bytes wrong."""
    connection = await Connection.open(target)
    await connection.upgrade(target)
    data = bytearray(frame(TEXT, HELLO) + frame(PING, b"x") + frame(TEXT, b'{"type":"ping"}') * 4)
    for _ in range(target.chance.randrange(1, 6)):
        data[target.chance.randrange(len(data))] = target.chance.randrange(256)
    await connection.say(bytes(data) + target.chance.randbytes(target.chance.randrange(200)))
    await connection.end()


def bomb() -> bytes:
    """64 MB of nothing in a compressed message."""
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(bytes(64 * 1024 * 1024)) + packer.flush(zlib.Z_SYNC_FLUSH)
    return frame(TEXT, packed[:60_000], bits=0xC0)


async def bombing(target: Target) -> None:
    """Offers compression and sends a bomb, whatever the answer."""
    connection = await Connection.open(target)
    await connection.upgrade(target, DEFLATE)
    await connection.say(bomb())
    await connection.end()


def handshakes() -> dict[str, Rude]:
    """Handshakes with something wrong."""
    wrong: dict[str, Callable[[Target], bytes]] = {
        "no key": lambda target: request(target, UPGRADE),
        "bad key": lambda target: request(target, UPGRADE + KEY.replace(b"=", b"\xff")),
        "two keys": lambda target: request(target, UPGRADE + KEY * 2),
        "old version": lambda target: request(target, UPGRADE.replace(b"13", b"7") + KEY),
        "no version": lambda t: request(t, UPGRADE.partition(b"Sec")[0] + KEY),
        "HTTP/1.0": lambda t: request(t, line=b"GET %b HTTP/1.0" % t.path.encode()),
        "POST": lambda target: request(target, line=b"POST %b HTTP/1.1" % target.path.encode()),
        "nowhere": lambda target: request(target, line=b"GET /v1/nothing HTTP/1.1"),
        "bad address": lambda target: request(target, line=b"GET /v1/live?\xff\xfe\x01 HTTP/1.1"),
        "bad escape": lambda target: request(target, line=b"GET /v1/%ff%fe?token=%zz HTTP/1.1"),
        "bad header": lambda target: request(target, UPGRADE + KEY + b"X\xff\x01: \xff\xff\r\n"),
        "another upgrade": lambda t: request(t, UPGRADE.replace(b"websocket", b"h2c") + KEY),
        "HTTP/2": lambda _: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "TLS": lambda _: bytes.fromhex("16030100a5010000a10303") + bytes(160),
        "no token": lambda target: request(target, line=b"GET %b HTTP/1.1" % target.path.encode()),
    }  # fmt: skip

    def one(head: Callable[[Target], bytes]) -> Rude:
        async def say(target: Target) -> None:
            await saying(head(target), frame(TEXT, HELLO), upgraded=False)(target)

        return say

    return {name: one(head) for name, head in wrong.items()}


def everyone() -> dict[str, Rude]:
    """All of them, by what they do."""
    hello = frame(TEXT, HELLO)
    ping = frame(TEXT, b'{"type":"ping"}')
    return {
        "silent": saying(upgraded=False),
        "half a head": saying(b"GET /v1/live HTTP/1.1\r\nHost:", upgraded=False),
        "endless head": flooding(b"X-More: " + b"x" * 4_000 + b"\r\n", b"GET / HTTP/1.1\r\n",
                                 upgraded=False),
        "endless header": flooding(b"x" * 4_000, b"GET / HTTP/1.1\r\nX: ", upgraded=False),
        "endless address": flooding(b"x" * 4_000, b"GET /", upgraded=False),
        "no hello": saying(),
        "half a frame": saying(hello[:5]),
        "hello, then half a frame": saying(hello, ping[:3]),
        "deaf": deaf_screen,
        "deaf, with pings": flooding(frame(PING, bytes(120)), hello, deaf=True),
        "flood of pings": flooding(frame(PING, bytes(120)), hello),
        "flood of pongs": flooding(frame(PONG), hello),
        "flood of frames": flooding(ping, hello),
        "flood of filters": flooding(frame(TEXT, b'{"type":"filter","filter":null}'), hello),
        "flood of hellos": flooding(hello),
        "endless pieces": flooding(frame(CONTINUED, bits=0), frame(TEXT, b"{", bits=0)),
        "endless message": flooding(frame(CONTINUED, b"x" * 8_000, bits=0),
                                    frame(TEXT, b"{", bits=0)),
        "announced too large": saying(b"\x81\xff" + struct.pack("!Q", 2**40) + bytes(4)),
        "negative length": saying(b"\x81\xff" + b"\xff" * 8 + bytes(4)),
        "too large": saying(frame(TEXT, b"x" * 1_000_000)),
        "no mask": saying(frame(TEXT, HELLO, masked=False)),
        "reserved bits": saying(frame(TEXT, HELLO, bits=0xF0)),
        "reserved opcode": saying(frame(0x3, HELLO)),
        "long ping": saying(frame(PING, bytes(126))),
        "ping in pieces": saying(frame(PING, bits=0)),
        "piece of nothing": saying(frame(CONTINUED, HELLO)),
        "bad UTF-8": saying(frame(TEXT, b'{"type":"hello\xff\xfe"}')),
        "bad UTF-8, later": saying(hello, frame(TEXT, b"\xc3\x28")),
        "binary": saying(frame(BINARY, HELLO)),
        "bad close": saying(frame(CLOSE, b"\x00")),
        "close with a bad code": saying(frame(CLOSE, struct.pack("!H", 999))),
        "close with bad UTF-8": saying(frame(CLOSE, struct.pack("!H", 1000) + b"\xff")),
        "hello twice": saying(hello, hello),
        "bomb": bombing,
        "garbage": garbage,
        **{f"words {n}": saying(frame(TEXT, words)) for n, words in enumerate(WRONG_WORDS)},
        **{f"steer {n}": saying(frame(TEXT, PAST), frame(TEXT, words))
           for n, words in enumerate(STEERS)},
        **{f"handshake: {name}": one for name, one in handshakes().items()},
    }  # fmt: skip
