"""What the tests of alerts share: rules, readings on the log, an engine that can be killed, and
real receivers that misbehave."""

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.duties import files as duty_files
from services.alerts.duties.roster import Roster
from services.alerts.engine.engine import Engine
from services.alerts.engine.places import Places
from services.alerts.engine.repository import Repository
from services.alerts.incidents.gathering import Gathering
from services.alerts.incidents.repository import Desk
from services.alerts.rules.rule import Flapping, Rule, Title
from shared.clock import system_clock, to_micros
from shared.contracts.incident import Incident
from shared.contracts.reading import Batch, Reading, encode_batch
from shared.contracts.topics import READINGS
from shared.eventlog.log import EventLog, Outgoing
from shared.store.tables import incidents, timeline
from shared.web.identity import Grant, Identity
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
START = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
ACCEPTED = START + timedelta(minutes=30)  # within the hour, however long ago this was imported
RULE = Rule(
    id="gas", title=Title(zh="燃气", en="gas"), metric="gas.concentration",
    above=20.0, deadband=5.0, grade=2, priority=1, flapping=Flapping(raises=100),
)  # fmt: skip
DELAYED = RULE.model_copy(update={"id": "slow", "for_seconds": 5, "metric": "water.level"})
RULES = [RULE, DELAYED]
LOOPBACK = (ip_network("127.0.0.0/8"),)

Values = Sequence[tuple[str, str, int, float]]  # sensor, metric, second after START, value


def outgoing(values: Values, accepted: datetime | None = None) -> Outgoing:
    """One record of readings, in the partition of the first one's sensor."""
    items = [
        Reading(sensor, metric, to_micros(START + timedelta(seconds=second)), value)
        for sensor, metric, second, value in values
    ]
    batch = Batch(items, to_micros(accepted or ACCEPTED), "test")
    return Outgoing(READINGS, items[0].sensor_id, encode_batch(batch))


def gas(second: int, value: float, sensor: str = "a") -> tuple[str, str, int, float]:
    """A reading of the rule without delay."""
    return (sensor, "gas.concentration", second, value)


async def repository(engine: AsyncEngine, log: EventLog) -> Repository:
    """A store of its own, as a new process would have it."""
    gathering = Gathering(system_clock)
    return Repository(engine, await log.incarnation(), gathering, asyncio.Event())


def roster(engine: AsyncEngine) -> Roster:
    """The shipped duties."""
    return Roster(engine, duty_files.load(ROOT / "rules" / "duties"), system_clock)


def person(name: str, role: str = "admin") -> Identity:
    """Somebody who has a role in all of the city."""
    grants = (Grant(role),)
    return Identity("person", name, role, frozenset(), f"person:{name}", grants=grants)


def desk(engine: AsyncEngine) -> Desk:
    """What people work at."""
    return Desk(engine, asyncio.Event(), roster(engine))


async def play(
    engine: AsyncEngine, log: EventLog, until: int, rules: Sequence[Rule] = RULES
) -> None:
    """An engine from its last position until `until` records are written, then dead."""
    store = await repository(engine, log)
    running = asyncio.create_task(Engine(rules, Places(store), store).run(log, asyncio.Event()))

    async def done() -> bool:
        assert not running.done(), running.exception()
        return await written(store) >= until

    assert await eventually(done, 20)
    running.cancel()  # no farewell: as if killed
    await asyncio.gather(running, return_exceptions=True)


async def written(store: Repository) -> int:
    """Records whose effects are in the database."""
    return sum((await store.written()).values())


async def post(engine: AsyncEngine, log: EventLog, *values: tuple[str, str, int, float]) -> None:
    """Publish each reading as a record of its own and have all of them judged."""
    before = await written(await repository(engine, log))
    await log.publish([outgoing([value]) for value in values])
    await play(engine, log, before + len(values))


async def all_incidents(engine: AsyncEngine) -> list[Incident]:
    """Oldest event first."""
    query = select(incidents).order_by(incidents.c.observed_at, incidents.c.rule_id, incidents.c.id)
    async with engine.connect() as connection:
        return [Incident(**row._mapping) for row in await connection.execute(query)]


async def steps(engine: AsyncEngine) -> list[tuple[str, int, str]]:
    """(incident, version, type) of every step."""
    query = select(timeline.c.incident_id, timeline.c.version, timeline.c.type)
    async with engine.connect() as connection:
        return sorted((str(row[0]), row[1], row[2]) for row in await connection.execute(query))


class Receiver:
    """A real HTTP server that answers from a script, the last answer for ever. Headers of a script
    that steer it: `x-endless` (a body without end), `x-hold` (no answer before `release`), `x-cut`
    (the connection ends before the answer), `x-body` (the answer's body)."""

    def __init__(self, *script: tuple[int, dict[str, str]]) -> None:
        self.script = script or ((200, {}),)
        self.seen: list[tuple[dict[str, str], str]] = []
        self.release = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def ids(self) -> list[str]:
        """`webhook-id` of everything that came."""
        return [headers["webhook-id"] for headers, _ in self.seen]

    def close(self) -> None:
        """Answer whoever waits, then stop."""
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = self.rfile.read(length)
                if len(body) < length:  # its sender died in the middle: nothing has come
                    self.close_connection = True
                    return
                named = {k.lower(): v for k, v in self.headers.items()}
                receiver.seen.append((named, body.decode()))
                place = min(len(receiver.seen), len(receiver.script)) - 1
                status, headers = receiver.script[place]
                if "x-hold" in headers:
                    receiver.release.wait(60)
                if "x-cut" in headers:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "x-endless" not in headers:
                    self.send_header("content-length", str(len(headers.get("x-body", ""))))
                self.end_headers()
                self.wfile.write(headers.get("x-body", "").encode())
                while "x-endless" in headers:
                    try:
                        self.wfile.write(b"x" * 65536)
                    except OSError:
                        return

            def log_message(self, *_: object) -> None:
                pass

        return Handler
