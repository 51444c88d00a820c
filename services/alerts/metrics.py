"""Metrics of alerts, each declared once."""

from prometheus_client import Counter, Gauge, Histogram

JUDGED = Counter("yiwang_readings_judged_total", "Readings that a rule looked at")
UNREADABLE = Counter("yiwang_alerts_unreadable_total", "Records that could not be decoded")
TRANSITIONS = Counter(
    "yiwang_alert_transitions_total", "Rules raised or cleared for a subject", ["rule", "outcome"]
)
DELIVERIES = Counter("yiwang_deliveries_total", "Webhook attempts by outcome", ["outcome"])
DELIVERY_SECONDS = Histogram("yiwang_delivery_seconds", "Duration of a webhook attempt")
OVERDUE = Counter("yiwang_overdue_total", "Steps of incidents not taken in time", ["step"])
PAGES = Counter("yiwang_pages_total", "Pages queued for people")
NOTICES = Counter("yiwang_notices_total", "What was decided of notices", ["state"])
STALLED = Gauge(
    "yiwang_paging_stalled",
    "Incidents, notices and pages that stand still",
    ["what"],
)
FAILING = Gauge(
    "yiwang_endpoints_failing", "Enabled endpoints that have taken nothing after several attempts"
)
HEARTBEATS = Counter("yiwang_heartbeats_total", "Heartbeats to the outside", ["outcome"])
