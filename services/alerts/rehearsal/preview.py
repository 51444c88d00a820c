"""Plays history to a draft rule. A process of its own: `python -m services.alerts preview`.

The question comes on standard input, the answer goes to standard output, both as JSON; the
database is the one that `YIWANG_DATABASE_URL` names.
"""

import asyncio
import os
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
from psycopg.errors import QueryCanceled
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.rehearsal import history
from services.alerts.rehearsal.outcome import Gatherer, Outcome
from services.alerts.rehearsal.stage import Stage
from services.alerts.rules.rule import Rule
from shared.clock import monotonic, to_micros
from shared.contracts.reading import Reading
from shared.settings import Settings
from shared.store.engine import make_engine

MAX_MEMORY = 2 * 1024**3  # address space of the process
MAX_CHANGES = 500_000  # of conditions of single sensors, on their way to be combined
POLITENESS = 10  # niceness: the services come first


class Question(msgspec.Struct):
    """`draft`, `current`: rules as documents. Bounds: rows read, and seconds that it may take."""

    draft: dict[str, Any]
    current: dict[str, Any] | None
    start: datetime
    end: datetime
    max_rows: int
    max_seconds: float


class Extent(msgspec.Struct):
    """How much of history was read. `cut`: what ended it before all `of_sensors` were
    read."""

    rows: int
    sensors: int
    of_sensors: int
    seconds: float
    cut: Literal["rows", "time", "changes"] | None = None


class Answer(msgspec.Struct):
    """What both rules would have raised."""

    draft: Outcome
    current: Outcome | None
    read: Extent


@dataclass
class Player:
    """One rule on its own stage."""

    rule: Rule
    stage: Stage
    gatherer: Gatherer

    def hear(self, readings: Sequence[Reading]) -> None:
        """Readings of one sensor, oldest first; each arrived when it was observed."""
        stage, gatherer = self.stage, self.gatherer
        key = self.rule.id, readings[0].sensor_id if readings else ""
        upwards = self.rule.limits.upwards
        for reading in readings:
            stage.hear(reading, reading.observed_us)
            if stage.urgent:
                gatherer.take(stage.said())
            gatherer.see(reading, key, upwards=upwards)


async def answer(engine: AsyncEngine, question: Question) -> Answer:
    """Play what is stored, within the bounds of the question."""
    began = monotonic()
    rules = [Rule.model_validate(question.draft)]
    if question.current is not None:
        rules.append(Rule.model_validate(question.current))
    rules = [rule.model_copy(update={"enabled": True}) for rule in rules]
    metrics = frozenset().union(*(rule.metrics for rule in rules))
    read = Extent(0, 0, 0, 0.0)
    async with engine.connect() as connection:
        await history.only_read(connection, question.max_seconds)
        found = await history.watched(connection, metrics)
        players = [
            Player(rule, Stage([rule], dict(found)), Gatherer(rule.version)) for rule in rules
        ]
        read.of_sensors = len(found)
        for sensor_id, _ in found:
            try:
                await _play(connection, question, sensor_id, metrics, players, read)
            except DBAPIError as error:
                if not isinstance(error.orig, QueryCanceled):
                    raise
                read.cut = "time"  # the statement's own bound
                break
            if monotonic() - began > question.max_seconds:
                read.cut = "time"
            if max(player.stage.waiting for player in players) > MAX_CHANGES:
                read.cut = "changes"
            if read.cut is not None:
                break
            read.sensors += 1
    for player in players:
        player.stage.tick(to_micros(question.end))
        player.gatherer.take(player.stage.said())
        player.gatherer.take(player.stage.combine())
    read.seconds = round(monotonic() - began, 2)
    outcomes = [player.gatherer.outcome() for player in players]
    return Answer(outcomes[0], outcomes[1] if len(outcomes) > 1 else None, read)


async def _play(
    connection: AsyncConnection,
    question: Question,
    sensor_id: str,
    metrics: frozenset[str],
    players: Sequence[Player],
    read: Extent,
) -> None:
    portions = history.heard(connection, sensor_id, metrics, question.start, question.end)
    async for portion in portions:
        for player in players:
            player.hear(portion)
        read.rows += len(portion)
        if read.rows >= question.max_rows:
            read.cut = "rows"
            return


def main() -> int:
    """Entry point of the process."""
    os.nice(POLITENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(_alone(question))))
    return 0


async def _alone(question: Question) -> Answer:
    url = Settings().database_url
    assert url is not None, "YIWANG_DATABASE_URL is not set"
    engine = make_engine(url, 1)
    try:
        return await answer(engine, question)
    finally:
        await engine.dispose()


def span(end: datetime, days: int) -> tuple[datetime, datetime]:
    """The last so many days before `end`."""
    return end.astimezone(UTC) - timedelta(days=days), end.astimezone(UTC)
