"""Webhooks against real receivers that are slow, broken, gone, throttling or hostile."""

import asyncio
import json
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from standardwebhooks import Webhook

from services.alerts.delivery.deliverer import LEASE_SECONDS
from services.alerts.delivery.endpoints import Endpoints, Which
from services.alerts.delivery.sender import Sender
from services.alerts.incidents.lifecycle import STEPS, Command, step
from shared.clock import system_clock
from shared.contracts.incident import Incident
from shared.eventlog.log import EventLog
from shared.store.tables import deliveries
from tests.integration.alerting import (
    Receiver,
    all_incidents,
    desk,
    gas,
    outgoing,
    person,
    play,
    post,
)
from tests.integration.delivering import NOWHERE, Desk
from tests.waiting import eventually


async def acknowledge(engine: AsyncEngine, incident: Incident) -> None:
    await desk(engine).command(
        incident.id,
        lambda found: step(found, Command.ACKNOWLEDGE, system_clock()),
        person("somebody"),
        STEPS[Command.ACKNOWLEDGE],
        "",
    )


async def test_a_delivery_is_signed_and_in_the_ledger(
    engine: AsyncEngine, event_log: EventLog, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver())
    desk = Desk(engine)
    made = await desk.endpoints.add(receivers[0].url, ["incident.opened"])
    await post(engine, event_log, gas(0, 30), gas(1, 1))
    [row] = await desk.attempts(1)
    await desk.close()
    assert (row["state"], row["attempts"][0]["status"]) == ("delivered", 200)
    assert row["attempts"][0]["latency_ms"] > 0
    [(headers, body)] = receivers[0].seen
    assert Webhook(made["secret"]).verify(body, headers)
    assert json.loads(body)["type"] == "incident.opened"
    assert json.loads(body)["data"]["rule_id"] == "gas"
    assert UUID(headers["webhook-id"]) == row["delivery_id"]


async def test_old_data_calls_nobody(engine: AsyncEngine, event_log: EventLog) -> None:
    endpoints = Endpoints(engine, system_clock)
    await endpoints.add(NOWHERE, ["*"])
    await event_log.publish([outgoing([gas(0, 30)], system_clock() + timedelta(hours=2))])
    await play(engine, event_log, 1)
    [found] = await all_incidents(engine)
    assert found.historical
    assert await endpoints.deliveries() == []


async def test_every_way_to_fail_is_written_down_and_delays_nobody(
    engine: AsyncEngine, event_log: EventLog, receivers: list[Receiver]
) -> None:
    away = {"location": NOWHERE}
    scripts: list[tuple[int, dict[str, str]]] = [
        (500, {}), (200, {}), (301, away), (200, {"x-endless": "1"}), (200, {"x-cut": "1"}),
        (200, {"x-hold": "1"}),
    ]  # fmt: skip
    receivers += [Receiver(script) for script in scripts]
    desk = Desk(engine)
    made = [await desk.endpoints.add(receiver.url, ["*"]) for receiver in receivers]
    made.append(await desk.endpoints.add(NOWHERE, ["*"]))
    await post(engine, event_log, gas(0, 30))
    rows = {row["endpoint_id"]: row for row in await desk.attempts(6)}
    failing, healthy, redirected, endless, cut, held, unreachable = (
        rows[endpoint["endpoint_id"]] for endpoint in made
    )
    assert (failing["state"], failing["attempts"][0]["error"]) == ("queued", "answered 500")
    assert healthy["state"] == endless["state"] == "delivered"
    assert (redirected["state"], redirected["attempts"][0]["status"]) == ("queued", 301)
    for unanswered in (unreachable, cut):
        assert unanswered["attempts"][0]["status"] is None
        assert unanswered["attempts"][0]["error"]
    assert held["attempts"] == []  # it has not answered: the others did not wait for it
    receivers[5].release.set()
    await desk.attempts(7)
    await desk.close()


async def test_a_failed_delivery_comes_again_under_its_id_and_holds_its_place(
    engine: AsyncEngine, event_log: EventLog, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver((500, {}), (429, {"retry-after": "100"}), (200, {})))
    desk = Desk(engine)
    await desk.endpoints.add(receivers[0].url, ["*"])
    await post(engine, event_log, gas(0, 30), gas(1, 1), gas(0, 30, "b"))
    first, *_ = await desk.attempts(1)
    desk.clock.ahead = timedelta(seconds=7)
    first, *_ = await desk.attempts(2)
    assert first["due_at"] - desk.clock() > timedelta(seconds=90)
    desk.clock.ahead = timedelta(seconds=200)
    rows = await desk.attempts(5)
    await desk.close()
    assert [row["state"] for row in rows] == ["delivered"] * 3
    assert receivers[0].ids == [str(rows[place]["delivery_id"]) for place in (0, 0, 0, 1, 2)]


async def test_what_a_receiver_refuses_holds_up_only_its_own_incident(
    engine: AsyncEngine, event_log: EventLog, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver((400, {}), (200, {})))
    desk = Desk(engine)
    await desk.endpoints.add(receivers[0].url, ["*"])
    await post(engine, event_log, gas(0, 30), gas(1, 1), gas(2, 30, "b"), gas(3, 1, "b"))
    rows = await desk.attempts(3)
    assert [row["state"] for row in rows] == ["queued", "queued", "delivered", "delivered"]
    desk.clock.ahead = timedelta(seconds=10)
    rows = await desk.attempts(5)
    await desk.close()
    assert [row["state"] for row in rows] == ["delivered"] * 4
    assert receivers[0].ids == [str(rows[place]["delivery_id"]) for place in (0, 2, 3, 0, 1)]


async def test_one_that_fails_for_minutes_steps_aside(
    engine: AsyncEngine, event_log: EventLog, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver(*[(500, {})] * 6, (200, {})))
    desk = Desk(engine)
    await desk.endpoints.add(receivers[0].url, ["*"])
    await post(engine, event_log, gas(0, 30))
    for attempt, wait in enumerate((0, 7, 20, 40, 80, 150), start=1):
        desk.clock.ahead += timedelta(seconds=wait)
        await desk.attempts(attempt)
    desk.clock.ahead += timedelta(seconds=70)  # it is left alone for a minute, then probed
    await post(engine, event_log, gas(0, 30, "b"))
    old, new = await desk.attempts(7)
    await desk.close()
    assert (old["state"], new["state"]) == ("queued", "delivered")


async def test_a_receiver_that_is_gone_is_disabled_with_its_queue(
    engine: AsyncEngine, event_log: EventLog, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver((410, {})))
    endpoints = Endpoints(engine, system_clock)
    await endpoints.add(receivers[0].url, ["*"])
    await post(engine, event_log, gas(0, 30), gas(1, 1))
    desk = Desk(engine)
    rows = await desk.attempts(2)
    await post(engine, event_log, gas(0, 30, "b"))
    await desk.close()
    assert [row["state"] for row in rows] == ["dead", "dead"]
    assert rows[1]["attempts"][0]["error"].startswith("410")
    assert [item["enabled"] for item in await endpoints.everyone()] == [False]
    assert len(receivers[0].seen) == 1
    assert len(await desk.rows()) == 2


async def test_a_removed_endpoint_keeps_its_ledger(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    endpoints = Endpoints(engine, system_clock)
    made = await endpoints.add(NOWHERE, ["*"])
    await post(engine, event_log, gas(0, 30))
    assert await endpoints.remove(made["endpoint_id"])
    assert not await endpoints.remove(made["endpoint_id"])
    assert await endpoints.everyone() == []
    await post(engine, event_log, gas(1, 1))
    [row] = await endpoints.deliveries(Which(state="dead"))
    assert row["attempts"][0]["error"] == "the endpoint was removed"


async def test_killed_in_the_middle_it_is_sent_again_under_the_same_id(
    engine: AsyncEngine, event_log: EventLog, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver((200, {"x-hold": "1"}), (200, {})))
    desk = Desk(engine)
    await desk.endpoints.add(receivers[0].url, ["*"])
    await post(engine, event_log, gas(0, 30))

    async def arrived() -> bool:
        return bool(receivers[0].seen)

    assert await eventually(arrived, 10)
    for task in asyncio.all_tasks():  # the deliverer and what it has under way: as if killed
        if "Deliverer" in repr(task):
            task.cancel()
    again = Desk(engine)
    again.clock.ahead = timedelta(seconds=LEASE_SECONDS + 1)
    [row] = await again.attempts(1)
    await again.close()
    assert row["state"] == "delivered"
    assert receivers[0].ids == [str(row["delivery_id"])] * 2


async def test_steps_of_an_incident_arrive_in_order(
    engine: AsyncEngine, event_log: EventLog, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver())
    endpoints = Endpoints(engine, system_clock)
    await endpoints.add(receivers[0].url, ["*"])
    await post(engine, event_log, gas(0, 30))
    await acknowledge(engine, (await all_incidents(engine))[0])
    # Opened and cleared in one transaction:
    await event_log.publish([outgoing([gas(2, 1), gas(3, 30), gas(4, 1), gas(5, 30)])])
    await play(engine, event_log, 2)
    desk = Desk(engine)
    await desk.attempts(6)
    await desk.close()
    versions = [json.loads(body)["data"]["version"] for _, body in receivers[0].seen]
    assert versions == [1, 2, 3, 4, 5, 6]


async def test_a_private_receiver_is_refused_at_the_connection(receivers: list[Receiver]) -> None:
    receivers.append(Receiver())
    url = receivers[0].url
    port = url.split(":")[2]
    sender = Sender(())
    for host in ("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"):
        answer = await sender.post(f"http://{host}:{port}", {}, b"{}")
        assert answer.status is None
        assert "not a public address" in answer.error, host
        assert await sender.reason_to_refuse(f"http://{host}:{port}") is not None
    assert await sender.reason_to_refuse("http://nobody.invalid/") is None
    assert (await sender.post("http://nobody.invalid/", {}, b"{}")).status is None
    await sender.close()
    assert receivers[0].seen == []


async def test_nothing_is_queued_for_events_that_nobody_wants(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    await Endpoints(engine, system_clock).add(NOWHERE, ["incident.closed"])
    await post(engine, event_log, gas(0, 30))
    async with engine.connect() as connection:
        assert (await connection.execute(select(deliveries))).all() == []
