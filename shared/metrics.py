"""Metrics shared by all services, each declared once."""

from prometheus_client import Counter, Gauge

JOB_RESTARTS = Counter(
    "yiwang_job_restarts_total", "Times a background job failed and was restarted", ["job"]
)
READY = Gauge("yiwang_ready", "1 when every readiness check of this process passes")
