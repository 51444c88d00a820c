"""Answers from the catalogue: to each as much as he may know of."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from services.ops_center.catalogue.entries import (
    Entry,
    Metric,
    Quality,
    Said,
    entries,
    metric_of,
)
from shared.clock import monotonic
from shared.disclosure.clearance import Clearance
from shared.disclosure.declaration import Declaration
from shared.disclosure.level import Level

FRESH_SECONDS = 15.0


class Shelf(Protocol):
    """See `repository.Shelf`."""

    async def metrics(self) -> list[Metric]:
        """All that are registered."""
        ...

    async def said(self) -> Mapping[str, Said]:
        """By dataset."""
        ...

    async def newest(self) -> Mapping[str, datetime]:
        """By dataset."""
        ...

    async def quality(self) -> Mapping[str, Quality]:
        """By dataset."""
        ...

    async def trend(self, dataset: str) -> tuple[Quality, ...]:
        """Hour by hour."""
        ...


class Desk:
    """Everything is read anew every `FRESH_SECONDS` at most, however many ask."""

    def __init__(self, shelf: Shelf, declaration: Declaration) -> None:
        self._shelf = shelf
        self._declaration = declaration
        self._known: list[Entry] = []
        self._read_at: float | None = None
        self._reading = asyncio.Lock()

    async def known(self, clearance: Clearance) -> list[Entry]:
        """Datasets of a level that somebody is cleared for."""
        return [one for one in await self._all() if self._may_know(one, clearance)]

    async def one(self, dataset: str, clearance: Clearance) -> Entry | None:
        """With its trend."""
        found = next((one for one in await self.known(clearance) if one.dataset == dataset), None)
        return None if found is None else replace(found, trend=await self._shelf.trend(dataset))

    def is_open(self, entry: Entry) -> bool:
        """Whether everybody may fetch its data here."""
        return entry.level is Level.PUBLIC and metric_of(entry.dataset) is not None

    def level_names(self, level: Level) -> tuple[str, str]:
        """As the city calls it."""
        return self._declaration.names[level].zh, self._declaration.names[level].en

    def forget(self) -> None:
        """Something was said: it is read anew."""
        self._read_at = None

    def _may_know(self, entry: Entry, clearance: Clearance) -> bool:
        confined = clearance.datasets
        dataset = "readings" if metric_of(entry.dataset) is not None else entry.dataset
        return entry.level <= clearance.level and (confined is None or dataset in confined)

    async def _all(self) -> list[Entry]:
        async with self._reading:
            if self._read_at is None or monotonic() - self._read_at > FRESH_SECONDS:
                self._known, self._read_at = await self._read(), monotonic()
            return self._known

    async def _read(self) -> list[Entry]:
        metrics, said = await self._shelf.metrics(), await self._shelf.said()
        newest, quality = await self._shelf.newest(), await self._shelf.quality()
        return [
            replace(
                one,
                newest_at=newest.get(one.dataset) or _newest(quality.get(one.dataset)),
                quality=quality.get(one.dataset),
            )
            for one in entries(self._declaration, metrics, said)
        ]


def _newest(quality: Quality | None) -> datetime | None:
    return None if quality is None else quality.newest_at
