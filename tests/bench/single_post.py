"""`single_post`: one reading per POST, 64 connections, against a bare uvicorn application."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shared.pause import until
from shared.store.embedded import free_port
from tests.bench import cities, report, rows

CONNECTIONS = 64
SCRIPT = Path(__file__).parent / "single.lua"
LIMIT_IS = "a bare uvicorn app (uvloop, httptools, one worker) that answers 202, same client"


def run(quick: bool) -> str:
    """Alternating rounds of wrk, a C client."""
    seconds, rounds = (3, 1) if quick else (8, 3)
    _need_wrk()
    ours: list[float] = []
    limits: list[float] = []
    last: dict[str, Any] = {}
    with cities.embedded() as target, _bare() as bare_port:
        rows.register(target.url, target.api_key, rows.make(1).sensors)
        accepted = 0
        for number in range(rounds):
            limits.append(_rate(_wrk(bare_port, "none", number, seconds)))
            last = _wrk(target.port, target.api_key, number, seconds)
            accepted += last["requests"] - last["failed"]
            ours.append(_rate(last))
        assert last["failed"] == 0, last
        # What was under way when wrk hung up is stored too, but was not counted.
        assert until(lambda: rows.stored(target.database_url) >= accepted, 60)
    shown = {name: round(last[name], 1) for name in ("p50_ms", "p95_ms", "p99_ms")}
    return report.line(
        "single_post", "requests/s", ours, limits, limit_is=LIMIT_IS,
        client=f"wrk, {CONNECTIONS} connections, 1 thread", shape="embedded", **shown,
    )  # fmt: skip


def _need_wrk() -> None:
    if shutil.which("wrk") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-qq", "wrk"], check=False, capture_output=True)
    if shutil.which("wrk") is None:
        sys.exit("single_post needs wrk, a C load client (Debian: apt-get install wrk)")


def _wrk(port: int, key: str, round_number: int, seconds: int) -> dict[str, Any]:
    hour = datetime.now(UTC) - timedelta(hours=2 + round_number)
    command = [
        "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(SCRIPT),
        f"http://127.0.0.1:{port}", "--", key, f"{hour:%Y-%m-%dT%H}",
    ]  # fmt: skip
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = next(text for text in said.splitlines() if text.startswith("RESULT "))
    result: dict[str, Any] = json.loads(found.removeprefix("RESULT "))
    return result


def _rate(result: dict[str, Any]) -> float:
    return float((result["requests"] - result["failed"]) / result["seconds"])


@contextmanager
def _bare() -> Iterator[int]:
    port = free_port()
    command = [
        sys.executable, "-m", "uvicorn", "tests.bench.bare:app", "--port", str(port),
        "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "error",
    ]  # fmt: skip
    server = subprocess.Popen(command)
    try:
        assert until(lambda: _listens(port), 20)
        yield port
    finally:
        server.terminate()
        server.wait(10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
