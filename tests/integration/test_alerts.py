"""Alerts on a real database and the embedded log: restarts, commands, real receivers."""

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine
from standardwebhooks import Webhook

from services.alerts.deliverer import Deliverer
from services.alerts.endpoints import Endpoints
from services.alerts.engine import Engine
from services.alerts.lifecycle import Command, step
from services.alerts.places import CachedPlaces
from services.alerts.relay import Relay
from services.alerts.repository import Repository
from services.alerts.rule import Rule, Title
from services.alerts.sender import Sender
from shared.clock import system_clock, to_micros
from shared.contracts.incident import AlertState, Incident, IncidentState
from shared.contracts.reading import Batch, Reading, encode_batch
from shared.contracts.topics import INCIDENTS, READINGS
from shared.eventlog.log import EventLog, Outgoing
from shared.pause import eventually
from shared.store.tables import incidents, timeline

START = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
RULE = Rule(
    id="gas", title=Title(zh="燃气", en="gas"), metric="gas.concentration",
    above=20, deadband=5, grade=2, priority=1,
)  # fmt: skip
DELAYED = RULE.model_copy(update={"id": "slow", "for_seconds": 5, "metric": "water.level"})
LOOPBACK = (ip_network("127.0.0.0/8"),)


def outgoing(values: list[tuple[str, str, int, float]], accepted: datetime) -> Outgoing:
    """One record of (sensor, metric, second, value)."""
    items = [
        Reading(sensor, metric, to_micros(START + timedelta(seconds=second)), value)
        for sensor, metric, second, value in values
    ]
    batch = Batch(items, to_micros(accepted), "test")
    return Outgoing(READINGS, items[0].sensor_id, encode_batch(batch))


async def repository(engine: AsyncEngine, log: EventLog) -> Repository:
    return Repository(engine, await log.incarnation(), system_clock, asyncio.Event())


async def play(engine: AsyncEngine, log: EventLog, until_offset: int) -> None:
    """An engine from its last position until it has taken `until_offset` records, then dead."""
    store = await repository(engine, log)
    judge = Engine([RULE, DELAYED], CachedPlaces(store), store)
    stop = asyncio.Event()
    running = asyncio.create_task(judge.run(log.consume(READINGS, "alerts"), stop))

    async def done() -> bool:
        _, positions = await store.load()
        return sum(positions.values()) >= until_offset

    assert await eventually(done, 20)
    running.cancel()  # no farewell: as if killed
    await asyncio.gather(running, return_exceptions=True)


async def all_incidents(engine: AsyncEngine) -> list[Incident]:
    async with engine.connect() as connection:
        rows = await connection.execute(select(incidents).order_by(incidents.c.rule_id))
        return [Incident(**row._mapping) for row in rows]


STREAM: list[list[tuple[str, str, int, float]]] = [
    [("a", "gas.concentration", 0, 30), ("b", "water.level", 0, 30)],
    [("a", "gas.concentration", 1, 31), ("b", "water.level", 3, 30)],
    [("b", "water.level", 5, 30)],
    [("a", "gas.concentration", 2, 10)],
    [("a", "gas.concentration", 3, 50), ("b", "water.level", 6, 1)],
    [("a", "gas.concentration", 4, 10)],
]


async def test_restarts_anywhere_change_nothing(engine: AsyncEngine, event_log: EventLog) -> None:
    now = system_clock()
    for number, values in enumerate(STREAM, start=1):
        await event_log.publish([outgoing(values, now)])
        await play(engine, event_log, number)
    found = await all_incidents(engine)
    assert [(item.rule_id, item.subjects, item.version) for item in found] == [
        ("gas", ("a",), 4),  # opened, cleared, fired again, cleared
        ("slow", ("b",), 2),
    ]
    assert all(item.alert_state is AlertState.CLEARED for item in found)
    assert [item.observed_at for item in found] == [START, START]
    async with engine.connect() as connection:
        steps = await connection.execute(select(timeline.c.type).order_by(timeline.c.at))
        assert len(steps.all()) == 6


async def test_a_record_seen_again_opens_nothing_twice(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    record = outgoing([("a", "gas.concentration", 0, 30)], system_clock())
    await event_log.publish([record])
    await play(engine, event_log, 1)
    store = await repository(engine, event_log)
    [opened] = await all_incidents(engine)
    await command(store, opened, Command.CLOSE)
    await event_log.publish([record, outgoing([("a", "gas.concentration", 1, 1)], system_clock())])
    await play(engine, event_log, 3)
    assert [item.state for item in await all_incidents(engine)] == [IncidentState.CLOSED]


async def command(store: Repository, incident: Incident, name: Command) -> object:
    return await store.command(
        incident.id,
        lambda found: step(found, name, system_clock(), note="n", version=incident.version),
        "tester",
        f"incident.{name}",
        "n",
    )


async def test_old_data_opens_a_historical_incident_and_calls_nobody(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    endpoints = Endpoints(engine, system_clock)
    await endpoints.add("http://127.0.0.1:9/", ["*"])
    late = system_clock() + timedelta(hours=2)
    await event_log.publish([outgoing([("a", "gas.concentration", 0, 30)], late)])
    await play(engine, event_log, 1)
    [found] = await all_incidents(engine)
    assert found.historical
    assert await endpoints.deliveries(state=None, endpoint_id=None, after=None, limit=10) == []


async def test_of_two_who_act_at_once_one_is_told(engine: AsyncEngine, event_log: EventLog) -> None:
    await event_log.publish([outgoing([("a", "gas.concentration", 0, 30)], system_clock())])
    await play(engine, event_log, 1)
    [found] = await all_incidents(engine)
    store = await repository(engine, event_log)
    outcomes = await asyncio.gather(*(command(store, found, Command.ACKNOWLEDGE) for _ in range(5)))
    assert sum(isinstance(outcome, Incident) for outcome in outcomes) == 1


async def test_every_step_reaches_the_log_in_order(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    await event_log.publish([outgoing([("a", "gas.concentration", 0, 30)], system_clock())])
    await play(engine, event_log, 1)
    [found] = await all_incidents(engine)
    store = await repository(engine, event_log)
    await command(store, found, Command.ACKNOWLEDGE)
    relay = Relay(engine, event_log, asyncio.Event())
    assert await relay.publish_some() == 2
    assert await relay.publish_some() == 0
    async with event_log.read(INCIDENTS, {}) as reader:
        records = await reader.batch(10, 5)
    kinds = [json.loads(record.value)["type"] for record in records]
    assert kinds == ["incident.opened", "incident.acknowledge"]


class Receiver:
    """A real HTTP server that answers from a script, the last answer for ever."""

    def __init__(self, script: list[tuple[int, dict[str, str]]]) -> None:
        self.script = script
        self.seen: list[tuple[dict[str, str], str]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                receiver.seen.append(({k.lower(): v for k, v in self.headers.items()}, body))
                place = min(len(receiver.seen), len(receiver.script)) - 1
                status, headers = receiver.script[place]
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if "x-endless" in headers:
                    self._pour()

            def _pour(self) -> None:
                try:
                    while True:
                        self.wfile.write(b"x" * 65536)
                except OSError:
                    pass

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receivers() -> Iterator[list[Receiver]]:
    made: list[Receiver] = []
    yield made
    for receiver in made:
        receiver.server.shutdown()
        receiver.server.server_close()


async def deliver(engine: AsyncEngine, receiver_urls: list[str], settled: int) -> list[dict]:  # type: ignore[type-arg]
    """Open an incident's worth of deliveries and run the deliverer until `settled` attempts."""
    endpoints = Endpoints(engine, system_clock)
    deliverer = Deliverer(endpoints, Sender(LOOPBACK), system_clock, asyncio.Event())
    stop = asyncio.Event()
    running = asyncio.create_task(deliverer.run(stop))

    async def enough() -> bool:
        rows = await endpoints.deliveries(state=None, endpoint_id=None, after=None, limit=100)
        return sum(len(row["attempts"]) for row in rows) >= settled

    assert await eventually(enough, 25)
    stop.set()
    await running
    return await endpoints.deliveries(state=None, endpoint_id=None, after=None, limit=100)


async def test_a_delivery_is_signed_and_in_the_ledger(
    engine: AsyncEngine, event_log: EventLog, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver([(200, {})]))
    made = await Endpoints(engine, system_clock).add(receivers[0].url, ["incident.opened"])
    await event_log.publish([outgoing([("a", "gas.concentration", 0, 30)], system_clock())])
    await play(engine, event_log, 1)
    [row] = await deliver(engine, [receivers[0].url], 1)
    assert (row["state"], row["attempts"][0]["status"]) == ("delivered", 200)
    headers, body = receivers[0].seen[0]
    assert Webhook(made["secret"]).verify(body, headers)
    assert json.loads(body)["data"]["rule_id"] == "gas"
    assert UUID(headers["webhook-id"]) == row["delivery_id"]


@pytest.mark.timeout(120)
async def test_a_failing_receiver_is_tried_again_with_the_same_id_and_delays_nobody(
    engine: AsyncEngine, event_log: EventLog, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver([(500, {}), (200, {})]))
    receivers.append(Receiver([(200, {})]))
    receivers.append(Receiver([(301, {"location": "http://127.0.0.1:9/"})]))
    receivers.append(Receiver([(410, {})]))
    receivers.append(Receiver([(200, {"x-endless": "1"})]))
    endpoints = Endpoints(engine, system_clock)
    for receiver in receivers:
        await endpoints.add(receiver.url, ["*"])
    await endpoints.add("http://127.0.0.1:9/", ["*"])  # nobody listens there
    await event_log.publish([outgoing([("a", "gas.concentration", 0, 30)], system_clock())])
    await play(engine, event_log, 1)
    await deliver(engine, [], 8)  # six first attempts, two seconds ones after five seconds
    failing, healthy, redirecting, gone, endless = (receiver.seen for receiver in receivers)
    assert len(healthy) == 1
    assert len(endless) == 1
    assert [headers["webhook-id"] for headers, _ in failing] == [failing[0][0]["webhook-id"]] * 2
    assert redirecting
    shown = {item["url"]: item["enabled"] for item in await endpoints.everyone()}
    assert shown[receivers[3].url] is False
    assert len(gone) == 1


async def test_a_private_receiver_is_refused_at_the_connection(
    engine: AsyncEngine, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver([(200, {})]))
    sender = Sender(())
    answer = await sender.post(receivers[0].url, {}, "{}")
    by_name = receivers[0].url.replace("127.0.0.1", "localhost")
    assert answer.status is None
    assert "not a public address" in answer.error
    assert "not a public address" in (await sender.post(by_name, {}, "{}")).error
    assert receivers[0].seen == []
    async with engine.connect() as connection:
        assert (await connection.execute(select(func.count()).select_from(incidents))).scalar() == 0
