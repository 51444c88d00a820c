"""Runs services: one HTTP server and every background job, until a signal says stop."""

import asyncio
import gc
import logging
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, cast

import uvicorn
from fastapi import APIRouter, FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from shared import logs, tracing
from shared.clock import Clock, system_clock
from shared.disclosure.declaration import Declaration
from shared.disclosure.files import declaration
from shared.errors import Misconfigured, Unavailable
from shared.eventlog.log import EventLog
from shared.eventlog.open import open_log
from shared.loop_lag import LoopLag
from shared.settings import Settings, load
from shared.store.engine import make_engine
from shared.supervision import Job, drain, patiently, supervise
from shared.vitals import Vitals
from shared.web import docs, openapi, problems
from shared.web.accesses import Accesses
from shared.web.authenticator import Authenticator
from shared.web.disclosing import Disclosing
from shared.web.endings import Endings
from shared.web.health import Check, health_router, unready
from shared.web.hot_paths import HotPaths
from shared.web.limit import BodyLimit
from shared.web.prompt import Routes, prompt_protocol
from shared.web.security import SecurityHeaders
from shared.web.wire import WireProtocol

_log = logging.getLogger(__name__)

# A server's young objects die with their request: looking for cycles among the rest is 12 % of a
# small POST's time with CPython's own thresholds of 700, 10, 10.
COLLECT_AFTER = (20_000, 20, 20)
SCHEMAS = {"alerts": "alerts", "ops_center": "ops"}  # by service; all others: ingest's


@dataclass(frozen=True)
class Context:
    """What every composition root is given."""

    settings: Settings
    database_url: str
    engine: AsyncEngine
    log: EventLog
    clock: Clock = system_clock

    @cached_property
    def disclosure(self) -> Declaration:
        """Which field of which data has which level. Raises `Misconfigured`."""
        return declaration(self.settings.disclosure_file)

    @cached_property
    def accesses(self) -> Accesses:
        """One for all doors of the process."""
        return Accesses(self.engine, self.clock)

    @cached_property
    def authenticator(self) -> Authenticator:
        """One for all doors of the process."""
        return Authenticator(self.engine, self.clock)

    @cached_property
    def endings(self) -> Endings:
        """Tells whoever serves a key that it has ended."""
        return Endings(self.engine, self.clock, self.authenticator)


@dataclass(frozen=True)
class Service:
    """What a composition root returns: edges to serve and jobs to run.

    `jobs` return soon after their event is set; one that raises is restarted with backoff.
    `checks` answer None when fine, else why not. `raw_routes` are served before the framework,
    `prompts` before ASGI.
    """

    name: str
    routers: Sequence[APIRouter] = ()
    jobs: Mapping[str, Job] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)
    mounts: Mapping[str, ASGIApp] = field(default_factory=dict)
    raw_routes: Mapping[tuple[str, str], ASGIApp] = field(default_factory=dict)
    prompts: Routes = field(default_factory=dict)
    closers: Sequence[Callable[[], Awaitable[None]]] = ()


Build = Callable[[Context], Awaitable[Service]]


class Server(uvicorn.Server):
    """uvicorn without its own signal handling: `run_services` decides when to stop."""

    def capture_signals(self) -> nullcontext[None]:  # type: ignore[override]
        """Leave the process's signals alone."""
        return nullcontext()


def make_app(context: Context, services: Sequence[Service]) -> ASGIApp:
    """One ASGI application of all routers, mounts and raw routes."""
    app = FastAPI(title="Yiwang 一网", version="1", docs_url=None, redoc_url=None)
    app.state.authenticator = context.authenticator
    app.state.disclosure = context.disclosure
    app.state.accesses = context.accesses
    app.state.endings = context.endings
    problems.install(app)
    openapi.install(app)
    raw: dict[tuple[str, str], ASGIApp] = {}
    for service in services:
        for router in service.routers:
            app.include_router(router)
        raw |= service.raw_routes
    app.include_router(health_router(_checks(context, services)))
    app.include_router(docs.docs_router())
    app.mount("/docs/ui", docs.FILES)
    for service in services:  # last: a mount at "/" takes whatever is left
        for path, mounted in service.mounts.items():
            app.mount(path, mounted)
    told = Disclosing(app, context.disclosure, context.accesses)
    secured = SecurityHeaders(BodyLimit(told, context.settings.max_body_bytes))
    proxies = context.settings.trusted_proxies.split(",")
    return HotPaths(app, cast(ASGIApp, ProxyHeadersMiddleware(cast(Any, secured), proxies)), raw)


def _checks(context: Context, services: Sequence[Service]) -> dict[str, Check]:
    """Of the process: the database's, and those of its services."""
    checks: dict[str, Check] = {"database": _database_check(context.engine)}
    for service in services:
        checks |= service.checks
    return checks


async def run_services(
    context: Context,
    services: Sequence[Service],
    *,
    announce: Callable[[], None] | None = None,
) -> None:
    """Serve and work until SIGTERM or SIGINT, then drain (see `supervision.drain`).

    Raises `Misconfigured` when the port is taken.
    """
    tracing.configure(context.settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    prompts = {route: way for service in services for route, way in service.prompts.items()}
    server = _server(context.settings, make_app(context, services), prompts)
    jobs = [
        asyncio.create_task(supervise(name, job, stop), name=name)
        for service in services
        for name, job in service.jobs.items()
    ]
    vitals = Vitals(context.settings, partial(unready, _checks(context, services)))
    own = _own_jobs(context, services) | {"vitals": vitals.run}
    jobs += [
        asyncio.create_task(supervise(name, job, stop), name=name) for name, job in own.items()
    ]
    serving = asyncio.create_task(server.serve(), name="http")
    try:
        await _until_started(server, serving, context.settings)
        _collect_less()
        if announce is not None:
            announce()
        await asyncio.wait(
            {asyncio.create_task(stop.wait()), serving}, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        stop.set()
        server.should_exit = True
        await drain([serving, *jobs])
        for service in services:
            for close in service.closers:
                await close()
        await asyncio.to_thread(tracing.close)


def _own_jobs(context: Context, services: Sequence[Service]) -> dict[str, Job]:
    """What every process does, whatever it serves. Accesses are written into the schema of the
    service that it is; where it is several, into that of the last."""
    schemas = [SCHEMAS.get(service.name, "ingest") for service in services]
    return {
        "loop lag": LoopLag().run,
        "endings": context.endings.run,
        "accesses": partial(context.accesses.run, schemas[-1] if schemas else "ingest"),
    }


def _collect_less() -> None:
    """What was made at the start stays: the collector need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def run_process(build: Build) -> None:
    """One service as a process of its own, on the servers that the environment names."""
    settings = load()
    logs.configure(settings.log_level)
    if settings.database_url is None:
        raise SystemExit("YIWANG_DATABASE_URL is not set (`make run` needs none)")
    try:
        uvicorn_loop_run(_run_alone(settings, settings.database_url, build))
    except (Misconfigured, Unavailable) as error:
        raise SystemExit(str(error)) from error


def uvicorn_loop_run(main: Awaitable[None]) -> None:
    """`asyncio.run` on uvloop where the platform has it."""
    factory = uvicorn.Config("", loop="auto", log_config=None).get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_await(main))


async def _await(main: Awaitable[None]) -> None:
    await main


async def _run_alone(settings: Settings, database_url: str, build: Build) -> None:
    async with AsyncExitStack() as stack:
        log = await patiently(lambda: open_log(settings, database_url))
        stack.push_async_callback(log.close)
        engine = make_engine(database_url, settings.pool_size)
        stack.push_async_callback(engine.dispose)
        context = Context(settings, database_url, engine, log)
        service = await patiently(lambda: build(context))
        await run_services(context, [service])


def _server(settings: Settings, app: ASGIApp, prompts: Routes | None = None) -> Server:
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        ssl_certfile=settings.tls_cert_file,
        ssl_keyfile=settings.tls_key_file,
        loop="none",
        http=prompt_protocol(prompts or {}),
        ws=WireProtocol,
        ws_max_size=64 * 1024,
        ws_per_message_deflate=False,  # it would compress each shared frame once per screen
        ws_ping_interval=10,
        ws_ping_timeout=15,
        access_log=False,
        log_config=None,
        lifespan="off",
        server_header=False,
        proxy_headers=False,  # see `make_app`: the hot paths do not ask who the client is
        timeout_graceful_shutdown=3,
        backlog=4096,
    )
    return Server(config)


async def _until_started(server: Server, serving: "asyncio.Task[None]", settings: Settings) -> None:
    while not server.started:
        if serving.done():
            raise Misconfigured(
                f"cannot listen on {settings.host}:{settings.port} (YIWANG_PORT): already in use?"
            )
        await asyncio.sleep(0.01)


def _database_check(engine: AsyncEngine) -> Check:
    async def check() -> str | None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        return None

    return check
