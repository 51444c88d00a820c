"""Metrics of alerts, each declared once."""

from prometheus_client import Counter, Histogram

JUDGED = Counter("yiwang_readings_judged_total", "Readings that a rule looked at")
UNREADABLE = Counter("yiwang_alerts_unreadable_total", "Records that could not be decoded")
TRANSITIONS = Counter(
    "yiwang_alert_transitions_total", "Rules raised or cleared for a subject", ["rule", "outcome"]
)
DELIVERIES = Counter("yiwang_deliveries_total", "Webhook attempts by outcome", ["outcome"])
DELIVERY_SECONDS = Histogram("yiwang_delivery_seconds", "Duration of a webhook attempt")
OVERDUE = Counter("yiwang_overdue_total", "Steps of incidents not taken in time", ["step"])
