"""What the tests stand on: a small city, a screen that reduces frames, and a world around a hub."""

import asyncio
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from services.ops_center.registry import Area, Registry, Sensor
from shared.clock import from_micros, to_micros
from shared.contracts.incident import AlertState, Incident, IncidentEvent, IncidentState
from shared.contracts.live import MetricInfo
from shared.contracts.reading import Reading

START = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
START_US = to_micros(START)
SPACE = UUID("00000000-0000-0000-0000-000000441200")

AREAS = [
    Area("441200", None, "肇庆市", "Zhaoqing"),
    Area("441202", "441200", "端州区", "Duanzhou"),
    Area("441203", "441200", "鼎湖区", "Dinghu"),
]
METRICS = [
    MetricInfo("traffic.speed", "traffic", "km/h", "车速", "speed", 20, 60, 60),
    MetricInfo("water.level", "environment", "m", "水位", "level", 0, 6, 300),
]
SENSORS = [
    Sensor("road-1", "一号路", 112.4, 23.0, "441202", ("traffic.speed",)),
    Sensor("road-2", "二号路", 112.5, 23.1, "441203", ("traffic.speed",)),
    Sensor("gauge-1", "西江", 112.6, 23.2, "441202", ("water.level",)),
    Sensor("both-1", "桥", 112.7, 23.3, "441203", ("water.level", "traffic.speed")),
    Sensor("nowhere-1", "市", 112.8, 23.4, None, ("water.level",)),
]
SERIES = [(s.sensor_id, metric) for s in SENSORS for metric in sorted(s.metrics)]


def registry(sensors: list[Sensor] | None = None) -> Registry:
    return Registry(AREAS, METRICS, SENSORS if sensors is None else sensors)


def reading(
    sensor: str = "road-1",
    metric: str = "traffic.speed",
    seconds: float = 0,
    value: float = 1.0,
    **more: Any,
) -> Reading:
    return Reading(sensor, metric, START_US + round(seconds * 1e6), value, **more)


def incident(number: int, version: int = 1, **more: Any) -> Incident:
    values: dict[str, Any] = {
        "title": f"事件 {number}",
        "state": IncidentState.OPEN,
        "alert_state": AlertState.ACTIVE,
        "grade": 2,
        "priority": 2,
        "area_id": "441202",
        "subjects": ("gauge-1",),
        "rule_id": "level",
        "rule_version": 1,
        "metric": "water.level",
        "opened_at": START,
        "updated_at": START,
        "observed_at": START,
        "deadline_at": None,
    }
    return Incident(id=uuid5(SPACE, str(number)), version=version, **(values | more))


def event(data: Incident) -> bytes:
    name = uuid5(SPACE, f"{data.id}/{data.version}")
    made = IncidentEvent(id=name, type="incident.opened", timestamp=START, actor="test", data=data)
    return made.model_dump_json().encode()


@dataclass
class HandClock:
    """A clock that moves only when told to."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    @property
    def us(self) -> int:
        return to_micros(self.now)

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Wall:
    """A screen: keeps every frame and what it shows. Like a socket, it makes the sender wait
    while it is blocked, before it takes the frame."""

    series: list[tuple[str, str]] = field(default_factory=list)
    shown: dict[tuple[str, str], tuple[Any, Any, str]] = field(default_factory=dict)
    incidents: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[tuple[str, int]] = field(default_factory=list)  # since the last snapshot
    frames: list[dict[str, Any]] = field(default_factory=list)
    resume: str | None = None
    since: str | None = None  # token of the last snapshot
    open_gate: asyncio.Event = field(default_factory=asyncio.Event)
    room: int | None = None  # frames it still takes before it blocks
    broken: bool = False

    def __post_init__(self) -> None:
        self.open_gate.set()

    async def send(self, frame: str | bytes) -> None:
        await self.open_gate.wait()
        if self.broken:
            raise ConnectionResetError
        self.take(json.loads(frame if isinstance(frame, str) else gzip.decompress(frame)))
        if self.room is not None:
            self.room -= 1
            if self.room <= 0:
                self.block()

    def block(self) -> None:
        self.open_gate.clear()

    def unblock(self) -> None:
        self.room = None
        self.open_gate.set()

    def last(self, kind: str) -> dict[str, Any]:
        return next(frame for frame in reversed(self.frames) if frame["type"] == kind)

    def types(self) -> list[str]:
        return [frame["type"] for frame in self.frames]

    def take(self, frame: dict[str, Any]) -> None:
        self.frames.append(frame)
        match frame["type"]:
            case "snapshot":
                self._take_snapshot(frame)
            case "delta":
                self._take_delta(frame)
            case "incident":
                self._take_incident(frame["event"]["data"])
        self.resume = frame.get("resume", self.resume)

    def _take_snapshot(self, frame: dict[str, Any]) -> None:
        ids, columns = frame["sensors"]["id"], frame["series"]
        self.series = [
            (ids[at], metric)
            for at, metric in zip(columns["sensor"], columns["metric"], strict=True)
        ]
        values = zip(columns["value"], columns["observed_at"], columns["state"], strict=True)
        self.shown = dict(zip(self.series, values, strict=True))
        self.incidents = {one["id"]: one for one in frame["incidents"]}
        self.events, self.since = [], frame["resume"]

    def _take_delta(self, frame: dict[str, Any]) -> None:
        columns = (frame[name] for name in ("series", "value", "observed_at", "state"))
        for at, value, observed, state in zip(*columns, strict=True):
            self.shown[self.series[at]] = (value, observed, state)

    def _take_incident(self, data: dict[str, Any]) -> None:
        self.events.append((data["id"], data["version"]))
        known = self.incidents.get(data["id"])
        if known is not None and known["version"] >= data["version"]:
            return
        self.incidents[data["id"]] = data

    def open_incidents(self) -> Mapping[str, int]:
        return {
            key: one["version"] for key, one in self.incidents.items() if one["state"] != "closed"
        }


class Line:
    """One connection of a wall: what is sent on a dead one never arrives."""

    def __init__(self, wall: Wall) -> None:
        self._wall = wall
        self.alive = True

    async def send(self, frame: str | bytes) -> None:
        await self._wall.open_gate.wait()
        if self.alive:
            await self._wall.send(frame)


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


def observed(seconds: float) -> int:
    """Epoch milliseconds, as frames have them."""
    return round((from_micros(START_US).timestamp() + seconds) * 1000)
