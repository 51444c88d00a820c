"""The frames of `WS /v1/live`, protocol 1: one JSON text message each, told apart by `type`.

A client that says `"accept": ["gzip"]` gets snapshots as binary messages: gzip of the same JSON.
Columns of one object have equal length. What somebody may not be told is null, or an empty text; a
state that may not be told is `never`; series of metrics that may not be told are not there.
`series` numbers are positions in the columns of the last snapshot and hold until the next one.
`resume` is opaque: a client hands the newest one back.
Times are epoch milliseconds in columns, RFC 3339 elsewhere.
"""

from typing import Literal

import msgspec

PROTOCOL = 1

CityDomain = Literal["traffic", "environment", "utilities"]
Domain = Literal["traffic", "environment", "utilities", "platform"]
SeriesState = Literal["never", "normal", "stale", "bad", "p1", "p2", "p3", "p4"]


class Filter(msgspec.Struct, frozen=True):
    """What a client wants to see of what it may see; None: everything.

    An area includes all areas below it. `bbox`: west, south, east, north in degrees (WGS 84),
    widened to hundredths; it narrows the sensors, never the incidents.
    """

    domains: list[Domain] | None = None
    areas: list[str] | None = None
    bbox: tuple[float, float, float, float] | None = None


class ClientHello(msgspec.Struct, frozen=True, tag="hello", tag_field="type"):
    """The first frame of a client. `resume`: the newest token it has, or None. `accept`: codings
    that it understands; known is `gzip`."""

    resume: str | None = None
    filter: Filter | None = None
    accept: list[str] = []


class ClientFilter(msgspec.Struct, frozen=True, tag="filter", tag_field="type"):
    """Another filter from now on: the answer is `resync` and a snapshot."""

    filter: Filter | None = None


class ClientPing(msgspec.Struct, frozen=True, tag="ping", tag_field="type"):
    """Asks for a `pulse` now."""


class ClientPainted(msgspec.Struct, frozen=True, tag="painted", tag_field="type"):
    """The delta with this `sent_at` is on the screen now. At most one a second."""

    sent_at: int


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
    """Every placed sensor; WGS 84; to whoever is not cleared for places, middles of grid cells."""

    id: list[str]
    name: list[str]
    lon: list[float | None]
    lat: list[float | None]
    area_id: list[str | None]


class SeriesColumns(msgspec.Struct, frozen=True):
    """Every series: `sensor` is a position in the sensors' columns."""

    sensor: list[int]
    metric: list[str]
    value: list[float | None]
    observed_at: list[int | None]
    state: list[SeriesState]


class MapCentre(msgspec.Struct, frozen=True):
    """Where a map looks; WGS 84."""

    lon: float
    lat: float
    zoom: float


class ShownView(msgspec.Struct, frozen=True):
    """A saved view that a screen shows. `domains`, `panels`: empty for all. `seconds`: how long,
    in a playlist; None: for good."""

    view_id: str
    name: str
    centre: MapCentre | None
    area_id: str | None
    domains: list[Domain]
    theme: str
    language: str
    panels: list[str]
    seconds: int | None


class ScreenInfo(msgspec.Struct, frozen=True):
    """What a screen token is bound to. `views`: shown in turn; none: the whole city."""

    screen_id: str
    name: str
    views: list[ShownView]


class NeighbourCity(msgspec.Struct, frozen=True):
    """A city whose platform warns us. `heard_at`: its last message; `silent`: it should have been
    heard of since: that nothing is shown of it says nothing."""

    adcode: int
    name_zh: str
    name_en: str
    heard_at: str | None
    silent: bool


class NeighbourWarning(msgspec.Struct, frozen=True):
    """A warning of a neighbouring city that is in force; it is no incident of ours. `severity`: as
    in CAP 1.2; `exercise`: the danger is not real; `outline`: outer rings of longitude and
    latitude, WGS 84, or none."""

    adcode: int
    identifier: str
    severity: str
    exercise: bool
    event_zh: str
    event_en: str
    headline_zh: str
    headline_en: str
    area_zh: str
    area_en: str
    since: str
    sent_at: str
    expires_at: str
    outline: list[list[tuple[float, float]]]


class Neighbours(msgspec.Struct, frozen=True):
    """The neighbouring cities and all that they warn of now, the gravest first."""

    cities: list[NeighbourCity]
    warnings: list[NeighbourWarning]


class Hello(msgspec.Struct, frozen=True, tag="hello", tag_field="type"):
    """The server's first frame. `screen`: for sockets of a screen token. `neighbours`: null where
    there are none."""

    server_time: str
    tick_ms: int
    city: City
    protocol: int = PROTOCOL
    screen: ScreenInfo | None = None
    neighbours: Neighbours | None = None


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot", tag_field="type"):
    """Everything as it is now. `incidents`: all that are not closed (contracts/incident.py)."""

    metrics: list[MetricInfo]
    areas: list[AreaInfo]
    sensors: SensorColumns
    series: SeriesColumns
    incidents: list[msgspec.Raw]
    resume: str


class Delta(msgspec.Struct, frozen=True, tag="delta", tag_field="type"):
    """The newest state of the series that changed. May be empty: then only `resume` is new.
    `sent_at`: the server's time, epoch milliseconds."""

    series: list[int]
    value: list[float | None]
    observed_at: list[int | None]
    state: list[SeriesState]
    resume: str
    sent_at: int


class IncidentFrame(msgspec.Struct, frozen=True, tag="incident", tag_field="type"):
    """One step of an incident, an `IncidentEvent`. A step may be repeated: drop a version of an
    incident that is not newer than the one already known."""

    event: msgspec.Raw
    resume: str


class Latency(msgspec.Struct, frozen=True):
    """Percentiles in milliseconds; None where nothing was measured."""

    p50: int | None = None
    p95: int | None = None
    p99: int | None = None


class Hops(msgspec.Struct, frozen=True):
    """A reading's way in hops, each measured from the end of the one before: observed by the
    sensor → accepted by the gateway → logged → in the picture → sent to the sockets → painted, as
    screens report. `shown`: accepted → painted. `painted` holds the way back of the report too."""

    accepted: Latency = Latency()
    logged: Latency = Latency()
    pictured: Latency = Latency()
    sent: Latency = Latency()
    painted: Latency = Latency()
    shown: Latency = Latency()


class Pulse(msgspec.Struct, frozen=True, tag="pulse", tag_field="type"):
    """Every 5 s. `lag_ms`: log → picture, the worst since the last pulse. `latency_ms`: accepted →
    sent. `dropped`: updates since the last pulse that slow screens got conflated with later ones,
    over all screens.

    Of this screen alone: `behind_ms`, the longest time since its last pulse that it needed to take
    what was sent; `conflated`, its own updates that came together with later ones.
    """

    server_time: str
    lag_ms: int
    latency_ms: Latency
    clients: int
    dropped: int
    hops: Hops = Hops()
    behind_ms: int = 0
    conflated: int = 0


class ScreenFrame(msgspec.Struct, frozen=True, tag="screen", tag_field="type"):
    """What this screen is to show has been changed."""

    screen: ScreenInfo


class NeighboursFrame(msgspec.Struct, frozen=True, tag="neighbours", tag_field="type"):
    """What neighbouring cities warn of is something else now: all of it, in place of what `hello`
    or the last such frame said. It belongs to no moment of the log and has no resume token: every
    connection begins with all of it."""

    neighbours: Neighbours | None


class Resync(msgspec.Struct, frozen=True, tag="resync", tag_field="type"):
    """Forget everything: a snapshot follows. `reason`: registry, filter, too_old, overflow, …"""

    reason: str
