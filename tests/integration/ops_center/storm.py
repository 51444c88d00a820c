"""A small recorded storm: stored readings, and what the real rules made of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from services.alerts.incidents.lifecycle import STEPS, Command, Wanted, step
from services.alerts.rules.rule import Title
from shared.clock import system_clock, to_micros
from shared.contracts.reading import Batch, Reading, encode_batch
from shared.contracts.topics import READINGS
from shared.eventlog.log import Outgoing
from shared.store.tables import timeline
from tests.integration.alerting import RULE, START, desk, person, play
from tests.integration.ops_center.conftest import Centre

ACKNOWLEDGED = STEPS[Command.ACKNOWLEDGE].event

BEGIN, END = START - timedelta(seconds=30), START + timedelta(seconds=210)
HIGH = RULE.model_copy(
    update={"id": "level", "title": Title(zh="水位", en="level"), "metric": "water.level",
            "above": 6.0, "deadband": 0.5, "for_seconds": 10}
)  # fmt: skip
JAM = RULE.model_copy(
    update={"id": "jam", "title": Title(zh="车速", en="speed"), "metric": "traffic.speed",
            "above": 100.0, "deadband": 5.0, "priority": 3, "cause": "festival"}
)  # fmt: skip
RULES = [HIGH, JAM]
SERIES = (
    ("gauge-1", "water.level", 60, 120), ("both-1", "water.level", 90, 400),
    ("road-1", "traffic.speed", 70, 150), ("road-2", "traffic.speed", 80, 160),
    ("both-1", "traffic.speed", 100, 130), ("nowhere-1", "water.level", 400, 400),
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """Of the timeline."""

    incident_id: str
    version: int
    type: str


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def readings() -> Iterator[Reading]:
    """Every 10 s of each series, high between two seconds, in order of time."""
    for second in range(-60, 200, 10):
        for number, (sensor, metric, first, last) in enumerate(SERIES):
            calm, wild = (3.0, 8.0) if metric == "water.level" else (50.0, 120.0)
            value = (wild if first <= second < last else calm) + (second + 60) / 1000
            yield Reading(sensor, metric, to_micros(at(second)) + number, value)


async def record(centre: Centre) -> None:
    """Judged by the real engine and stored; a person acknowledges one of its incidents now."""
    stored = list(readings())
    before = sum((await centre.log.ends(READINGS)).values())
    accepted = to_micros(at(300))
    records = [
        Outgoing(READINGS, one.sensor_id, encode_batch(Batch([one], accepted, "test")))
        for one in stored
    ]
    await centre.log.publish(records)
    await play(centre.engine, centre.log, before + len(records), RULES)
    await centre.store(stored, {})
    await desk(centre.engine).command(
        UUID((await steps(centre))[0].incident_id),
        lambda found: step(found, Command.ACKNOWLEDGE, system_clock(), Wanted("知道了")),
        person("li"), STEPS[Command.ACKNOWLEDGE], "知道了",
    )  # fmt: skip


async def steps(centre: Centre) -> list[Step]:
    """As recorded, by incident and version."""
    query = select(timeline).order_by(timeline.c.incident_id, timeline.c.version)
    async with centre.engine.connect() as connection:
        rows = (await connection.execute(query)).mappings().all()
    return [Step(str(row["incident_id"]), row["version"], row["type"]) for row in rows]


async def history_at(centre: Centre, moment: datetime) -> dict[tuple[str, str], Any]:
    """Value and time (epoch ms) of every series, as `GET /v1/history?at=` says."""
    async with centre.http(centre.screen_token) as http:
        answer = await http.get("/v1/history", params={"at": moment.isoformat()})
    return {
        (item["sensor_id"], item["metric"]): (item["value"], _milliseconds(item["observed_at"]))
        for item in answer.raise_for_status().json()["items"]
        if item["sensor_id"] != "la-1"  # it has no place
    }


def _milliseconds(text: str | None) -> int | None:
    return None if text is None else to_micros(datetime.fromisoformat(text)) // 1000
