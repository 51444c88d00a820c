"""Accepted = stored + quarantined, to the row, while each part is killed with -9 in its turn.

Production's shape on a broker and a database of this test's own. Posters never stop: what is not
acknowledged is sent again, as a posting service would. The expected table and quarantine are
worked out from what was acknowledged alone.
"""

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from deploy.local import parts
from tests.shape import Shape, production
from tests.waiting import until

MISSING = {name: reason for name, reason in parts.available().items() if reason}
POSTERS = 3
BATCH = 40
TURNS = ("gateway", "writer", "kafka", "database")
START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=30)

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"NO REAL PARTS: {MISSING}")
Key = tuple[str, datetime]


@dataclass
class Ledger:
    """What one poster was promised."""

    stored: dict[Key, float] = field(default_factory=dict)
    conflicts: set[tuple[str, datetime, float]] = field(default_factory=set)
    receipts: dict[str, set[int]] = field(default_factory=dict)  # receipt → indices in conflict


class Poster(threading.Thread):
    """Posts new readings, repeats of old ones and conflicts with them until told to stop."""

    def __init__(self, shape: Shape, number: int) -> None:
        super().__init__(name=f"poster-{number}", daemon=True)
        self.shape = shape
        self.sensor = f"turn-{number}"
        self.chance = random.Random(number)
        self.ledger = Ledger()
        self.count = 0
        self.stop = threading.Event()
        self.failure = ""

    def run(self) -> None:
        headers = {"Authorization": f"Bearer {self.shape.credentials['api_key']}"}
        with httpx.Client(headers=headers, timeout=30) as client:
            while not self.stop.is_set() and not self.failure:
                self._deliver(client, *self._batch())

    def _batch(self) -> tuple[list[dict[str, Any]], set[int]]:
        """Items, and which of them must end up in quarantine."""
        known = list(self.ledger.stored.items())
        items, wrong = [], set()
        for index in range(BATCH):
            kind = self.chance.random()
            if known and kind < 0.1:
                (_, moment), value = self.chance.choice(known)
                items.append(self._item(moment, value))
            elif known and kind < 0.2:
                (_, moment), value = self.chance.choice(known)
                items.append(self._item(moment, value + 100))
                wrong.add(index)
            else:
                items.append(self._item(START + timedelta(seconds=self.count), self.count % 50))
                self.count += 1
        return items, wrong

    def _item(self, moment: datetime, value: float) -> dict[str, Any]:
        return {"sensor_id": self.sensor, "metric": "traffic.speed",
                "observed_at": moment.isoformat(), "value": value}  # fmt: skip

    def _deliver(self, client: httpx.Client, items: list[dict[str, Any]], wrong: set[int]) -> None:
        """Until it is acknowledged: only then it counts."""
        while not self.failure:
            try:
                answer = client.post(f"{self.shape.url('gateway')}/v1/readings", json=items)
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.status_code == 202:
                self._note(answer.json(), items, wrong)
                return
            if answer is not None and answer.status_code != 503:
                self.failure = answer.text
            time.sleep(0.05)

    def _note(self, said: dict[str, Any], items: list[dict[str, Any]], wrong: set[int]) -> None:
        if said["accepted"] != len(items):
            self.failure = str(said)
        self.ledger.receipts[said["receipt"]] = wrong
        for index, item in enumerate(items):
            moment = datetime.fromisoformat(item["observed_at"])
            if index in wrong:
                self.ledger.conflicts.add((self.sensor, moment, item["value"]))
            else:
                self.ledger.stored[(self.sensor, moment)] = item["value"]


@pytest.fixture
def shape(tmp_path: Path) -> Iterator[Shape]:
    with parts.running(tmp_path / "parts") as running:
        kafka, database = running.kafka_bootstrap, running.database_url
        with production(tmp_path / "city", database, kafka) as started:
            yield started


def kill(shape: Shape, name: str) -> None:
    """`kill -9`, and start again."""
    if name in shape.running:
        shape.end(name, signal.SIGKILL)
        shape.start(name)
        return
    folder = shape.data_dir.parent / "parts"
    os.kill(json.loads((folder / "parts.json").read_text())[name]["pid"], signal.SIGKILL)
    assert until(lambda: name not in parts.status(folder), 10)
    parts.start(folder)


def rows(shape: Shape, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(shape.database_url) as connection:
        return connection.execute(query.encode()).fetchall()


def table(shape: Shape) -> list[tuple[Key, float]]:
    query = "SELECT sensor_id, observed_at, value FROM ingest.readings"
    found = rows(shape, f"{query} WHERE sensor_id LIKE 'turn-%'")
    return [((sensor, moment), value) for sensor, moment, value in found]


def conflicts(shape: Shape) -> set[tuple[str, datetime, float]]:
    found = rows(shape, "SELECT item FROM ingest.quarantine WHERE code = 'conflict'")
    return {
        (item["sensor_id"], datetime.fromisoformat(item["observed_at"]), item["value"])
        for (item,) in found
    }


def receipt(shape: Shape, token: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {shape.credentials['api_key']}"}
    answer = httpx.get(f"{shape.url('gateway')}/v1/receipts/{token}", headers=headers)
    found: dict[str, Any] = answer.json()
    return found


def register(shape: Shape, posters: list[Poster]) -> None:
    headers = {"Authorization": f"Bearer {shape.credentials['api_key']}"}
    sensors = [{"sensor_id": poster.sensor, "metrics": ["traffic.speed"]} for poster in posters]
    url = f"{shape.url('gateway')}/v1/sensors"
    assert httpx.post(url, json=sensors, headers=headers, timeout=30).is_success


def more_than(posters: list[Poster], before: list[int]) -> Callable[[], bool]:
    """Whether every poster has been promised ten batches more than `before`."""
    return lambda: all(
        poster.failure or len(poster.ledger.receipts) > count + 10
        for poster, count in zip(posters, before, strict=True)
    )


def test_every_promise_is_kept_when_each_part_dies_in_its_turn(shape: Shape) -> None:
    posters = [Poster(shape, number) for number in range(POSTERS)]
    register(shape, posters)
    for poster in posters:
        poster.start()
    for name in TURNS:
        before = [len(poster.ledger.receipts) for poster in posters]
        assert until(more_than(posters, before), 90), [shape.log("gateway")[-3000:]]
        kill(shape, name)
    before = [len(poster.ledger.receipts) for poster in posters]
    assert until(more_than(posters, before), 90), [shape.log("gateway")[-3000:]]
    for poster in posters:
        poster.stop.set()
    for poster in posters:
        poster.join(60)
        assert not poster.is_alive() and not poster.failure, poster.failure
    expected = {key: value for poster in posters for key, value in poster.ledger.stored.items()}
    aside = set().union(*(poster.ledger.conflicts for poster in posters))
    assert until(lambda: len(table(shape)) >= len(expected), 90), late(shape, expected)
    assert until(lambda: conflicts(shape) >= aside, 30)
    check(shape, posters, expected, aside)


def late(shape: Shape, expected: dict[Key, float]) -> str:
    """What a failure needs to say."""
    missing = sorted(set(expected) - dict(table(shape)).keys())
    return (
        f"{len(missing)} of {len(expected)} missing: {missing[:3]}\n{shape.log('writer')[-4000:]}"
    )


def check(
    shape: Shape,
    posters: list[Poster],
    expected: dict[Key, float],
    aside: set[tuple[str, datetime, float]],
) -> None:
    """Nothing missing, nothing twice, nothing that was not promised; receipts say so too."""
    found = table(shape)
    assert len(found) == len(dict(found))
    assert dict(found) == expected
    assert conflicts(shape) == aside
    for poster in posters:
        for token, wrong in random.Random(0).sample(sorted(poster.ledger.receipts.items()), 10):
            said = receipt(shape, token)
            assert said["status"] == "stored", said
            assert {item["index"] for item in said["quarantined"]} == wrong
            assert {item["code"] for item in said["quarantined"]} <= {"conflict"}
