"""`fairness`: what a source at 100 times its quota does to a neighbour's p99.

The neighbour posts batches of 10 at a steady open-loop rate (each request leaves when it is due;
its latency counts from then). The flooder, another process, offers batches of 100 at 100 times
its key's quota. Value: the neighbour's p99 with the flooder over its p99 without, median of the
rounds; the limit is 1.5. Client and server share this machine's cores, so the same neighbour and
the same flooder also meet a bare application that answers 202 at once (`control`): what happens
there is the machine's sharing, not the platform's. Rounds alternate: ours without, ours with, the
bare one without, the bare one with.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from tests.bench import bare, cities, load, report, rows
from tests.bench.steady import UNDER_WAY_SECONDS, Steady, run

LIMIT = 1.5
NEIGHBOUR_RATE, NEIGHBOUR_BATCH, NEIGHBOUR_CONNECTIONS = 150, 10, 512
QUOTA, TIMES, FLOOD_BATCH, FLOOD_CONNECTIONS = 500, 100, 100, 1024
LIMIT_IS = f"{LIMIT}: the most the neighbour's p99 may grow"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Place:
    """A server that is measured: its port and the two keys."""

    port: int
    neighbour: str
    flooder: str


def run_bench(quick: bool) -> str:
    """Alternating rounds."""
    seconds, rounds = (5.0, 1) if quick else (12.0, 5)
    machine, sensors = report.machine(), rows.names()
    ours: list[dict[str, Any]] = []
    control: list[dict[str, Any]] = []
    with cities.embedded() as target, bare.serving("tests.bench.bare:app") as (port, _):
        rows.register(target.url, target.api_key, sensors)
        city = Place(target.port, *_keys(target))
        _measure(city, sensors, -1, 2.0, flooded=False)  # warm
        for number in range(rounds):
            ours.append(_round(city, sensors, number, seconds))
            control.append(_round(Place(port, "none", "none"), sensors, number, seconds))
    ratios = [each["ratio"] for each in ours]
    return report.line(
        "fairness", "p99 with the flooder / without", ratios, [LIMIT] * rounds,
        limit_is=LIMIT_IS, shape="embedded",
        alone_ms=report.medians([each["alone"] for each in ours]),
        flooded_ms=report.medians([each["flooded"] for each in ours]),
        control={
            "is": bare.app.__doc__, "ratio": round(median(e["ratio"] for e in control), 3),
            "alone_ms": report.medians([each["alone"] for each in control]),
            "flooded_ms": report.medians([each["flooded"] for each in control]),
        },
        flooder_requests_per_second=report.medians([each["flooder"] for each in ours]),
        control_flooder_requests_per_second=report.medians([each["flooder"] for each in control]),
        client="Python, uvloop, open loop, neighbour and flooder a process each", **machine,
    )  # fmt: skip


def _round(place: Place, sensors: list[str], number: int, seconds: float) -> dict[str, Any]:
    alone, _ = _measure(place, sensors, 2 * number, seconds, flooded=False)
    flooded, flooder = _measure(place, sensors, 2 * number + 1, seconds, flooded=True)
    ratio = flooded["p99_ms"] / alone["p99_ms"]
    return {"alone": alone, "flooded": flooded, "ratio": ratio, "flooder": flooder}


def _measure(
    place: Place, sensors: list[str], number: int, seconds: float, *, flooded: bool
) -> tuple[dict[str, float], dict[str, float]]:
    """(the neighbour's latencies, what the flooder did per second)."""
    start = rows.now() - timedelta(hours=20, minutes=-5 * number)

    def make(request: int) -> bytes:
        moment = (start + timedelta(milliseconds=request)).isoformat()
        items = [_item(sensors[n], moment, 40 + request % 20) for n in range(NEIGHBOUR_BATCH)]
        return load.request("/v1/readings", place.neighbour, json.dumps(items).encode())

    neighbour = Steady(place.port, make, NEIGHBOUR_CONNECTIONS)
    with _flooder(place, sensors, seconds, flooded) as said:
        sent = run(neighbour.run(NEIGHBOUR_RATE, seconds))
    assert sent.statuses.keys() == {202} and not sent.unsent, (sent.statuses, sent.unsent)
    return report.latencies_ms(sent.seconds), said


@contextmanager
def _flooder(
    place: Place, sensors: list[str], seconds: float, flooded: bool
) -> Iterator[dict[str, float]]:
    said: dict[str, float] = {}
    if not flooded:
        yield said
        return
    moment = (rows.now() - timedelta(hours=40)).isoformat()
    items = [_item(sensors[100 + n], moment, 50) for n in range(FLOOD_BATCH)]
    rate, flood_seconds = QUOTA * TIMES / FLOOD_BATCH, seconds + 2 * UNDER_WAY_SECONDS
    orders = {"port": place.port, "key": place.flooder, "body": json.dumps(items), "rate": rate,
              "seconds": flood_seconds, "connections": FLOOD_CONNECTIONS}  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.steady"], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(orders))
        process.stdin.close()
        try:
            process.stdout.readline()  # what starting it costs is not the flood's
            yield said
            told = json.loads(process.stdout.read())
        except BaseException:
            process.kill()
            raise
    statuses = {int(status): count for status, count in told["statuses"].items()}
    counts = {
        "offered": rate * flood_seconds,
        "sent": sum(statuses.values()),
        "taken": statuses.get(202, 0),
        "refused": statuses.get(429, 0),
        "connections_closed": told["closed"],
    }
    said.update({name: count / flood_seconds for name, count in counts.items()})


def _item(sensor: str, moment: str, value: float) -> dict[str, Any]:
    return {"sensor_id": sensor, "metric": rows.METRIC, "observed_at": moment, "value": value}


def _keys(target: cities.Target) -> tuple[str, str]:
    """The neighbour's key, without a quota, and the flooder's."""
    admin = target.credentials["admin"]
    with httpx.Client(base_url=target.wall, timeout=20) as client:
        token = client.post("/v1/session", json=admin).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        return (
            _key(client, "neighbour", {"readings_per_second": 0, "bytes_per_second": 0}),
            _key(client, "flooder", {"readings_per_second": QUOTA, "readings_burst": QUOTA}),
        )


def _key(client: httpx.Client, name: str, quota: dict[str, float]) -> str:
    answer = client.post("/v1/keys", json={"name": name, "quota": quota})
    assert answer.is_success, answer.text
    token: str = answer.json()["token"]
    return token
