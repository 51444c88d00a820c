"""Who was told what: counted in memory, written every second, each for the hour that it was in.

The first time in an hour that somebody is told anything above public of a dataset is a row of the
audit log (`data.accessed`). Bounded: a row per caller, dataset, level and hour, however often he
asks; no request waits for a write. What a process that is killed had counted in its last second is
lost.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import Clock
from shared.disclosure.level import Level
from shared.store.accesses import Counted, write
from shared.store.audit import By
from shared.web.identity import Identity

WRITE_SECONDS = 1.0
MOST_WAITING = 20_000  # callers × datasets of which nothing is written yet; beyond: as one

_log = logging.getLogger(__name__)


class _Key(NamedTuple):
    hour: datetime
    key_id: str
    dataset: str
    level: Level


@dataclass(slots=True)
class _Sum:
    by: By
    requests: int = 0
    rows: int = 0


OTHERS = By("(others)", "system")


class Accesses:
    """One for all doors of a process."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._waiting: dict[_Key, _Sum] = {}

    def note(
        self, who: Identity | None, dataset: str, level: Level, *, requests: int = 1, rows: int = 0
    ) -> None:
        """Somebody was told this much of a dataset, up to a level. What is public is not counted,
        but for a grant's key: its usage is reported."""
        if who is None or (level is Level.PUBLIC and who.lent is None):
            return
        hour = self._clock().replace(minute=0, second=0, microsecond=0)
        name = who.key_id if who.lent is None else f"grant:{who.lent.grant_id}"
        key = _Key(hour, name, dataset, level)
        by = who.by
        if key not in self._waiting and len(self._waiting) >= MOST_WAITING:
            key, by = key._replace(key_id="(others)"), OTHERS
        found = self._waiting.setdefault(key, _Sum(by))
        found.requests += requests
        found.rows += rows

    def counter(self, who: Identity, dataset: str, level: Level) -> Callable[[int], None]:
        """Counts rows of an answer that is under way."""
        return lambda rows: self.note(who, dataset, level, requests=0, rows=rows)

    async def run(self, schema: str, stop: asyncio.Event) -> None:
        """Write until `stop`, and then what is left."""
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), WRITE_SECONDS)
            await self.write(schema)

    async def write(self, schema: str) -> None:
        """What was counted since the last time; what cannot be written now is kept."""
        taken, self._waiting = self._waiting, {}
        if not taken:
            return
        try:
            await write(self._engine, schema, _counted(taken))
        except BaseException:
            self._put_back(taken)
            raise

    def _put_back(self, taken: Mapping[_Key, _Sum]) -> None:
        for key, one in taken.items():
            found = self._waiting.setdefault(key, _Sum(one.by))
            found.requests += one.requests
            found.rows += one.rows


def _counted(taken: Mapping[_Key, _Sum]) -> list[Counted]:
    return [
        Counted(key.hour, key.key_id, key.dataset, key.level, one.by, one.requests, one.rows)
        for key, one in sorted(taken.items())
    ]
