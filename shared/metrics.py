"""Metrics shared by all services, each declared once."""

from prometheus_client import Counter, Gauge, Histogram

JOB_RESTARTS = Counter(
    "yiwang_job_restarts_total", "Times a background job failed and was restarted", ["job"]
)
READY = Gauge("yiwang_ready", "1 when every readiness check of this process passes")
LOOP_LAG = Histogram(
    "yiwang_loop_lag_seconds",
    "How late the event loop woke a probe that asked for it every 20 ms",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1),
)
LOOP_WORST = Gauge(
    "yiwang_loop_worst_seconds", "The longest that the event loop was late in the last 10 to 20 s"
)
LOOP_WORST_CPU = Gauge(
    "yiwang_loop_worst_cpu_seconds",
    "The same, counting only what this process computed meanwhile, not what it waited for a core",
)
