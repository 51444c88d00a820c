"""Reading a request by hand, for the hot path: no framework between socket and decoder."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec
from starlette.types import Message, Receive, Send

from services.ingest import metrics
from shared.errors import Overloaded
from shared.web.limit import BODY_SECONDS
from shared.web.problems import Problem

MAX_HELD_BYTES = 128 * 1024 * 1024  # of all requests together
STREAM_BYTES = 4 * 1024 * 1024  # what a stream may hold: a slice, its items, a portion
LINGER_SECONDS = 0.25  # a stream that pauses so long wants what it has sent to be dealt with

Headers = Iterable[tuple[bytes, bytes]]


class Gone(Exception):
    """The client hung up before its request was complete."""


class BodyReader:
    """Reads bodies up to `max_bytes` each, and to `MAX_HELD_BYTES` together."""

    def __init__(self, max_bytes: int, max_held: int = MAX_HELD_BYTES) -> None:
        self._max_bytes = max_bytes
        self._max_held = max_held
        self._held = 0
        metrics.HELD_BYTES.set_function(lambda: self._held)

    async def read(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        """The whole body; `release` it afterwards. Raises `Problem` 413 as soon as the bound is
        passed, 408 when it does not come, `Overloaded`, or `Gone`."""
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > self._max_bytes:
            raise self._too_large()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                message = await receive()
        except TimeoutError:
            raise _too_slow() from None
        body: bytes = message.get("body", b"")
        self._check(message, len(body), len(body))
        if message.get("more_body"):
            body = await self._rest(body, receive)
        else:
            self._held += len(body)
        return body

    async def portions(self, receive: Receive) -> AsyncIterator[bytes]:
        """A body of any length as it comes in; b"" while it pauses. Raises `Problem` 408 when it
        pauses for too long, `Overloaded`, or `Gone`."""
        self.hold(STREAM_BYTES, 0)
        try:
            more = True
            while more:
                coming = asyncio.ensure_future(receive())
                try:
                    waited = 0.0
                    while not (await asyncio.wait({coming}, timeout=LINGER_SECONDS))[0]:
                        waited += LINGER_SECONDS
                        if waited >= BODY_SECONDS:
                            raise _too_slow()
                        yield b""
                finally:
                    coming.cancel()
                message = coming.result()
                if message["type"] == "http.disconnect":
                    raise Gone
                yield message.get("body", b"")
                more = message.get("more_body", False)
        finally:
            self.release(STREAM_BYTES)

    def hold(self, added: int, size: int) -> None:
        """Hold `added` more bytes of what is now a body of `size`. Raises as `read` does."""
        if size > self._max_bytes:
            raise self._too_large()
        if self._held + added > self._max_held:
            raise Overloaded("too many request bodies at once", 1)
        self._held += added

    def release(self, size: int) -> None:
        """The body of `size` bytes is no longer needed."""
        self._held -= size

    async def _rest(self, first: bytes, receive: Receive) -> bytes:
        body = bytearray(first)
        self._held += len(body)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                more = True
                while more:
                    message = await receive()
                    chunk: bytes = message.get("body", b"")
                    self._check(message, len(body) + len(chunk), len(chunk))
                    body += chunk
                    self._held += len(chunk)
                    more = message.get("more_body", False)
        except BaseException as error:
            self._held -= len(body)
            if isinstance(error, TimeoutError):
                raise _too_slow() from None
            raise
        return bytes(body)

    def _check(self, message: Message, size: int, added: int) -> None:
        if message["type"] == "http.disconnect":
            raise Gone
        if size > self._max_bytes:
            raise self._too_large()
        if self._held + added > self._max_held:
            raise Overloaded("too many request bodies at once", 1)

    def _too_large(self) -> Problem:
        detail = f"A body has at most {self._max_bytes} bytes."
        return Problem(
            413, "Body too large", detail, code="too_large", max_body_bytes=self._max_bytes
        )


def parsed(body: bytes) -> Any:
    """JSON as it can be kept and sent on. Raises ValueError for what is none, or holds what no
    text or number can be: half a surrogate pair, NaN, a number beyond all floats."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def bearer(headers: dict[bytes, bytes]) -> str | None:
    """The token of `Authorization: Bearer …`."""
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() != b"bearer":
        return None
    return token.strip().decode("latin-1") or None


def announced(headers: dict[bytes, bytes]) -> int:
    """The body's bytes as its header states them, 0 if it does not."""
    length = headers.get(b"content-length", b"")
    return int(length) if length.isdigit() else 0


def check_content_type(headers: dict[bytes, bytes]) -> None:
    """`Problem` 415 unless it is JSON in UTF-8, not encoded."""
    if headers.get(b"content-type") == b"application/json" and b"content-encoding" not in headers:
        return
    kind, *parameters = headers.get(b"content-type", b"").lower().split(b";")
    charsets = [p.split(b"=")[1].strip(b' "') for p in parameters if p.strip()[:8] == b"charset="]
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if kind.strip() != b"application/json" or set(charsets) - {b"utf-8", b"utf8", b"us-ascii"}:
        raise _unsupported("Send readings as application/json in UTF-8.")
    if encoding != b"identity":
        raise _unsupported("An encoded (compressed) body is not accepted.")


async def respond(send: Send, status: int, body: bytes, more: Headers = ()) -> None:
    """A JSON answer with `more` headers."""
    length = b"%d" % len(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", length), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _too_slow() -> Problem:
    detail = f"The body did not arrive within {BODY_SECONDS:.0f} s."
    return Problem(408, "Request timeout", detail, code="timeout")


def _unsupported(detail: str) -> Problem:
    headers = {"Accept-Post": "application/json"}
    return Problem(
        415, "Unsupported media type", detail, code="unsupported_media_type", headers=headers
    )
