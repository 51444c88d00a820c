"""Metrics shared by all services, each declared once."""

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

# They would be a series for every series, saying when this process first counted.
disable_created_metrics()  # type: ignore[no-untyped-call]

JOB_RESTARTS = Counter(
    "yiwang_job_restarts_total", "Times a background job failed and was restarted", ["task"]
)
READY = Gauge("yiwang_ready", "1 when every readiness check of this process passes")
LOOP_LAG = Histogram(
    "yiwang_loop_lag_seconds",
    "How late the event loop woke a probe that asked for it every 50 ms",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1),
)
LOOP_WORST = Gauge(
    "yiwang_loop_worst_seconds", "The longest that the event loop was late in the last 10 to 20 s"
)
LOOP_WORST_CPU = Gauge(
    "yiwang_loop_worst_cpu_seconds",
    "The same, counting only what this process computed meanwhile, not what it waited for a core",
)
CONSUMED_TO = Gauge(
    "yiwang_consumed_to_timestamp_seconds",
    "Log time of the newest record that a group is done with: stored, judged, on the picture. Ticks"
    " in the log keep it going while no readings come",
    ["group", "partition"],
)
HTTP_FAILED = Counter(
    "yiwang_http_failures_total", "Requests answered with 500 or more, but for refusals", ["status"]
)
DISK_FREE = Gauge("yiwang_disk_free_bytes", "Room left where the data directory is")
DISK_SIZE = Gauge("yiwang_disk_size_bytes", "Size of that file system")
CERTIFICATE_ENDS = Gauge(
    "yiwang_certificate_expiry_timestamp_seconds",
    "End of the certificate that this process serves; without HTTPS there is none",
    ["file"],
)
