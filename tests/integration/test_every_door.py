"""Arbitrary batches through both doors, on both logs, against a model that shares no code.

The model is a dictionary and a list: what is stored, and what is set aside. Batches go in one
after the other, so that the order in the log is known; each example has an hour of its own.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local import parts
from shared.contracts.topics import INBOX, READINGS
from shared.errors import Unavailable
from shared.eventlog.kafka import KafkaLog
from shared.eventlog.log import EventLog, Outgoing
from tests.integration.cities import NOW, SENSOR, City, city
from tests.waiting import eventually

Item = dict[str, Any]
Door = Literal["http", "inbox"]
JOBS = ("ingest-normaliser", "ingest-writer")
HOURS = count(1)

good = st.fixed_dictionaries(
    {
        "sensor_id": st.sampled_from([SENSOR, "tr-441202-0002", "tr-441203-0001"]),
        "metric": st.just("traffic.speed"),
        "second": st.integers(0, 3),
        "value": st.sampled_from([40.0, 41.5, 0, 119]),
        "quality": st.sampled_from(["good", "suspect", "bad"]),
    },
    optional={"replace": st.booleans()},
)
# One flaw each: what is refused, and with which code.
flaws = st.sampled_from(
    [
        ({"sensor_id": "nobody"}, "unknown_sensor"),
        ({"metric": "traffic.smell"}, "unknown_metric"),
        ({"metric": "noise.level"}, "unknown_metric"),
        ({"value": 1e6}, "out_of_range"),
        ({"value": "40"}, "invalid_type"),
        ({"value": None}, "invalid_type"),
        ({"quality": "fine"}, "invalid_value"),
        ({"observed_at": (NOW + timedelta(minutes=6)).isoformat()}, "in_future"),
        ({"observed_at": "yesterday"}, "invalid_value"),
        ({"colour": "red"}, "unknown_field"),
    ]
)
entries = st.tuples(good, st.one_of(st.none(), st.none(), st.none(), flaws))
batches = st.lists(
    st.tuples(st.sampled_from(["http", "inbox"]), st.lists(entries, min_size=1, max_size=12)),
    min_size=1,
    max_size=5,
)


@dataclass
class Model:
    """What must be in the database at the end."""

    stored: dict[tuple[str, int], tuple[float, str]] = field(default_factory=dict)
    aside: Counter[tuple[str, str]] = field(default_factory=Counter)  # (code, the item as JSON)
    corrections: int = 0

    def take(self, door: Door, item: Item, plain: Item, code: str | None) -> str | None:
        """What the answer or the receipt must say of an item: its code, or None."""
        if code is not None:
            if door == "inbox":
                self.aside[(code, _text(item))] += 1
            return code
        key = (plain["sensor_id"], plain["second"])
        value = (float(plain["value"]), plain["quality"])
        known = self.stored.get(key)
        if known is None or (known != value and plain.get("replace")):
            self.corrections += known is not None
            self.stored[key] = value
        elif known != value:
            self.aside[("conflict", "")] += 1
            return "conflict"
        return None


def _text(item: Item) -> str:
    return json.dumps(item, sort_keys=True)


@dataclass
class House:
    """A running ingest, and the example's hour."""

    city: City

    async def post(self, items: list[Item]) -> tuple[str | None, dict[int, str]]:
        """(receipt, index → code of what was refused)."""
        answer = await self.city.client.post("/v1/readings", json=items)
        said = answer.json()
        assert answer.status_code == (202 if said["accepted"] else 422)
        return said["receipt"], {entry["index"]: entry["code"] for entry in said["rejected"]}

    async def produce(self, items: list[Item]) -> None:
        """One record of the inbox, taken up when this returns."""
        log = self.city.context.log
        await log.publish([Outgoing(INBOX, SENSOR, json.dumps(items).encode(), self._key())])
        assert await self._caught_up(INBOX, "normaliser")

    async def settle(self) -> None:
        """Until everything published is stored or set aside."""
        assert await self._caught_up(READINGS, "writer")

    async def verdicts(self, receipt: str) -> dict[int, str]:
        """Index → code of what a receipt says was set aside."""
        answer = (await self.city.client.get(f"/v1/receipts/{receipt}")).json()
        assert answer["status"] == "stored"
        return {entry["index"]: entry["code"] for entry in answer["quarantined"]}

    def _key(self) -> tuple[tuple[str, bytes], ...]:
        token = self.city.client.headers["Authorization"].removeprefix("Bearer ")
        return (("yiwang-key", token.encode()),)

    async def _caught_up(self, topic: str, group: str) -> bool:
        async def reached() -> bool:
            try:
                return await self.city.context.log.lag(topic, group) == 0
            except Unavailable:  # a broker that has just started has no coordinator yet
                return False

        return await eventually(reached, 60)


@asynccontextmanager
async def running(made: City) -> AsyncIterator[House]:
    stop = asyncio.Event()
    jobs = [asyncio.ensure_future(made.service.jobs[name](stop)) for name in JOBS]
    try:
        yield House(made)
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*jobs), 30)


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Nobody else's writer is in this broker's groups."""
    reason = parts.available()["kafka"]
    if reason is not None:
        pytest.skip(f"NO KAFKA: {reason}")
    started = parts.start(tmp_path_factory.mktemp("doors"), kafka=True, database=False)
    yield started.kafka_bootstrap
    started.stop()


@pytest.fixture(params=["postgres", "kafka"])
async def log(request: pytest.FixtureRequest, event_log: EventLog) -> AsyncIterator[EventLog]:
    if request.param == "postgres":
        yield event_log
        return
    opened = await KafkaLog(request.getfixturevalue("own_broker")).open()
    yield opened
    await opened.close()


async def test_both_doors_do_what_the_model_does(
    engine: AsyncEngine, log: EventLog, database_url: str, tmp_path: Path
) -> None:
    async with city(engine, log, database_url, tmp_path) as made, running(made) as house:
        loop = asyncio.get_running_loop()

        @settings(
            max_examples=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],  # an example takes too long to be shrunk
        )
        @given(batches)
        def example(drawn: list[tuple[Door, list[tuple[Item, Any]]]]) -> None:
            asyncio.run_coroutine_threadsafe(play(house, drawn), loop).result(120)

        await asyncio.to_thread(example)


async def play(house: House, drawn: list[tuple[Door, list[tuple[Item, Any]]]]) -> None:
    """One example: send it, let it settle, compare."""
    start = NOW - timedelta(hours=next(HOURS))
    last = (await house.city.rows("SELECT coalesce(max(id), 0) FROM ingest.quarantine"))[0][0]
    before = (await house.city.rows("SELECT count(*) FROM ingest.corrections"))[0][0]
    model = Model()
    promised: list[tuple[str, dict[int, str]]] = []
    for door, entries in drawn:
        items = [_item(plain, flaw, start) for plain, flaw in entries]
        verdicts = {}
        for index, (item, (plain, flaw)) in enumerate(zip(items, entries, strict=True)):
            said = model.take(door, item, plain, flaw[1] if flaw else None)
            if said is not None:
                verdicts[index] = said
        if door == "inbox":
            await house.produce(items)
            continue
        receipt, refused = await house.post(items)
        assert refused == {n: code for n, code in verdicts.items() if code != "conflict"}
        if receipt is not None:
            later = {n: code for n, code in verdicts.items() if code == "conflict"}
            promised.append((receipt, later))
    await house.settle()
    for receipt, later in promised:
        assert await house.verdicts(receipt) == later
    assert await _rows(house, start) == model.stored
    assert await _aside(house, last) == model.aside
    corrections = (await house.city.rows("SELECT count(*) FROM ingest.corrections"))[0][0]
    assert corrections - before == model.corrections


def _item(plain: Item, flaw: Any, start: Any) -> Item:
    item = {name: value for name, value in plain.items() if name != "second"}
    item["observed_at"] = (start + timedelta(seconds=plain["second"])).isoformat()
    return item | (flaw[0] if flaw else {})


async def _rows(house: House, start: Any) -> dict[tuple[str, int], tuple[float, str]]:
    found = await house.city.rows(
        "SELECT sensor_id, extract(epoch FROM observed_at)::bigint, value, quality"
        f" FROM ingest.readings WHERE observed_at >= '{start.isoformat()}'"
        f" AND observed_at < '{(start + timedelta(minutes=1)).isoformat()}'"
    )
    names = ("good", "suspect", "bad")
    begin = int(start.timestamp())
    keys = [(sensor, second - begin) for sensor, second, _, _ in found]
    assert len(keys) == len(set(keys))
    return dict(zip(keys, [(value, names[q]) for _, _, value, q in found], strict=True))


async def _aside(house: House, last: int) -> Counter[tuple[str, str]]:
    query = f"SELECT code, item FROM ingest.quarantine WHERE id > {last}"
    return Counter(
        (code, "" if code == "conflict" else _text(item))
        for code, item in await house.city.rows(query)
    )
