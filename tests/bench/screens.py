"""Screens on `/v1/live` that take the time until a probe's value is there."""

import asyncio
import json
from typing import Any

import msgspec
from websockets.asyncio.client import connect

from shared.clock import monotonic

FIRST_VALUE = 20.0
STEP = 0.01

_decode = msgspec.json.Decoder().decode


class Probes:
    """Readings of one sensor with growing values. `latencies`: seconds per probe and screen.

    A probe counts as seen when its value or a newer one has arrived, so that a probe that was
    conflated away is a slow one, not a missing one.
    """

    def __init__(self) -> None:
        self.due: list[float] = []
        self.latencies: list[float] = []

    def next(self, due: float) -> float:
        """The value of the probe that is due now."""
        self.due.append(due)
        return round(FIRST_VALUE + STEP * (len(self.due) - 1), 2)

    def seen(self, before: int, value: float, now: float) -> int:
        """A screen that had seen `before` probes shows `value`; how many it has seen by now."""
        number = round((value - FIRST_VALUE) / STEP) + 1
        until = min(len(self.due), max(before, number))
        self.latencies += [now - due for due in self.due[before:until]]
        return until


class Screen:
    """One socket: decodes every frame, follows one sensor."""

    def __init__(self, sensor: str, probes: Probes) -> None:
        self.open = asyncio.Event()
        self._sensor = sensor
        self._probes = probes
        self._place = -1
        self._seen = 0

    async def watch(self, address: str) -> None:
        """Until cancelled; a lost connection raises."""
        async with connect(address, max_size=None) as socket:
            await socket.send(json.dumps({"type": "hello", "resume": None, "filter": None}))
            while True:
                self._take(_decode(await socket.recv()))

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "snapshot":
            sensors = frame["sensors"]["id"]
            if self._sensor in sensors:
                place = sensors.index(self._sensor)
                self._place = frame["series"]["sensor"].index(place)
                self.open.set()
        elif frame["type"] == "delta" and self._place in frame["series"]:
            value = frame["value"][frame["series"].index(self._place)]
            self._seen = self._probes.seen(self._seen, value, monotonic())
