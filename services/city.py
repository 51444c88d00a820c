"""The whole city in one process: every service, one port, and the simulator beside them."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from services import first_start
from services.alerts import app as alerts
from services.ingest import app as ingest
from services.ops_center import app as ops_center
from services.simulator import app as simulator
from services.watch.rounds import Rounds
from shared.eventlog.open import open_log
from shared.runtime import Context, Service, run_services
from shared.settings import Settings
from shared.store.engine import make_engine


async def run(settings: Settings, database_url: str, say: Callable[[str], None]) -> None:
    """Until a signal; drains, then returns. Raises `Misconfigured` or `Unavailable`."""
    await first_start.prepare(settings, database_url)
    say("starting the services")
    async with AsyncExitStack() as stack:
        log = await open_log(settings, database_url)
        stack.push_async_callback(log.close)
        engine = make_engine(database_url, settings.pool_size * 2)
        stack.push_async_callback(engine.dispose)
        public = settings.public_url or settings.address
        settings = settings.model_copy(update={"public_url": public})
        context = Context(settings, database_url, engine, log)
        services = [
            await ingest.build(context),
            await alerts.build(context),
            *([_simulated_city(settings)] if settings.simulator == "on" else []),
            *([_watch(settings)] if settings.watch == "on" else []),
            await ops_center.build(context),
        ]
        await run_services(context, services, announce=lambda: _announce(settings, say))
    say("stopped")


def _simulated_city(settings: Settings) -> Service:
    key = first_start.load(settings.credentials_path).get("api_key", "")
    url = settings.address
    options = simulator.CityOptions(
        url=url, key=key, speed=settings.simulator_speed,
        verify=settings.tls_cert_file is None,  # it asks itself, by an address no certificate names
    )  # fmt: skip

    async def play(stop: asyncio.Event) -> None:
        await simulator.run_city(options, stop)

    return Service("simulator", jobs={"simulator": play})


def _announce(settings: Settings, say: Callable[[str], None]) -> None:
    base = settings.address
    say("ready")
    print(
        f"\n  wall     {base}/{first_start.wall_query(settings.credentials_path)}"
        f"\n  console  {base}/console"
        f"\n  API      {base}/docs"
        f"\n  keys     {settings.credentials_path}"
        "\n  Ctrl-C stops it; its data stays.\n",
        flush=True,
    )


def _watch(settings: Settings) -> Service:
    """The platform's readings about itself: here it is one process."""
    address = settings.address
    rounds = Rounds(
        {"city": address}, address, first_start.load(settings.credentials_path).get("api_key", ""),
        verify=settings.tls_cert_file is None,  # as of the simulator
    )  # fmt: skip
    return Service("watch", jobs={"watch": rounds.run})
