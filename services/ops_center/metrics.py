"""ops_center's metrics, each declared once."""

from collections.abc import Mapping, Sequence

from prometheus_client import Counter, Gauge, Histogram

from services.ops_center.hops import HOPS, Hop, hops_of, percentiles
from shared.contracts.live import Hops, Latency

CLIENTS = Gauge("yiwang_live_clients", "Screens connected to this process")
FRAMES = Counter("yiwang_live_frames_total", "Frames handed to screens")
CHARACTERS = Counter("yiwang_live_characters_total", "Characters of the frames handed to screens")
CONFLATED = Counter(
    "yiwang_live_conflated_total", "Series updates that a slow screen got together with later ones"
)
RESYNCS = Counter("yiwang_live_resyncs_total", "Snapshots that replaced a resume", ["reason"])
ABANDONED = Counter("yiwang_live_abandoned_total", "Screens dropped because they took nothing")
REFUSED = Counter("yiwang_live_refused_total", "Sockets closed at the door", ["code"])
LAG = Gauge("yiwang_live_lag_seconds", "From the event log to the picture, worst of 5 s")
HOP = Gauge(
    "yiwang_live_hop_seconds",
    "A reading's way in hops, percentiles of the last 5 s: observed → accepted → logged → pictured"
    " → sent → painted; latency: accepted → sent; shown: accepted → painted",
    ["hop", "percentile"],
)
TICK = Histogram(
    "yiwang_live_tick_seconds",
    "Duration of one tick",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1),
)
READINGS = Counter("yiwang_picture_readings_total", "Readings taken from the log", ["outcome"])
POISON = Counter("yiwang_picture_poison_total", "Records that could not be read", ["topic"])
REPLAYS = Gauge("yiwang_replays", "Replays under way in this process")
LOGINS = Counter("yiwang_logins_total", "Attempts to log in", ["outcome"])


def tell_hops(lag_ms: int, samples: Mapping[Hop, Sequence[int]]) -> tuple[Hops, Latency]:
    """Set the gauges; the hops as the pulse tells them, and accepted → sent. `samples`:
    microseconds."""
    LAG.set(lag_ms / 1000)
    found = {hop: percentiles(samples[hop]) for hop in HOPS}
    for hop, latency in found.items():
        for percentile, value in zip(("50", "95", "99"), _seconds(latency), strict=True):
            HOP.labels(hop, percentile).set(value)
    return hops_of(found), found["latency"]


def _seconds(latency: Latency) -> list[float]:
    """Nothing measured is no number."""
    values = (latency.p50, latency.p95, latency.p99)
    return [float("nan") if value is None else value / 1000 for value in values]
