"""The rainstorm: 400 alerts in ten minutes, by the shipped rules, through the real engine."""

import random
from collections import Counter
from pathlib import Path

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.rules import files
from shared.eventlog.log import EventLog
from shared.store.tables import alerts, sensors
from tests.integration.alerting import all_incidents, outgoing, play

SHIPPED = Path(__file__).parents[2] / "rules"
DISTRICTS = ("441202", "441203", "441204", "441223", "441224", "441225", "441226", "441284")
# metric, a value beyond its rule's limit, how many
STORM = (
    ("weather.rain", 90.0, 90), ("water.level", 9.5, 60), ("drain.level", 2.4, 120),
    ("power.voltage", 150.0, 60), ("water.pressure", 100.0, 70),
)  # fmt: skip
LEAKS = 6


async def test_four_hundred_alerts_are_at_most_ten_rows_and_each_p1_its_own(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    chance = random.Random(4)
    who = [(metric, value) for metric, value, count in STORM for _ in range(count)]
    who += [("gas.concentration", 60.0)] * LEAKS
    rows, readings = [], []
    for number, (metric, value) in enumerate(who):
        name, second = f"s-{number}", chance.randint(0, 480)
        rows.append({"sensor_id": name, "metrics": [metric], "area_id": chance.choice(DISTRICTS)})
        # Over its limit, and still after every on-delay.
        readings += [
            (second + later, (name, metric, second + later, value)) for later in (0, 60, 120)
        ]
    async with engine.begin() as connection:
        await connection.execute(insert(sensors), rows)
    readings.sort()
    records = [outgoing([one]) for _, one in readings]
    await event_log.publish(records)
    rules, errors = files.load(SHIPPED)
    assert not errors
    await play(engine, event_log, len(records), rules)

    async with engine.connect() as connection:
        raised = (await connection.execute(select(alerts.c.rule_id))).scalars().all()
    assert len(raised) >= 400
    found = await all_incidents(engine)
    top = [one for one in found if one.parent_id is None and one.merged_into is None]
    grave = [one for one in top if one.priority == 1]
    others = [one for one in top if one.priority != 1]
    assert Counter(one.rule_id for one in grave)["gas-leak"] == LEAKS
    assert all(one.members == 1 for one in grave)
    assert 1 <= len(others) <= 10
    assert any(one.kind == "flood" for one in others)
    assert sum(one.members for one in found if one.kind == "alert" and not one.merged_into) >= 400
