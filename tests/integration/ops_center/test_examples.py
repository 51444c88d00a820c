"""The examples do what they say against a running service."""

import asyncio
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from deploy.bootstrap import find_npm
from examples.live import LiveClient, Refused
from tests.integration.ops_center.conftest import Centre
from tests.integration.ops_center.test_live import speed
from tests.unit.ops_center.wall import incident
from tests.waiting import eventually

ROOT = Path(__file__).parents[3]
WALL = ROOT / "services" / "ops_center" / "wall"
SECONDS = 20.0
HOPS = ("accepted", "logged", "pictured", "sent", "painted", "shown")
PROGRAM = """
const client = new LiveClient(process.env.ADDRESS, process.env.TOKEN, (picture, frame) => {
  console.log(JSON.stringify({
    type: frame.type, series: picture.sensor.length, values: picture.value,
    incidents: [...picture.incidents.values()].map((one) => one.title),
  }));
}, null, (reason) => console.log(JSON.stringify({ type: "refused", reason })));
client.start();
"""


def address(centre: Centre) -> str:
    return f"ws://127.0.0.1:{centre.port}/v1/live"


async def test_the_python_example_shows_what_happens_and_reports_its_paints(centre: Centre) -> None:
    client = LiveClient([address(centre)], centre.screen_token)
    running = asyncio.ensure_future(client.run())

    async def there() -> bool:
        return bool(client.picture.incidents) and 33.0 in client.picture.value

    seen: set[str] = set()  # each pulse's are of its own five seconds

    async def painted() -> bool:
        await centre.post(speed(33.0))  # of the paints of one second only the first is reported
        async with centre.http() as http:
            found = (await http.get("/metrics")).text
        lines = [x for x in found.splitlines() if x.startswith("yiwang_live_hop_seconds{")]
        values = {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in lines}
        seen.update(
            hop
            for hop in HOPS
            if values.get(f'yiwang_live_hop_seconds{{hop="{hop}",percentile="99"}}', "NaN") != "NaN"
        )
        return len(seen) == len(HOPS)

    await centre.step(incident(1))
    assert await eventually(painted, SECONDS)
    assert await eventually(there, SECONDS)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_the_python_example_gives_up_when_it_is_refused(centre: Centre) -> None:
    with pytest.raises(Refused, match="screen token is needed"):
        async with asyncio.timeout(SECONDS):
            await LiveClient([address(centre)], "wrong").run()


async def test_the_python_example_is_a_program(centre: Centre) -> None:
    command = [sys.executable, "-u", "examples/live.py", address(centre), centre.screen_token]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(SECONDS):
        first = (await process.stdout.readline()).decode()
    process.kill()
    await process.wait()
    assert first == "6 series, 0 open incidents\n"


async def test_the_typescript_example_runs_under_node(centre: Centre, tmp_path: Path) -> None:
    if not (WALL / "node_modules").exists():
        pytest.skip("NO NODE: the wall's tools are not installed")
    path = f"{find_npm()[1] or ''}{os.pathsep}{os.environ['PATH']}"
    built = tmp_path / "live.mjs"
    tools = WALL / "node_modules" / ".bin"
    bundle = [str(tools / "esbuild"), str(ROOT / "examples" / "live.ts"), "--format=esm"]
    done = subprocess.run(
        bundle, capture_output=True, text=True, check=True, env=os.environ | {"PATH": path}
    )
    built.write_text(done.stdout + PROGRAM)
    environment = os.environ | {
        "PATH": path, "ADDRESS": address(centre), "TOKEN": centre.screen_token,
        "NODE_OPTIONS": "--experimental-websocket",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        "node", str(built), env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    frames: list[dict[str, Any]] = []
    async with asyncio.timeout(SECONDS):
        while not frames or frames[-1]["type"] != "snapshot":
            frames.append(json.loads(await process.stdout.readline()))
        await centre.step(incident(1))
        await centre.post(speed(33.0))
        while 33.0 not in frames[-1].get("values", []) or not frames[-1]["incidents"]:
            frames.append(json.loads(await process.stdout.readline()))
    process.kill()
    await process.wait()
    assert frames[-1]["series"] == 6
    assert frames[-1]["incidents"] == ["事件 1"]


def test_the_typescript_example_is_typed() -> None:
    if not (WALL / "node_modules").exists():
        pytest.skip("NO NODE: the wall's tools are not installed")
    path = f"{find_npm()[1] or ''}{os.pathsep}{os.environ['PATH']}"
    options = ["--noEmit", "--strict", "--noUncheckedIndexedAccess", "--target", "ES2022", "--lib",
               "ES2023,DOM"]  # fmt: skip
    command = [str(WALL / "node_modules" / ".bin" / "tsc"), *options, "examples/live.ts"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"PATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
