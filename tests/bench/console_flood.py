"""`console_flood`: three operators work through a flood; an action is sent → answered; less is
better.

Load: 400 readings over their limit, each of a sensor of its own and of priority 1 (an incident of
its own), spread over the flood's length: 10 minutes, accelerated. Three operators, each with an
account, take every incident round the closed loop over HTTP as the console does: with the version
they saw. One in ten is given to two of them at once. `lost`: accepted commands that are not in the
timeline of their incident; `told`: commands that were refused because somebody was first, with the
incident as it is now. Denominator (`limit_is`): reading the same incidents at the same time. The
bar is 300 ms at p95.
"""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared.clock import monotonic
from shared.pause import eventually
from tests.bench import cities, report, rows

METRIC = "gas.concentration"
ALERTS = 400
OPERATORS = 3
SHARED_EVERY = 10
BAR_MS = 300
LIMIT_IS = "p95 of GET /v1/incidents/{id} by the same operators in the same flood"
LOOP: tuple[tuple[str, dict[str, str]], ...] = (
    ("acknowledge", {}),
    ("dispatch", {"department": "燃气公司", "note": "派人关阀"}),
    ("start", {}),
    ("resolve", {"note": "已关闭"}),
    ("close", {"note": "核查合格"}),
)


@dataclass
class Flood:
    """Seconds per action and per read; accepted commands per incident; how many were told."""

    actions: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)
    accepted: Counter[str] = field(default_factory=Counter)
    told: int = 0
    untold: int = 0
    opened: int = 0
    lost: int = 0


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
    actions = [one for flood in floods for one in flood.actions]
    return report.line(
        "console_flood",
        "ms (p95)",
        [report.percentile(flood.actions, 0.95) * 1_000 for flood in floods],
        [report.percentile(flood.reads, 0.95) * 1_000 for flood in floods],
        limit_is=LIMIT_IS,
        bar_ms=BAR_MS,
        load=f"{ALERTS} alerts in {seconds} s (600 s, accelerated), {OPERATORS} operators",
        opened=min(flood.opened for flood in floods),
        actions=len(actions),
        told=sum(flood.told for flood in floods),
        untold=sum(flood.untold for flood in floods),
        lost=sum(flood.lost for flood in floods),
        **report.latencies_ms(actions),
        **machine,
    )


async def _flood(target: cities.Target, tokens: list[str], names: list[str], seconds: int) -> Flood:
    flood, work = Flood(), [asyncio.Queue[str]() for _ in tokens]
    async with httpx.AsyncClient(base_url=target.url, timeout=30) as client:
        posting = asyncio.create_task(_pour(client, target.api_key, names, seconds))
        finding = asyncio.create_task(_find(client, tokens[0], names, work, flood))
        async with asyncio.TaskGroup() as group:
            for token, queue in zip(tokens, work, strict=True):
                group.create_task(_operate(client, token, queue, flood))
            await posting
            await finding
            for queue in work:
                queue.put_nowait("")
        await _count_lost(client, tokens[0], flood)
    return flood


async def _pour(client: httpx.AsyncClient, api_key: str, names: list[str], seconds: int) -> None:
    """Every alert at its moment."""
    started = monotonic()
    for number, name in enumerate(names):
        await asyncio.sleep(max(0.0, started + number * seconds / len(names) - monotonic()))
        reading = {"sensor_id": name, "metric": METRIC, "value": 80.0}
        reading |= {"observed_at": rows.now().isoformat()}
        answer = await client.post(
            "/v1/readings", json=reading, headers={"Authorization": f"Bearer {api_key}"}
        )
        assert answer.status_code == 202, answer.text


async def _find(
    client: httpx.AsyncClient,
    token: str,
    names: list[str],
    work: list[asyncio.Queue[str]],
    flood: Flood,
) -> None:
    """Hands out what has opened, until all have: one in ten to two people at once."""
    wanted, seen = set(names), set[str]()

    async def all_opened() -> bool:
        answer = await client.get(
            "/v1/incidents", params={"q": names[0][:8], "limit": 500}, headers=_as(token)
        )
        for one in reversed(answer.json()["items"]):
            if one["id"] not in seen and wanted & set(one["subjects"]):
                number = len(seen)
                seen.add(one["id"])
                work[number % len(work)].put_nowait(one["id"])
                if number % SHARED_EVERY == 0:
                    work[(number + 1) % len(work)].put_nowait(one["id"])
        flood.opened = len(seen)
        return len(seen) == len(names)

    assert await eventually(all_opened, 120), f"{len(seen)} of {len(names)} opened"


async def _operate(
    client: httpx.AsyncClient, token: str, work: asyncio.Queue[str], flood: Flood
) -> None:
    while incident := await work.get():
        began = monotonic()
        found = (await client.get(f"/v1/incidents/{incident}", headers=_as(token))).json()
        flood.reads.append(monotonic() - began)
        version = int(found["version"])
        for command, words in LOOP:
            body = json.dumps(words | {"version": version})
            began = monotonic()
            answer = await client.post(
                f"/v1/incidents/{incident}/{command}", content=body,
                headers=_as(token) | {"Content-Type": "application/json"},
            )  # fmt: skip
            flood.actions.append(monotonic() - began)
            if answer.status_code == 409:  # somebody else has it: a person would go on
                said = answer.json().get("incident") or {}
                flood.told += said.get("version", 0) >= version
                flood.untold += said.get("version", 0) < version
                break
            version = int(answer.raise_for_status().json()["version"])
            flood.accepted[incident] += 1


async def _count_lost(client: httpx.AsyncClient, token: str, flood: Flood) -> None:
    """Accepted commands against the steps that people took in each timeline."""
    for incident, accepted in flood.accepted.items():
        found = (await client.get(f"/v1/incidents/{incident}", headers=_as(token))).json()
        steps = sum(step["actor"].startswith("operator-") for step in found["timeline"])
        flood.lost += max(0, accepted - steps)


def _as(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


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


def _register(target: cities.Target, names: list[str]) -> None:
    body = [
        {"sensor_id": name, "metrics": [METRIC], "location": {"lon": 112.47, "lat": 23.06}}
        for name in names
    ]
    headers = {"Authorization": f"Bearer {target.api_key}"}
    httpx.post(
        f"{target.url}/v1/sensors", json=body, headers=headers, timeout=30
    ).raise_for_status()
