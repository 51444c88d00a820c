"""A plain second opinion on which rules a run of readings breaks, on event time."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from services.simulator.records import Reading

_UNITS = {"s": 1, "m": 60, "h": 3600}


def crosses(rule: dict[str, Any], value: float) -> bool:
    """True beyond the rule's threshold, or the first of its ladder; no other kind is judged."""
    limit = rule.get("levels", [rule])[0]
    above, below = limit.get("above"), limit.get("below")
    return (above is not None and value > above) or (below is not None and value < below)


def broken(rules: list[dict[str, Any]], readings: Iterable[Reading]) -> dict[str, set[str]]:
    """Rule id → the sensors that fire it: beyond the threshold without a break for its `for`."""
    by_metric: dict[str, list[dict[str, Any]]] = {}
    for rule in rules:
        by_metric.setdefault(rule["metric"], []).append(rule)
    since: dict[tuple[str, str], datetime] = {}
    fired: dict[str, set[str]] = {}
    for reading in readings:
        for rule in by_metric.get(reading.metric, ()):
            key = (rule["id"], reading.sensor_id)
            if not crosses(rule, reading.value):
                since.pop(key, None)
                continue
            held = reading.observed_at - since.setdefault(key, reading.observed_at)
            if held >= _delay(rule):
                fired.setdefault(rule["id"], set()).add(reading.sensor_id)
    return fired


def _delay(rule: dict[str, Any]) -> timedelta:
    text = str(rule.get("for", "0s"))
    return timedelta(seconds=int(text[:-1]) * _UNITS[text[-1]])
