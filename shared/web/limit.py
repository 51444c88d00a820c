"""No request makes us hold more than the largest body that is allowed, or wait for it for ever."""

import asyncio

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web.problems import Problem, problem_response

BODY_SECONDS = 30.0


async def read_at_most(request: Request, most_bytes: int) -> bytes:
    """The body of a request to a route that takes less than others. `Problem` 413."""
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > most_bytes:
            raise Problem(413, "Too large", f"more than {most_bytes} bytes", code="too_large")
    return bytes(raw)


class BodyLimit:
    """Answers 413 as soon as a body is, or says it is, larger than `max_bytes`; 408 when it is not
    there in `seconds`."""

    def __init__(self, app: ASGIApp, max_bytes: int, seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self._max_bytes:
            await problem_response(self._too_large())(scope, receive, send)
            return
        seen, whole, begun, refused = 0, False, False, False
        until = asyncio.get_running_loop().time() + self._seconds

        async def refuse(problem: Problem) -> Message:
            nonlocal refused
            refused = True
            if not begun:
                await problem_response(problem)(scope, receive, send)
            return {"type": "http.disconnect"}

        async def counted() -> Message:
            nonlocal seen, whole
            try:
                async with asyncio.timeout_at(None if whole else until):
                    message = await receive()
            except TimeoutError:
                return await refuse(self._too_slow())
            seen += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            return await refuse(self._too_large()) if seen > self._max_bytes else message

        async def unless_refused(message: Message) -> None:
            nonlocal begun
            if begun or not refused:
                begun = True
                await send(message)

        await self._app(scope, counted, unless_refused)

    def _too_slow(self) -> Problem:
        detail = f"The body did not arrive within {self._seconds:.0f} s."
        return Problem(408, "Request timeout", detail, code="timeout")

    def _too_large(self) -> Problem:
        limit = f"a body has at most {self._max_bytes} bytes (YIWANG_MAX_BODY_BYTES)"
        return Problem(413, "Content too large", limit, code="too_large")
