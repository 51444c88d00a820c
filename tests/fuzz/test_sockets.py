"""Malicious clients of the sockets, all at once, against the real product: none keeps a connection
that it does not use as agreed, memory stays where it was, and who behaves notices nothing."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from shared.clock import system_clock
from tests.fuzz.rude import Target, everyone
from tests.product import Product
from tests.waiting import eventually

PATHS = ("/v1/live", "/v1/replay")
EACH = 4  # of each kind, on each path
SECONDS = 120.0  # every limit of the server's, one after the other, is less
MORE_MEMORY = 200  # MiB: sockets, snapshots, and what a burst leaves in the allocator
SEED = 9


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    made = Product(tmp_path_factory.mktemp("city")).start()
    with made.client() as client:
        body = {"metrics": ["water.level"], "location": {"lon": 112.47, "lat": 23.05}}
        assert client.put("/v1/sensors/gauge-1", json=body).status_code == 200
    yield made
    made.stop()


def resident(product: Product) -> int:
    """MiB of the server's own memory."""
    assert product.process is not None
    status = Path(f"/proc/{product.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


def held(product: Product) -> Counter[str]:
    """State → connections of clients that the server holds."""
    states = {"01": "established", "04": "closing", "05": "closing", "08": "half closed",
              "09": "closing", "0B": "closing"}  # fmt: skip
    local = f":{product.port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return Counter(
        states[row[3]]
        for row in rows
        if row[1].endswith(local) and row[3] in states and row[9] != "0"
    )


@dataclass
class Polite:
    """Somebody who uses the city as agreed meanwhile."""

    product: Product
    statuses: Counter[int] = field(default_factory=Counter)
    frames: Counter[str] = field(default_factory=Counter)
    shown: set[float] = field(default_factory=set)
    posted: set[float] = field(default_factory=set)
    peak: int = 0

    async def post(self) -> None:
        headers = {"Authorization": f"Bearer {self.product.credentials['api_key']}"}
        async with httpx.AsyncClient(base_url=self.product.url, headers=headers) as client:
            value = 1.0
            while True:
                moment = (system_clock() - timedelta(seconds=1)).isoformat()
                body = {"sensor_id": "gauge-1", "metric": "water.level", "observed_at": moment,
                        "value": value}  # fmt: skip
                answer = await client.post("/v1/readings", json=body, timeout=30)
                self.statuses[answer.status_code] += 1
                self.posted.add(value)
                self.peak = max(self.peak, resident(self.product))
                value = 1.0 + (value - 0.99) % 1.0
                await asyncio.sleep(0.2)

    async def watch(self) -> None:
        token = self.product.credentials["screen_token"]
        url = f"ws://127.0.0.1:{self.product.port}/v1/live?token={token}"
        async with websockets.connect(url, max_size=None) as socket:
            await socket.send('{"type":"hello"}')
            async for message in socket:
                frame: dict[str, Any] = json.loads(message)
                self.frames[frame["type"]] += 1
                self.shown |= {v for v in frame.get("value", ()) if v is not None}
        raise AssertionError("the polite screen's socket was closed")


@asynccontextmanager
async def polite(product: Product) -> AsyncIterator[Polite]:
    """One screen and one source, until the end."""
    somebody = Polite(product)
    tasks = [asyncio.create_task(somebody.post()), asyncio.create_task(somebody.watch())]

    async def begun() -> bool:
        return somebody.frames["snapshot"] > 0 and somebody.statuses[202] > 0

    assert await eventually(begun, 30)
    try:
        yield somebody
        for task in tasks:
            assert not task.done(), task.exception()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_malicious_clients_hold_nothing_and_disturb_nobody(product: Product) -> None:
    chance = random.Random(SEED)
    token = product.credentials["screen_token"]
    targets = [Target(product.port, path, token, chance) for path in PATHS for _ in range(EACH)]
    async with polite(product) as somebody:
        before, own = resident(product), held(product)["established"]
        crowd = {
            asyncio.create_task(rude(target), name=f"{target.path} {name}")
            for name, rude in everyone().items()
            for target in targets
        }

        async def all_came() -> bool:
            return sum(target.opened for target in targets) == len(crowd)

        async def alone() -> bool:
            return held(product)["established"] <= own

        try:
            assert await eventually(all_came, 60)
            ended = await eventually(alone, SECONDS)
            left = sorted(task.get_name() for task in crowd if not task.done())
            assert ended, (held(product), left)
        finally:
            for task in crowd:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*crowd, return_exceptions=True)

        async def shown() -> bool:
            return len(somebody.posted - somebody.shown) < 20

        assert await eventually(shown, 30)
        assert somebody.peak - before < MORE_MEMORY, (before, somebody.peak)
        print(f"memory {before} MiB, at most {somebody.peak}; {somebody.frames}")
    assert set(somebody.statuses) == {202}
    assert "Traceback" not in product.log.read_text(), product.log.read_text()[-6000:]
    assert held(product)["closing"] == 0 or await eventually(_none_closing(product), 60)


def _none_closing(product: Product) -> Any:
    async def none() -> bool:
        return held(product)["closing"] == 0

    return none
