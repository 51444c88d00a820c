"""The frames of `WS /v1/live`, protocol 1: one JSON text message each, told apart by `type`.

Columns of one object have equal length. `series` numbers are positions in the columns of the last
snapshot and hold until the next one. `resume` is opaque: a client hands the newest one back.
Times are epoch milliseconds in columns, RFC 3339 elsewhere.
"""

from typing import Literal

import msgspec

PROTOCOL = 1

Domain = Literal["traffic", "environment", "utilities"]
SeriesState = Literal["never", "normal", "stale", "bad", "p1", "p2", "p3", "p4"]


class Filter(msgspec.Struct, frozen=True):
    """What a client wants to see; None: everything. An area includes all areas below it."""

    domains: list[Domain] | None = None
    areas: list[str] | None = None


class ClientHello(msgspec.Struct, frozen=True, tag="hello", tag_field="type"):
    """The first frame of a client. `resume`: the newest token it has, or None."""

    resume: str | None = None
    filter: Filter | None = None


class ClientPing(msgspec.Struct, frozen=True, tag="ping", tag_field="type"):
    """Asks for a `pulse` now."""


class City(msgspec.Struct, frozen=True):
    """The city that is watched."""

    adcode: int
    name_zh: str
    name_en: str


class MetricInfo(msgspec.Struct, frozen=True):
    """A metric of the catalogue; the normal range is inclusive, None: open."""

    metric: str
    domain: str
    unit: str
    name_zh: str
    name_en: str
    normal_low: float | None
    normal_high: float | None
    interval_seconds: int


class AreaInfo(msgspec.Struct, frozen=True):
    """The city or one of its districts."""

    area_id: str
    name_zh: str
    name_en: str


class SensorColumns(msgspec.Struct, frozen=True):
    """Every placed sensor; WGS 84."""

    id: list[str]
    name: list[str]
    lon: list[float]
    lat: list[float]
    area_id: list[str | None]


class SeriesColumns(msgspec.Struct, frozen=True):
    """Every series: `sensor` is a position in the sensors' columns."""

    sensor: list[int]
    metric: list[str]
    value: list[float | None]
    observed_at: list[int | None]
    state: list[SeriesState]


class Hello(msgspec.Struct, frozen=True, tag="hello", tag_field="type"):
    """The server's first frame."""

    server_time: str
    tick_ms: int
    city: City
    protocol: int = PROTOCOL


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot", tag_field="type"):
    """Everything as it is now. `incidents`: all that are not closed (contracts/incident.py)."""

    metrics: list[MetricInfo]
    areas: list[AreaInfo]
    sensors: SensorColumns
    series: SeriesColumns
    incidents: list[msgspec.Raw]
    resume: str


class Delta(msgspec.Struct, frozen=True, tag="delta", tag_field="type"):
    """The newest state of the series that changed. May be empty: then only `resume` is new."""

    series: list[int]
    value: list[float | None]
    observed_at: list[int | None]
    state: list[SeriesState]
    resume: str


class IncidentFrame(msgspec.Struct, frozen=True, tag="incident", tag_field="type"):
    """One step of an incident, an `IncidentEvent`. A step may be repeated: drop a version of an
    incident that is not newer than the one already known."""

    event: msgspec.Raw
    resume: str


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds from the gateway's acceptance to the socket; None without readings."""

    p50: int | None
    p95: int | None
    p99: int | None


class Pulse(msgspec.Struct, frozen=True, tag="pulse", tag_field="type"):
    """Every 5 s. `lag_ms`: log → picture, the worst since the last pulse. `dropped`: updates since
    the last pulse that slow screens got conflated with later ones, over all screens."""

    server_time: str
    lag_ms: int
    latency_ms: Latency
    clients: int
    dropped: int


class Resync(msgspec.Struct, frozen=True, tag="resync", tag_field="type"):
    """Forget everything: a snapshot follows. `reason`: registry, filter, too_old, overflow, …"""

    reason: str
