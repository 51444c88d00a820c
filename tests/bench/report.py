"""What a benchmark prints: one JSON line. Pure."""

import json
import math
import statistics
from collections.abc import Sequence
from typing import Any


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest-rank percentile; `share` in 0–1. ValueError for no values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def latencies_ms(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 in milliseconds."""
    shares = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}
    return {name: round(percentile(seconds, share) * 1000, 1) for name, share in shares.items()}


def spread(values: Sequence[float]) -> float:
    """(largest − smallest) / median: how far the rounds lie apart."""
    return round((max(values) - min(values)) / statistics.median(values), 3)


def line(bench: str, unit: str, ours: Sequence[float], limits: Sequence[float], **more: Any) -> str:
    """Medians over the rounds; the ratio is the median of the rounds' own ratios."""
    value, limit = statistics.median(ours), statistics.median(limits)
    ratio = statistics.median(a / b for a, b in zip(ours, limits, strict=True))
    fields = {
        "bench": bench,
        "value": round(value, 1),
        "unit": unit,
        "limit": round(limit, 1),
        "ratio": round(ratio, 3),
        "spread": spread(ours),
        "rounds": len(ours),
    }
    return json.dumps(fields | more, ensure_ascii=False)
