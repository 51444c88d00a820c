"""What every answer tells a browser: run and show only what is ours, guess nothing, tell no other
site where it came from, and stay with https once it was https."""

import base64
import hashlib
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import logs
from shared.web.auth import origin_of_scope

HSTS = "max-age=31536000; includeSubDomains"
_NOTHING = {"default-src": "'none'", "frame-ancestors": "'none'", "base-uri": "'none'"}
PAGE = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}


def policy(rules: Mapping[str, str]) -> str:
    """A Content-Security-Policy."""
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def style_source(css: str) -> str:
    """The source expression that allows one `<style>` element with exactly this text."""
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return f"'sha256-{digest}'"


_DEFAULTS = {
    "Content-Security-Policy": policy(_NOTHING),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # a wall's address carries its token
}


class SecurityHeaders:
    """Adds to every answer what it does not say itself, and the request's id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = origin_of_scope(scope).request_id
        logs.about(request=request_id)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _DEFAULTS.items():
                    headers.setdefault(name, value)
                headers["X-Request-Id"] = request_id
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = HSTS
            await send(message)

        await self._app(scope, receive, with_headers)
