"""`single_post`, `single_post_city`, `single_post_embedded`: one reading per POST, 64 connections,
against a bare uvicorn application.

A 202 comes only after Kafka's acknowledgement (acks=all). In `single_post` the gateway and Kafka
have the machine's cores to themselves, as the bare application has; in `single_post_city` every
other service runs beside them and digests the same readings at once; `single_post_embedded` is the
whole city in one process on the embedded log. Value: 202s per second. Client: wrk (C; a Lua script
makes every body another one, observed just now), 64 connections, one thread; the same for both.
Denominator (`limit_is`): `bare.app` on uvicorn with uvloop and httptools, one worker, which answers
202 without reading the body; rounds alternate. They begin after `WARM_SECONDS` of the same load:
until then the broker's JVM compiles what it runs, at up to five times the CPU per request. Without
wrk a Python client serves and the line says so: it is slower than the bare application, so the
ratio is then too good. p50–p99 are the client's: wrk's count for a stall also the requests that it
held up (coordinated omission), the Python client's do not. Afterwards every 202 must be a row.
"""

import asyncio
import json
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from shared.clock import from_micros
from shared.pause import until
from tests.bench import bare, cities, cpu, load, report, rows

CONNECTIONS = 64
WARM_SECONDS = 40
STEP_US = 10  # from one reading to the next; as in the script
SCRIPT = Path(__file__).parent / "single.lua"
LIMIT_IS = "a bare uvicorn app (uvloop, httptools, one worker) that answers 202, same client"
WITH_WRK = (
    f"wrk (C), {CONNECTIONS} connections, 1 thread, every body another one; its percentiles are"
    " corrected for coordinated omission"
)
WITHOUT_WRK = f"{load.CLIENT}, {CONNECTIONS} connections: NO WRK HERE, the client limits the limit"

Shoot = Callable[[int, str, str, int], dict[str, Any]]


def run(name: str, start: Callable[[], AbstractContextManager[cities.Target]], quick: bool) -> str:
    """Alternating rounds; everything, client included, on this machine."""
    seconds, rounds = (3, 1) if quick else (8, 3)
    client, shoot = _client()
    machine = report.machine()
    ours: list[dict[str, Any]] = []
    limits: list[dict[str, Any]] = []
    parts: list[dict[str, float]] = []
    sensors = rows.names()
    with start() as target, bare.serving("tests.bench.bare:app") as (bare_port, _):
        rows.register(target.url, target.api_key, sensors)
        prefix = sensors[0][:-4]
        warm = shoot(target.port, target.api_key, prefix, 3 if quick else WARM_SECONDS)
        for _ in range(rounds):
            cpu.settle(target.roots)
            limits.append(shoot(bare_port, "none", prefix, seconds))
            before = cpu.seconds(target.roots)
            ours.append(shoot(target.port, target.api_key, prefix, seconds))
            cpu.settle(target.roots)
            parts.append(_cpu(ours[-1], before, cpu.seconds(target.roots)))
        _check(target, sensors, [warm, *ours], limits)
    latencies = [{name: each[name] for name in report.SHARES} for each in ours]
    return report.line(
        name,
        "requests/s",
        [_rate(each) for each in ours],
        [_rate(each) for each in limits],
        limit_is=LIMIT_IS,
        client=client,
        **report.medians(latencies),
        cpu_us=report.medians(parts),
        **machine,
    )


def _client() -> tuple[str, Shoot]:
    if shutil.which("wrk") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-qq", "wrk"], check=False, capture_output=True)
    if shutil.which("wrk") is None:
        return WITHOUT_WRK, _python
    return WITH_WRK, _wrk


def _wrk(port: int, key: str, prefix: str, seconds: int) -> dict[str, Any]:
    command = [
        "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s", "-s", str(SCRIPT),
        f"http://127.0.0.1:{port}", "--", key, str(_begin()), prefix,
    ]  # fmt: skip
    before = _children_seconds()
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = next(text for text in said.splitlines() if text.startswith("RESULT "))
    result: dict[str, Any] = json.loads(found.removeprefix("RESULT "))
    return result | {"cpu_seconds": _children_seconds() - before}


def _python(port: int, key: str, prefix: str, seconds: int) -> dict[str, Any]:
    begin = _begin() * 1_000_000

    def make(number: int) -> bytes:
        reading = {
            "sensor_id": f"{prefix}{number % rows.SENSORS:04}",
            "metric": rows.METRIC,
            "observed_at": from_micros(begin + number * STEP_US).isoformat(),
            "value": 40 + number % 20,
        }
        return load.request("/v1/readings", key, json.dumps(reading).encode())

    tally = asyncio.run(load.send_for(seconds, port, make, CONNECTIONS))
    done = tally.statuses.total()
    counted = {"requests": done, "seconds": seconds, "failed": done - tally.statuses[202]}
    return counted | report.latencies_ms(tally.seconds) | {"cpu_seconds": tally.cpu_seconds}


def _begin() -> int:
    """Now, in whole seconds of the epoch. A round's readings are observed from now on, so that it
    repeats nothing of the one before; at less than 100,000 a second they never run ahead."""
    return int(rows.now().timestamp())


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _cpu(
    result: dict[str, Any], before: dict[str, float], after: dict[str, float]
) -> dict[str, float]:
    client = round(result["cpu_seconds"] / result["requests"] * 1e6, 1)
    return {"client": client} | cpu.per_item(before, after, int(result["requests"]))


def _check(
    target: cities.Target,
    sensors: Sequence[str],
    ours: Sequence[dict[str, Any]],
    limits: Sequence[dict[str, Any]],
) -> None:
    """Nothing failed, and every 202 is a row. What was under way when the client hung up may be
    stored too, without having been counted."""
    assert not any(each["failed"] for each in (*ours, *limits)), (ours, limits)
    target.store()
    accepted = sum(int(each["requests"]) for each in ours)
    assert until(lambda: rows.stored(target.database_url, sensors) >= accepted, 60)
    most = accepted + CONNECTIONS * len(ours)
    assert rows.stored(target.database_url, sensors) <= most


def _rate(result: dict[str, Any]) -> float:
    return float(result["requests"] / result["seconds"])
