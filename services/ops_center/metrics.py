"""ops_center's metrics, each declared once."""

from prometheus_client import Counter, Gauge, Histogram

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
LATENCY = Histogram(
    "yiwang_live_latency_seconds",
    "From the gateway's acceptance of a record to its tick's frames being handed to the sockets",
    buckets=(0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2, 5, 15, 60),
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
