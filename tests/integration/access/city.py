"""All services behind one address, and everybody who may ask them something."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Message

from services.alerts import app as alerts
from services.ingest import app as ingest
from services.ops_center import app as ops_center
from shared.eventlog.log import EventLog
from shared.runtime import Context, Service, make_app
from shared.settings import Settings
from shared.store.tables import accounts, api_keys, areas, screen_tokens, sessions
from shared.web.authenticator import token_hash
from tests.integration.access.table import DISTRICT, GUEST, HANDLER, KEYS, ROLES

LATER = datetime(2099, 1, 1, tzinfo=UTC)
HOME = "441203"
GRANTS: list[dict[str, Any]] = [
    {"role": role, "area_id": HOME, "domain": None} for role in ("operator", "dispatcher")
]
FILLINGS = ("zz", "0b6c2a0e-8a57-5c57-9f0c-0d5a8ed1c6b1", "1", "zz-1", "traffic.speed")


@dataclass
class City:
    """The services' application, asked without a network. A route whose last parameter is one of
    some words (the commands) is a route for each of them."""

    app: ASGIApp
    routes: list[tuple[str, str]]
    document: dict[str, Any]
    client: httpx.AsyncClient
    context: Context

    def address(self, method: str, path: str) -> str:
        """A path whose parameters name nothing that exists, but could."""
        known = self.document["paths"]
        stem = path.rpartition("/")[0] + "/{"
        template = next((one for one in known if one == path), None) or next(
            (one for one in known if one.startswith(stem)), path
        )
        operation = known.get(template, {}).get(method.lower(), {})
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path":
                value = _filling(parameter["schema"])
                path = path.replace("{" + parameter["name"] + "}", value)
        return re.sub(r"\{[^}]+\}", "zz", path)

    async def ask(self, method: str, path: str, who: str) -> int:
        """The status of an empty request; of a socket that says nonsense the code of its close."""
        if method == "WS":
            return await _socket(self.app, path, who)
        headers = {} if who == "nobody" else {"Authorization": f"Bearer {who}"}
        body = None if method in ("GET", "HEAD", "DELETE") else b"{}"
        headers |= {"Content-Type": "application/json"} if body else {}
        address = self.address(method, path)
        answer = await self.client.request(method, address, headers=headers, content=body)
        return answer.status_code


@asynccontextmanager
async def city(
    engine: AsyncEngine,
    log: EventLog,
    database_url: str,
    folder: Path,
    disclosure: Path | None = None,
) -> AsyncIterator[City]:
    """Everything of every service, without its jobs. `disclosure`: the city's own levels."""
    await invite(engine)
    context = Context(
        Settings(data_dir=folder, disclosure_file=disclosure), database_url, engine, log
    )
    services = [await one.build(context) for one in (ingest, alerts, ops_center)]
    app = make_app(context, services)
    found = {*_routes(_framework(app)), *(one for s in services for one in _raw(s))}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://city") as client:
        document = (await client.get("/openapi.json")).json()
        yield City(app, sorted(_worded(found, document)), document, client, context)
    for service in services:
        for close in service.closers:
            await close()


async def invite(engine: AsyncEngine) -> None:
    """Everybody's token is what the table calls them."""
    async with engine.begin() as connection:
        district = {"area_id": HOME, "level": "district", "name_zh": "x", "name_en": "x"}
        await connection.execute(insert(areas).values(district).on_conflict_do_nothing())
        people: Mapping[str, Mapping[str, Any]] = {
            **{role: {"role": role} for role in ROLES}, DISTRICT: {"grants": GRANTS}, GUEST: {},
            HANDLER: {"role": "viewer", "department": "水利局"},
        }  # fmt: skip
        for name, held in people.items():
            person = {"username": name, "password_hash": "", **held}
            await connection.execute(insert(accounts).values(person).on_conflict_do_nothing())
            session = {"token_sha256": token_hash(name), "username": name, "expires_at": LATER}
            await connection.execute(insert(sessions).values(session))
        screen = {"token_sha256": token_hash("screen"), "name": "wall"}
        await connection.execute(insert(screen_tokens).values(screen))
        for scope in KEYS:
            key = {"key_id": scope, "name": scope, "prefix": scope, "scopes": [scope]}
            digest = token_hash(f"{scope} key")
            await connection.execute(insert(api_keys).values(key | {"token_sha256": digest}))


def _framework(app: ASGIApp) -> FastAPI:
    inner: Any = app
    while not isinstance(inner, FastAPI):
        inner = inner._app
    return inner


def _routes(router: Any) -> Iterator[tuple[str, str]]:
    """Of an application or router, with the routers that it includes (they have their prefix)."""
    for route in router.routes:
        match route:
            case Route():
                yield from ((method, route.path) for method in (route.methods or set()) - {"HEAD"})
            case WebSocketRoute():
                yield "WS", route.path
            case Mount():
                yield "GET", f"{route.path}/{{file}}"
            case _:
                yield from _routes(route.original_router)


def _worded(
    found: Iterable[tuple[str, str]], document: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    for method, path in found:
        operation = document["paths"].get(path, {}).get(method.lower(), {})
        last: Mapping[str, Any] = next(
            (
                one
                for one in operation.get("parameters", ())
                if one["in"] == "path" and path.endswith("{" + one["name"] + "}")
            ),
            {},
        )
        schema = last.get("schema", {})
        name = schema.get("$ref", "").rpartition("/")[2]
        schema = document["components"]["schemas"].get(name, schema)
        words = schema.get("enum")
        before, _, _ = path.rpartition("/")
        yield from ((method, f"{before}/{word}") for word in words or ())
        if not words:
            yield method, path


def _raw(service: Service) -> Iterator[tuple[str, str]]:
    for method, path in service.raw_routes:
        yield "WS" if method == "WEBSOCKET" else method, path
    yield from ((method.decode(), path.decode()) for method, path in service.prompts)


def _filling(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return str(schema["enum"][0])
    if schema.get("format") == "uuid":
        return str(UUID(int=7))
    pattern = re.compile(schema.get("pattern", ""))
    return next(one for one in FILLINGS if pattern.search(one))


async def _socket(app: ASGIApp, path: str, who: str) -> int:
    coming: list[Message] = [
        {"type": "websocket.connect"}, {"type": "websocket.receive", "text": "nonsense"}
    ]  # fmt: skip
    sent: asyncio.Queue[Message] = asyncio.Queue()

    async def receive() -> Message:
        return coming.pop(0) if coming else {"type": "websocket.disconnect", "code": 1006}

    scope = {
        "type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [] if who == "nobody" else [(b"authorization", f"Bearer {who}".encode())],
        "subprotocols": [], "client": ("127.0.0.1", 1), "server": ("city", 80), "scheme": "ws",
    }  # fmt: skip
    await app(scope, receive, sent.put)
    while (message := await sent.get())["type"] != "websocket.close":
        pass
    return int(message["code"])
