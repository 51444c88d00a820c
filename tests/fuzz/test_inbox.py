"""Garbage in `city.inbox`, on both logs: it is worked off, and what is right gets through."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.topics import INBOX
from shared.errors import Unavailable
from shared.eventlog.kafka import KafkaLog
from shared.eventlog.log import EventLog, Outgoing
from tests.fuzz.garbage import records
from tests.integration.cities import City, city, reading
from tests.waiting import eventually

RECORDS = 1_500
ONE_IN = 50  # is right
NULL = cast(bytes, None)  # Kafka allows it, our own log does not


@pytest.fixture(params=["postgres", "kafka"])
async def log(request: pytest.FixtureRequest, event_log: EventLog) -> AsyncIterator[EventLog]:
    if request.param == "postgres":
        yield event_log
        return
    opened = await KafkaLog(request.getfixturevalue("kafka_bootstrap")).open()
    yield opened
    await opened.close()


def right(second: int) -> Outgoing:
    moment = f"2026-05-01T07:00:{second:02d}Z"
    return Outgoing(INBOX, "x", json.dumps(reading() | {"observed_at": moment}).encode())


async def work_off(made: City) -> None:
    """The normaliser and the writer, until nothing waits; what they raise is raised here."""
    stop = asyncio.Event()
    names = ("ingest-normaliser", "ingest-writer")
    jobs = [asyncio.ensure_future(made.service.jobs[name](stop)) for name in names]

    async def done() -> bool:
        for job in jobs:
            if job.done():
                job.result()
        try:
            return await made.context.log.lag(INBOX, "normaliser") == 0
        except Unavailable:  # no coordinator yet
            return False

    try:
        assert await eventually(done, 120)
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*jobs), 30)


async def test_garbage_is_worked_off_and_what_is_right_gets_through(
    engine: AsyncEngine, log: EventLog, database_url: str, tmp_path: Path
) -> None:
    async with city(engine, log, database_url, tmp_path) as made:
        key = made.client.headers["Authorization"].removeprefix("Bearer ").encode()
        garbage: list[Outgoing] = []
        for number, record in zip(range(RECORDS), records(random.Random(5), key), strict=False):
            garbage.append(record)
            if number % ONE_IN == 0:
                garbage.append(right(number // ONE_IN))
        await log.publish(garbage)
        await work_off(made)

        async def stored() -> bool:
            rows: list[Any] = await made.rows("SELECT count(*) FROM ingest.readings")
            return bool(rows[0][0] >= RECORDS // ONE_IN)

        stop = asyncio.Event()
        writer = asyncio.ensure_future(made.service.jobs["ingest-writer"](stop))
        try:
            assert await eventually(stored, 60)
        finally:
            stop.set()
            await writer
        aside = await made.rows("SELECT count(*) FROM ingest.quarantine")
        assert aside[0][0] > RECORDS // 2


@pytest.mark.parametrize("log", ["kafka"], indirect=True)
async def test_a_header_without_a_value_stops_nobody(
    engine: AsyncEngine, log: EventLog, database_url: str, tmp_path: Path
) -> None:
    headers = (("yiwang-key", NULL), ("content-type", NULL), ("ce_id", NULL))
    async with city(engine, log, database_url, tmp_path) as made:
        await log.publish([Outgoing(INBOX, "x", b"{}", headers), right(1)])
        await work_off(made)
        found = await made.rows("SELECT code FROM ingest.quarantine")
        assert ("forbidden",) in found
