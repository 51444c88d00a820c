"""Posts that are not plain JSON: other formats, packed bodies, and those to be remembered."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

from starlette.types import Receive

from services.ingest.border.acceptance import Acceptance, Poster, malformed
from services.ingest.border.decode import Items, Malformed, read_body
from services.ingest.border.formats.cloudevents import BadHeaders
from services.ingest.border.formats.media import (
    ACCEPTED,
    Format,
    Unsupported,
    attributes_of,
    coding_of,
    format_of,
)
from services.ingest.border.formats.parts import Parts
from services.ingest.border.formats.read import read_format
from services.ingest.border.formats.unpack import Corrupt, unpacker
from services.ingest.border.group_commit import Trace
from services.ingest.border.idempotency import Memory, key_of
from services.ingest.border.stream import Stream
from services.ingest.requests import BodyReader
from shared.web.problems import Problem

Headers = dict[bytes, bytes]
Answered = tuple[int, bytes, bool]  # status, body, whether it is an earlier answer again


class Posts:
    """Answers them."""

    def __init__(
        self, acceptance: Acceptance, streams: Callable[[Poster], Stream], bodies: BodyReader,
        memory: Memory,
    ) -> None:  # fmt: skip
        self._acceptance = acceptance
        self._streams = streams
        self._bodies = bodies
        self._memory = memory

    async def take(self, poster: Poster, headers: Headers, receive: Receive) -> Answered:
        """The answer. Raises `Problem`, `Gone` or `Unavailable`."""
        form, coding = negotiate(headers)
        key = key_of(headers)
        if form is Format.LINES:
            if key is not None:
                raise _no_key_for_streams()
            portions = self._bodies.portions(receive)
            return *(await self._streams(poster).take(portions, coding)), False
        body = await self._bodies.read(headers, receive)
        held = len(body)
        try:
            body = await self._unpack(body, coding)
            held += len(body) if coding else 0
            answer = self._answer_of(poster, form, headers, body)
            if key is None:
                return *(await answer()), False
            fingerprint = _fingerprint(form, headers, body)
            return await self._memory.once(poster.identity.key_id, key, fingerprint, answer)
        finally:
            self._bodies.release(held)

    def _answer_of(
        self, poster: Poster, form: Format, headers: Headers, body: bytes
    ) -> Callable[[], Awaitable[tuple[int, bytes]]]:
        async def answer() -> tuple[int, bytes]:
            items, trace = read_post(form, headers, body)
            return await self._acceptance.take(poster, items, len(body), trace)

        return answer

    async def _unpack(self, body: bytes, coding: str | None) -> bytes:
        if coding is None:
            return body
        source, found = unpacker(coding), bytearray()
        try:
            for piece in source.feed(body):
                self._bodies.hold(len(piece), len(found) + len(piece))
                found += piece
                await asyncio.sleep(0)
            source.end()
        except BaseException as error:
            self._bodies.release(len(found))
            if isinstance(error, Corrupt):
                raise corrupt(error) from None
            raise
        return bytes(found)


def negotiate(headers: Headers) -> tuple[Format, str | None]:
    """Format and coding. Raises `Problem` 415, which says what is taken."""
    try:
        return format_of(headers), coding_of(headers)
    except Unsupported as error:
        accepts = {"Accept-Encoding": "gzip, zstd"} if error.coding else {"Accept-Post": ACCEPTED}
        raise Problem(
            415, "Unsupported media type", error.detail, code="unsupported_media_type",
            headers=accepts,
        ) from None  # fmt: skip


def read_post(form: Format, headers: Headers, body: bytes) -> tuple[Items, Trace | None]:
    """The items of a body, and what traces them. Raises `Problem` 400."""
    try:
        if form is Format.JSON:
            return read_body(body), None
        items: Parts = read_format(form, attributes_of(headers, b"ce-"), body)
        return items, items.trace
    except Malformed as error:
        raise malformed(error) from None
    except BadHeaders as error:
        detail = f"The header ce-{error.header} is wrong: {error.detail}."
        raise Problem(
            400, "Malformed event", detail, code="malformed", header=f"ce-{error.header}"
        ) from None


def corrupt(error: Corrupt) -> Problem:
    """A body that is not packed as it says."""
    detail = f"The body cannot be unpacked: {error.detail}, at byte {error.position}."
    return Problem(400, "Malformed body", detail, code="malformed", position=error.position)


def _fingerprint(form: Format, headers: Headers, body: bytes) -> bytes:
    """The same for the same request, however it was packed."""
    found = hashlib.sha256(form.value.encode())
    for name, value in sorted(attributes_of(headers, b"ce-").items()):
        found.update(b"\0%s\0%s" % (name.encode(), value))
    found.update(b"\0\0" + body)
    return found.digest()


def _no_key_for_streams() -> Problem:
    detail = (
        "A stream is not remembered under an Idempotency-Key. Send it without: readings that are"
        " stored already change nothing, so it may be repeated as often as needed."
    )
    return Problem(400, "No Idempotency-Key for streams", detail, code="idempotency_stream")
