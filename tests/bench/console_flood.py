"""`console_flood`: three operators work through a flood; an action is sent → answered; less is
better.

Load: 400 readings over their limit, each of a sensor of its own and of priority 1 (an incident of
its own), spread over the flood's length: 10 minutes, accelerated. Three operators, each with an
account and a live socket as the console has it, learn from it of what opens and take every incident
round the closed loop over HTTP, with the version they saw. One in ten is given to two of them at
once. Every kind of action is among them: commands, merging, silences with their preview, reports,
and one command for several at once; the value is the p95 of the slowest kind (`by_action`: of
each).

`lost`: accepted commands that are not in the timeline of their incident as their person's, with the
version that the answer said; `told`: commands that were refused because somebody was first, with
the incident as it is now; `untold`: refused without it. Denominator (`limit_is`): reading the same
incidents at the same time. The bar is 300 ms at p95.
"""

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import httpx
import websockets

from shared.clock import monotonic
from shared.pause import eventually
from tests.bench import cities, report, rows
from tests.bench.operators import Flood, Operator, Row

METRIC = "gas.concentration"
ALERTS = 400
OPERATORS = 3
SHARED_EVERY = 10
BAR_MS = 300
LIMIT_IS = "p95 of GET /v1/incidents/{id} by the same operators in the same flood"


def run(quick: bool) -> str:
    """Rounds on the embedded product."""
    seconds, rounds = (20, 1) if quick else (60, 3)
    machine = report.machine()
    floods: list[Flood] = []
    with cities.embedded() as target:
        tokens = [_operator(target, f"operator-{number}") for number in range(OPERATORS)]
        for number in range(rounds):
            names = [f"flood-{number}-{alert:03}" for alert in range(ALERTS)]
            _register(target, names)
            floods.append(asyncio.run(_flood(target, tokens, names, seconds)))
    actions = [one for flood in floods for kind in flood.actions.values() for one in kind]
    return report.line(
        "console_flood",
        "ms (p95 of the slowest kind)",
        [flood.slowest for flood in floods],
        [report.percentile(flood.reads, 0.95) * 1_000 for flood in floods],
        limit_is=LIMIT_IS,
        bar_ms=BAR_MS,
        load=f"{ALERTS} alerts in {seconds} s (600 s, accelerated), {OPERATORS} operators",
        opened=min(flood.opened for flood in floods),
        actions=len(actions),
        by_action=report.medians([flood.by_action() for flood in floods]),
        contested=sum(flood.contested for flood in floods),
        told=sum(flood.told for flood in floods),
        untold=sum(flood.untold for flood in floods),
        lost=sum(flood.lost for flood in floods),
        **report.latencies_ms(actions),
        **machine,
    )


async def _flood(
    target: cities.Target, tokens: Sequence[str], names: Sequence[str], seconds: int
) -> Flood:
    flood = Flood()
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(_client(target, token)) for token in tokens]
        people = [Operator(client, flood, names) for client in clients]
        sockets = [
            await stack.enter_async_context(
                websockets.connect(f"{_live(target)}?token={token}", max_size=None)
            )
            for token in tokens
        ]
        looking = [
            asyncio.create_task(_look(socket, people if place == 0 else (), names, flood))
            for place, socket in enumerate(sockets)
        ]
        async with asyncio.TaskGroup() as group:
            for person in people:
                group.create_task(person.work())
            await _pour(target, names, seconds)
            found = await eventually(lambda: _all_opened(flood, names), 120)
            assert found, f"{flood.opened} of {len(names)} opened"
            for person in people:
                person.queue.put_nowait(None)
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)
        await _count_lost(clients[0], flood)
    return flood


async def _all_opened(flood: Flood, names: Sequence[str]) -> bool:
    return flood.opened == len(names)


async def _pour(target: cities.Target, names: Sequence[str], seconds: int) -> None:
    """Every alert at its moment."""
    started = monotonic()
    async with _client(target, target.api_key) as client:
        for number, name in enumerate(names):
            due = started + number * seconds / len(names)
            await asyncio.sleep(max(0.0, due - monotonic()))
            reading = {"sensor_id": name, "metric": METRIC, "value": 80.0}
            reading |= {"observed_at": rows.now().isoformat()}
            answer = await client.post("/v1/readings", json=reading)
            assert answer.status_code == 202, answer.text


async def _look(
    socket: websockets.ClientConnection, people: Sequence[Operator], names: Sequence[str],
    flood: Flood,
) -> None:  # fmt: skip
    """A console's socket. The first one hands out what opens: one in ten to two people at once."""
    wanted = set(names)
    await socket.send('{"type": "hello", "resume": null, "filter": null}')
    async for text in socket:
        frame = json.loads(text)
        if not people or frame["type"] != "incident":
            continue
        event = frame["event"]
        if event["type"] != "incident.opened" or wanted.isdisjoint(event["data"]["subjects"]):
            continue
        number, row = flood.opened, Row(event["data"]["id"], event["data"]["version"])
        flood.opened += 1
        people[number % len(people)].queue.put_nowait(row)
        if number % SHARED_EVERY == 0:
            flood.contested += 1
            people[(number + 1) % len(people)].queue.put_nowait(row)


async def _count_lost(client: httpx.AsyncClient, flood: Flood) -> None:
    """Accepted commands against the steps that people took in each timeline, by version."""
    for incident, versions in flood.accepted.items():
        found = (await client.get(f"/v1/incidents/{incident}")).json()
        kept = {one["version"] for one in found["timeline"] if one["actor"].startswith("operator-")}
        flood.lost += len(versions) - len(kept.intersection(versions))


def _client(target: cities.Target, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=target.url, headers=_as(token), timeout=30)


def _live(target: cities.Target) -> str:
    return f"{target.wall.replace('http', 'ws', 1)}/v1/live"


def _operator(target: cities.Target, name: str) -> str:
    """The token of a dispatcher's session, after the password that he has to choose."""
    with httpx.Client(base_url=target.url, timeout=30) as client:
        admin = client.post("/v1/session", json=dict(target.credentials["admin"])).json()["token"]
        body: dict[str, Any] = {"username": name, "grants": [{"role": "dispatcher"}]}
        client.cookies.clear()
        made = client.post("/v1/users", json=body, headers=_as(admin)).raise_for_status().json()
        given = {"username": name, "password": made["password"]}
        token = str(client.post("/v1/session", json=given).json()["token"])
        client.cookies.clear()
        change = {"current": made["password"], "new": f"password of {name}"}
        client.put("/v1/session/password", json=change, headers=_as(token)).raise_for_status()
        return token


def _register(target: cities.Target, names: Sequence[str]) -> None:
    body = [
        {"sensor_id": name, "metrics": [METRIC], "location": {"lon": 112.47, "lat": 23.06}}
        for name in names
    ]
    answer = httpx.post(
        f"{target.url}/v1/sensors", json=body, headers=_as(target.api_key), timeout=30
    )
    answer.raise_for_status()


def _as(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
