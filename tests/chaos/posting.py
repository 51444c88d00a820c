"""Posting services: a steady stream over HTTP that repeats as told, and one over Kafka.

A poster goes on to its next batch only when it holds a 202 for this one, so of each sensor the log
has the readings in their order. What is promised is written down with its receipt.
"""

import asyncio
import json
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.chaos.journal import Journal

METRIC = "gas.concentration"
TIMEOUT_SECONDS = 20.0
REFUSED = (429, 502, 503)
HIGH, LOW = 40.0, 5.0
Item = dict[str, Any]


@dataclass
class Tally:
    """What one client has met. `unplanned`: answers that it cannot go on after; `gave_up`: batches
    that never got their 202."""

    acknowledged: int = 0
    refused: int = 0
    without_retry_after: int = 0
    broken: int = 0  # connections
    unplanned: list[str] = field(default_factory=list)
    gave_up: int = 0
    refusal_seconds: list[float] = field(default_factory=list)


class Client:
    """One HTTP client over all gateways, as behind a load balancer."""

    def __init__(
        self, addresses: Sequence[str], key: str, journal: Journal,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:  # fmt: skip
        self._addresses = addresses
        self._turn = random.randrange(len(addresses))
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(headers=headers, timeout=timeout_seconds)
        self._journal = journal
        self.tally = Tally()

    def deliver(self, items: Sequence[Item], kinds: str, stop: threading.Event) -> bool:
        """Until there is a 202, or something that no repetition mends. `kinds`: a letter for each:
        `n`ew, `r`epeated, in `c`onflict, `w`rong."""
        while not stop.is_set():
            pause = self._try(items, kinds)
            if pause is None:
                return not self.tally.unplanned
            stop.wait(pause)
        self.tally.gave_up += 1
        return False

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def _try(self, items: Sequence[Item], kinds: str) -> float | None:
        """Seconds to wait before the next attempt; None: it has been dealt with."""
        address, began = self._addresses[self._turn % len(self._addresses)], time.monotonic()
        try:
            answer = self._http.post(f"{address}/v1/readings", json=list(items))
        except httpx.HTTPError:
            self.tally.broken += 1
            self._turn += 1  # the next one may be better
            return 0.1
        if answer.status_code == 202:
            self._note(answer.json(), items, kinds)
            return None
        if answer.status_code in REFUSED:
            return self._refused(answer, time.monotonic() - began)
        self.tally.unplanned.append(f"{answer.status_code} {answer.text[:300]}")
        return None

    def _refused(self, answer: httpx.Response, seconds: float) -> float:
        self.tally.refused += 1
        self.tally.refusal_seconds.append(round(seconds, 3))
        self._turn += 1
        if "retry-after" not in answer.headers:
            self.tally.without_retry_after += 1
            return 1.0
        return float(answer.headers["retry-after"])

    def _note(self, said: dict[str, Any], items: Sequence[Item], kinds: str) -> None:
        self.tally.acknowledged += 1
        rejected = [one["index"] for one in said["rejected"]]
        self._journal.write({
            "receipt": said["receipt"], "items": items, "kinds": kinds, "rejected": rejected,
            "accepted": said["accepted"],
        })  # fmt: skip


class Poster(threading.Thread):
    """A batch every so often: each of its sensors once, and some that must not change anything."""

    def __init__(self, client: Client, sensors: Sequence[str], seed: int, every: float) -> None:
        super().__init__(name=f"poster-{seed}", daemon=True)
        self.client = client
        self.stop = threading.Event()
        self.failed = False
        self._due = time.monotonic()  # when the next batch is
        self._sensors = sensors
        self._chance = random.Random(seed)
        self._every = every
        self._known: list[Item] = []
        self._high = dict.fromkeys(sensors, False)
        self._last = datetime.min.replace(tzinfo=UTC)

    @property
    def behind(self) -> float:
        """Seconds of what should have been sent and has not."""
        return max(0.0, time.monotonic() - self._due)

    def run(self) -> None:
        """Until told to stop, and then until the batch under way has its answer. What could not be
        sent in its time is sent as soon as it can be: `behind`."""
        never = threading.Event()  # a batch under way is never given up
        self._due = time.monotonic()
        while not self.stop.wait(max(0.0, self._due - time.monotonic())):
            self._due += self._every
            items, kinds = self._batch()
            if not self.client.deliver(items, kinds, never):
                self.failed = True
                return
            self._known += [one for one, kind in zip(items, kinds, strict=True) if kind == "n"]
            self._known = self._known[-2000:]

    def _batch(self) -> tuple[list[Item], str]:
        # The clock of this machine may step back: a key is never used twice.
        self._last = max(datetime.now(UTC), self._last + timedelta(milliseconds=1))
        moment = self._last.isoformat()
        items = [self._item(name, moment) for name in self._sensors]
        kinds = "n" * len(items)
        if self._known:
            old = self._chance.choice(self._known)
            items.append(dict(old))
            other = self._chance.choice(self._known)
            items.append(other | {"value": other["value"] + 0.5})
            kinds += "rc"
        if self._chance.random() < 0.2:
            items.append({**items[0], "metric": "no.such_metric"})
            kinds += "w"
        return items, kinds

    def _item(self, name: str, moment: str) -> Item:
        if self._chance.random() < 0.01:
            self._high[name] = not self._high[name]
        base = HIGH if self._high[name] else LOW
        value = round(base + self._chance.random() * 4, 2)
        return {"sensor_id": name, "metric": METRIC, "observed_at": moment, "value": value}


async def produce(
    bootstrap: str, key: str, sensors: Sequence[str], journal: Journal, stop: asyncio.Event
) -> None:
    """A producer on `city.inbox`: one reading a second of each sensor, each until acknowledged."""
    headers = [("yiwang-key", key.encode())]
    while not stop.is_set():
        producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, acks="all", request_timeout_ms=5000
        )
        try:
            await producer.start()
            await _stream(producer, headers, sensors, journal, stop)
        except KafkaError:
            await asyncio.sleep(0.5)
        finally:
            await producer.stop()


async def _stream(
    producer: AIOKafkaProducer, headers: list[tuple[str, bytes]], sensors: Sequence[str],
    journal: Journal, stop: asyncio.Event,
) -> None:  # fmt: skip
    count = 0
    while not stop.is_set():
        count += 1
        for name in sensors:
            item = {
                "sensor_id": name, "metric": METRIC, "observed_at": datetime.now(UTC).isoformat(),
                "value": round(LOW + count % 40 / 10, 2),
            }  # fmt: skip
            await _until_acknowledged(producer, headers, item, stop)
            journal.write({"items": [item], "kinds": "n", "rejected": [], "accepted": 1})
        await asyncio.sleep(1)


async def _until_acknowledged(
    producer: AIOKafkaProducer, headers: list[tuple[str, bytes]], item: Item, stop: asyncio.Event
) -> None:
    value, key = json.dumps(item).encode(), item["sensor_id"].encode()
    while True:
        try:
            await producer.send_and_wait("city.inbox", value, key=key, headers=headers)
        except KafkaError:
            await asyncio.sleep(0.2)
        else:
            return
