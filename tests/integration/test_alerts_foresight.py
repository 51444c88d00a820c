"""A rule that asks for the next hours, on a real database: killed again and again, explained."""

import json
import math
from datetime import timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.channels.wording import say
from services.alerts.engine import loop
from services.alerts.rules.rule import Rule
from shared.contracts.incident import AlertState, Cause
from shared.eventlog.log import EventLog
from shared.store.tables import deliveries, endpoints, timeline
from tests.integration.alerting import START, all_incidents, outgoing, play

FORESEEN = Rule.model_validate(
    {"id": "foreseen", "title": {"zh": "将超警戒", "en": "expected high"}, "metric": "water.level",
     "forecast": {"above": 8, "within": "3h", "deadband": 0.3}, "clear_for": "30m"}
)  # fmt: skip
DAY, PER_RECORD = 288, 25
READINGS = 5 * DAY  # one every five minutes; all but the last hour is old on arrival
VALUES = [
    4.5 + 1.5 * math.sin(2 * math.pi * row / DAY) + 0.8 * row / DAY for row in range(READINGS)
]
PASSED = next(row for row, value in enumerate(VALUES) if value > 8)


@pytest.mark.parametrize("snapshot_seconds", [0.0, 10.0])
async def test_killed_again_and_again_it_warns_once_and_says_when(
    engine: AsyncEngine,
    event_log: EventLog,
    snapshot_seconds: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "SNAPSHOT_SECONDS", snapshot_seconds)
    sent = [
        ("rv-1", "water.level", (row - READINGS) * 300, value) for row, value in enumerate(VALUES)
    ]
    records = [outgoing(sent[row : row + PER_RECORD]) for row in range(0, PASSED, PER_RECORD)]
    for start in range(0, len(records), 9):
        await event_log.publish(records[start : start + 9])
        await play(engine, event_log, min(start + 9, len(records)), [FORESEEN])
    (found,) = await all_incidents(engine)
    assert (found.grade, found.priority, found.threshold) == (4, 4, 8)
    assert found.value is not None and found.value > 8
    async with engine.connect() as connection:
        query = select(timeline.c.cause).order_by(timeline.c.version)
        opened = Cause.model_validate((await connection.execute(query)).scalars().first())
    foreseen = opened.foreseen
    assert foreseen is not None and foreseen.expected == found.value
    passed_at = START.timestamp() + (PASSED - READINGS) * 300
    assert abs(foreseen.at.timestamp() - passed_at) < 3_600
    assert found.observed_at < foreseen.at and foreseen.earliest <= foreseen.at
    assert found.alert_state is AlertState.ACTIVE


async def test_a_webhook_and_a_message_say_it_in_both_languages(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    async with engine.begin() as connection:
        endpoint = {"endpoint_id": "0" * 32, "url": "http://h", "events": ["*"], "secret": "s"}
        await connection.execute(insert(endpoints).values(endpoint))
    sent = [("rv-1", "water.level", (row - PASSED) * 300, VALUES[row]) for row in range(PASSED)]
    records = [
        outgoing(some, START + timedelta(seconds=some[-1][2]))  # as soon as it was read
        for row in range(0, PASSED, PER_RECORD)
        if (some := sent[row : row + PER_RECORD])
    ]
    await event_log.publish(records)
    await play(engine, event_log, len(records), [FORESEEN])
    async with engine.connect() as connection:
        body = json.loads((await connection.execute(select(deliveries.c.body))).scalars().one())
    foreseen = body["data"]["caused_by"]["foreseen"]
    assert foreseen["limit"] == 8 and foreseen["side"] == "above"
    assert "将高于 8" in foreseen["zh"] and foreseen["en"].startswith("will cross 8 at ")
    assert foreseen["zh"] in say(body, "zh").paragraphs[0]
    assert foreseen["en"] in say(body, "en").paragraphs[0]
