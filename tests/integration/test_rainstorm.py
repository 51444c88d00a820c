"""The rainstorm: 400 alerts in ten minutes, by the shipped rules, through the real engine."""

import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.rules import files
from shared.eventlog.log import EventLog, Outgoing
from shared.store.tables import alerts, sensors
from tests.integration.alerting import all_incidents, outgoing, play
from tests.integration.paging import Night

SHIPPED = Path(__file__).parents[2] / "rules"
DISTRICTS = ("441202", "441203", "441204", "441223", "441224", "441225", "441226", "441284")
# metric, a value beyond its rule's limit, how many
STORM = (
    ("weather.rain", 90.0, 90), ("water.level", 9.5, 60), ("drain.level", 2.4, 120),
    ("power.voltage", 150.0, 60), ("water.pressure", 100.0, 70),
)  # fmt: skip
LEAKS = 6


async def storm(engine: AsyncEngine) -> list[tuple[int, Outgoing]]:
    """Records with the second at which each is observed, in order; enters the sensors."""
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
    return [(second, outgoing([one])) for second, one in readings]


async def test_four_hundred_alerts_are_at_most_ten_rows_and_each_p1_its_own(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    records = [record for _, record in await storm(engine)]
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


async def test_in_a_storm_nobody_is_paged_more_than_every_two_minutes_and_no_p1_waits(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    """The same, minute by minute, with two people on call and half an hour after it."""
    night = await Night(engine).begin()
    records, played = await storm(engine), 0
    rules, _ = files.load(SHIPPED)
    for minute in range(45):
        now = [one for second, one in records if second // 60 == minute]
        if now:
            await event_log.publish(now)
            played += len(now)
            await play(engine, event_log, played, rules)
        await night.look()  # whatever is of priority 1 leaves now
        for _ in range(6):
            await night.look(10)
        await night.delivered()

    urgent = [one for one in await night.notices() if one.urgent]
    assert all(one.state == "sent" and one.decided_at == one.created_at for one in urgent)
    grave = [one for one in await all_incidents(engine) if one.priority == 1 and not one.parent_id]
    first_told = {one.incident_id for one in urgent if one.reason in ("new", "changed")}
    assert {one.id for one in grave} <= first_told
    assert len(grave) >= LEAKS

    pressing = {one.page_id for one in urgent}
    for person in ("li", "wang"):
        calm = [
            page["created_at"]
            for page in await night.pages()
            if page["person"] == person and page["event_id"] not in pressing
        ]
        assert calm
        gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(calm)]
        assert min(gaps, default=120) >= 120
