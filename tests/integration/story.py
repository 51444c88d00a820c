"""What a run of the engine has told, without the wall clock: to compare two runs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.rules.rule import Flapping, Rule, Title
from shared.clock import to_micros
from shared.contracts.reading import Batch, Reading, encode_batch
from shared.contracts.topics import READINGS, partition_of
from shared.eventlog.log import Outgoing
from shared.store.tables import alerts, incidents, timeline

PARTITIONS = 4
WALL = {"opened_at", "updated_at", "deadline_at", "step_due_at", "recorded_at", "overdue"}
Story = dict[str, dict[str, Any]]

ALONE = Rule(
    id="gas", title=Title(zh="燃气", en="gas"), metric="gas.concentration",
    above=20.0, deadband=5.0, grade=2, priority=1, flapping=Flapping(raises=100),
)  # fmt: skip
SLOW = ALONE.model_copy(update={"id": "slow", "metric": "water.level", "for_seconds": 60})
GATHERED = ALONE.model_copy(
    update={"id": "noise", "metric": "noise.level", "priority": 3, "cause": "festival"}
)
RULES = [ALONE, SLOW, GATHERED]


async def told(engine: AsyncEngine, prefix: str = "") -> Story:
    """Incidents by id, each with its alerts and its timeline; of subjects that begin so."""
    async with engine.connect() as connection:
        rows = [row._mapping for row in await connection.execute(select(incidents))]
        known = {
            str(row["id"]): {name: row[name] for name in row if name not in WALL}
            for row in rows
            if any(subject.startswith(prefix) for subject in row["subjects"])
        }
        for incident in known.values():
            incident["alerts"], incident["steps"] = [], []
        query = select(alerts).order_by(alerts.c.started_at, alerts.c.alert_id)
        for row in (await connection.execute(query)).mappings():
            if str(row["incident_id"]) in known:
                kept = {name: row[name] for name in row if name not in WALL}
                known[str(row["incident_id"])]["alerts"].append(kept)
        order = select(timeline).order_by(timeline.c.incident_id, timeline.c.version)
        for row in (await connection.execute(order)).mappings():
            if str(row["incident_id"]) in known:
                step = (row["version"], row["type"], row["actor"], row["note"], row["cause"])
                known[str(row["incident_id"])]["steps"].append(step)
    return known


def record(readings: Sequence[Reading], accepted_us: int, partition: int | None = None) -> Outgoing:
    """One record as the gateway would have made it; without readings, a clock tick."""
    batch = Batch(list(readings), accepted_us, "test" if readings else "clock")
    if partition is None:
        partition = partition_of(readings[0].sensor_id, PARTITIONS)
    key = readings[0].sensor_id if readings else "clock"
    return Outgoing(READINGS, key, encode_batch(batch), partition=partition)


def ticks(now: datetime) -> list[Outgoing]:
    """One for every partition."""
    return [record([], to_micros(now), partition) for partition in range(PARTITIONS)]


def names(prefix: str, count: int, partition: int) -> list[str]:
    """Sensors of one partition: only there has the order of readings been kept."""
    found: list[str] = []
    number = 0
    while len(found) < count:
        number += 1
        if partition_of(f"{prefix}{number}", PARTITIONS) == partition:
            found.append(f"{prefix}{number}")
    return found


async def forget(engine: AsyncEngine) -> None:
    """Everything told and remembered, and what lies in the embedded log."""
    async with engine.begin() as connection:
        await connection.execute(text(
            "TRUNCATE alerts.incidents, alerts.progress, alerts.snapshots, alerts.outbox,"
            " eventlog.groups, eventlog.records CASCADE"))  # fmt: skip
        await connection.execute(text("UPDATE eventlog.partitions SET first_offset = next_offset"))
