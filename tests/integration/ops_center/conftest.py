"""A running ops_center on a real database and log, behind the real HTTP server."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ops_center.accounts import ensure_first_login, ensure_screen_token
from services.ops_center.app import build
from shared import runtime
from shared.clock import from_micros, system_clock, to_micros
from shared.contracts.incident import Incident
from shared.contracts.reading import Batch, Reading, encode_batch
from shared.contracts.topics import INCIDENTS, READINGS
from shared.contracts.topics import SENSORS as SENSORS_TOPIC
from shared.eventlog.log import EventLog, Outgoing
from shared.settings import Settings
from shared.store.embedded import free_port
from shared.store.tables import areas, incidents, metrics, progress, readings, sensors
from shared.supervision import supervise
from tests.unit.ops_center.wall import AREAS, METRICS, SENSORS, event
from tests.waiting import PATIENCE

SECONDS = 10.0 * PATIENCE
SQUARE = '{"type":"Polygon","coordinates":[[[112,23],[113,23],[113,24],[112,23]]]}'


@dataclass
class Screen:
    """A wall's socket, with everything it has received."""

    socket: websockets.ClientConnection
    frames: list[dict[str, Any]] = field(default_factory=list)

    async def next(self, kind: str) -> dict[str, Any]:
        """The next frame of a kind; others are kept in `frames`."""
        async with asyncio.timeout(SECONDS):
            while True:
                self.frames.append(json.loads(await self.socket.recv()))
                if self.frames[-1]["type"] == kind:
                    return self.frames[-1]

    @property
    def token(self) -> str:
        return next(str(f["resume"]) for f in reversed(self.frames) if "resume" in f)


@dataclass
class Centre:
    """The running service and its surroundings."""

    port: int
    engine: AsyncEngine
    log: EventLog
    screen_token: str
    login: tuple[str, str]
    data_dir: Path

    def http(self, token: str | None = None) -> httpx.AsyncClient:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        url = f"http://127.0.0.1:{self.port}"
        return httpx.AsyncClient(base_url=url, headers=headers, timeout=SECONDS)

    async def ask(self, path: str, **query: Any) -> Any:
        """What a screen is answered."""
        async with self.http(self.screen_token) as http:
            answer = await http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def connect(self, query: str = "", **more: Any) -> Any:
        url = f"ws://127.0.0.1:{self.port}/v1/live{query}"
        return websockets.connect(url, max_size=None, compression=None, **more)

    @asynccontextmanager
    async def screen(
        self, resume: str | None = None, wanted: dict[str, Any] | None = None
    ) -> AsyncIterator[Screen]:
        async with self.connect(f"?token={self.screen_token}") as socket:
            hello = {"type": "hello", "resume": resume, "filter": wanted}
            await socket.send(json.dumps(hello))
            yield Screen(socket)

    def connect_replay(self, query: str | None = None) -> Any:
        query = f"?token={self.screen_token}" if query is None else query
        url = f"ws://127.0.0.1:{self.port}/v1/replay{query}"
        return websockets.connect(url, max_size=None, compression=None)

    @asynccontextmanager
    async def replay(self, **hello: Any) -> AsyncIterator[Screen]:
        async with self.connect_replay() as socket:
            await socket.send(json.dumps({"type": "hello"} | hello))
            yield Screen(socket)

    async def post(self, *items: Reading) -> None:
        """As the gateway publishes an accepted batch."""
        value = encode_batch(Batch(list(items), to_micros(system_clock()), "test"))
        await self.log.publish([Outgoing(READINGS, items[0].sensor_id, value)])

    async def step(self, made: Incident) -> None:
        """As alerts commits a step and relays it."""
        row = made.model_dump() | {"subjects": list(made.subjects)}
        async with self.engine.begin() as connection:
            await connection.execute(
                text("DELETE FROM alerts.incidents WHERE id = :id"), {"id": made.id}
            )
            await connection.execute(insert(incidents).values(row))
        await self.log.publish([Outgoing(INCIDENTS, str(made.id), event(made))])

    async def store(self, items: Sequence[Reading], next_offsets: dict[int, int]) -> None:
        """As the writer stores rows together with its progress."""
        incarnation = await self.log.incarnation()
        ranks = {"good": 0, "suspect": 1, "bad": 2}
        rows = [
            {
                "sensor_id": item.sensor_id,
                "metric": item.metric,
                "observed_at": from_micros(item.observed_us),
                "value": item.value,
                "quality": ranks[item.quality],
            }
            for item in items
        ]
        marks = [
            {"topic": READINGS, "partition": p, "incarnation": incarnation, "next_offset": at}
            for p, at in next_offsets.items()
        ]
        async with self.engine.begin() as connection:
            await connection.execute(insert(readings), rows)
            if marks:
                await connection.execute(insert(progress), marks)

    async def register(self, sensor_id: str, metric: str, lon: float | None = 112.5) -> None:
        """As ingest registers a sensor: first the row, then the notice."""
        row = {"sensor_id": sensor_id, "metrics": [metric], "lon": lon, "lat": lon and 23.0}
        async with self.engine.begin() as connection:
            await connection.execute(insert(sensors).values(row))
        await self.log.publish([Outgoing(SENSORS_TOPIC, sensor_id, b"{}")])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The service, until the block is left."""
        settings = Settings(port=self.port, data_dir=self.data_dir)
        context = runtime.Context(settings, "", self.engine, self.log)
        service = await build(context)
        server = runtime._server(settings, runtime.make_app(context, [service]))
        stop = asyncio.Event()
        named = {**service.jobs, "endings": context.endings.run}
        jobs = [asyncio.create_task(supervise(*job, stop)) for job in named.items()]
        serving = asyncio.create_task(server.serve())
        await runtime._until_started(server, serving, settings)
        try:
            yield
        finally:
            stop.set()
            server.should_exit = True
            async with asyncio.timeout(SECONDS):
                await asyncio.gather(serving, *jobs)


async def seed(engine: AsyncEngine) -> None:
    levels = {area.area_id: "district" if area.parent_id else "city" for area in AREAS}
    async with engine.begin() as connection:
        for area in AREAS:
            await connection.execute(
                text(
                    "INSERT INTO ingest.areas (area_id, parent_id, level, name_zh, name_en,"
                    " polygon) VALUES (:id, :parent, :level, :zh, :en, CAST(:polygon AS jsonb))"
                ),
                {
                    "id": area.area_id,
                    "parent": area.parent_id,
                    "level": levels[area.area_id],
                    "zh": area.name_zh,
                    "en": area.name_en,
                    "polygon": SQUARE,
                },
            )
        cell = {"area_id": "87411", "level": "cell", "name_zh": "", "name_en": ""}
        await connection.execute(insert(areas).values(cell | {"parent_id": "441202"}))
        fields = METRICS[0].__struct_fields__
        await connection.execute(
            insert(metrics), [{name: getattr(m, name) for name in fields} for m in METRICS]
        )
        names = ("sensor_id", "name", "lon", "lat", "area_id")
        rows = [
            {name: getattr(one, name) for name in names} | {"metrics": list(one.metrics)}
            for one in SENSORS
        ]
        elsewhere = {"sensor_id": "la-1", "name": "", "metrics": ["traffic.speed"]}
        rows.append(elsewhere | {"lon": None, "lat": None, "area_id": None})
        await connection.execute(insert(sensors), rows)


@pytest.fixture
async def idle_centre(engine: AsyncEngine, event_log: EventLog, tmp_path: Path) -> Centre:
    """Seeded, not yet running."""
    await seed(engine)
    token, login = await ensure_screen_token(engine), await ensure_first_login(engine)
    assert token is not None
    assert login is not None
    return Centre(free_port(), engine, event_log, token, login, tmp_path)


@pytest.fixture
async def centre(idle_centre: Centre) -> AsyncIterator[Centre]:
    """Running."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(idle_centre.running())
        yield idle_centre
