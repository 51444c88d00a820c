"""Routes that are served before the framework."""

from collections.abc import Mapping

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send


class HotPaths:
    """Serves exact (method, path) pairs before the framework sees them; a socket's method is
    `WEBSOCKET`."""

    def __init__(
        self, app: FastAPI, otherwise: ASGIApp, routes: Mapping[tuple[str, str], ASGIApp]
    ) -> None:
        self._app = app
        self._otherwise = otherwise
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        method = scope["method"] if scope["type"] == "http" else scope["type"].upper()
        hot = self._routes.get((method, scope["path"]))
        if hot is not None:
            scope["app"] = self._app
            await hot(scope, receive, send)
            return
        await self._otherwise(scope, receive, send)
