"""What a benchmark prints: one JSON line. Pure, but for `machine`."""

import json
import math
import os
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

SHARES = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest-rank percentile; `share` in 0–1. ValueError for no values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def latencies_ms(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 in milliseconds."""
    return {name: round(percentile(seconds, share) * 1000, 1) for name, share in SHARES.items()}


def medians(rounds: Sequence[Mapping[str, float]], digits: int = 1) -> dict[str, float]:
    """The median over the rounds of every field of the first."""
    return {name: round(statistics.median(r[name] for r in rounds), digits) for name in rounds[0]}


def spread(values: Sequence[float]) -> float:
    """(largest − smallest) / median: how far the rounds lie apart."""
    return round((max(values) - min(values)) / statistics.median(values), 3)


def rounded(value: float) -> float:
    """To what a reader can use: three digits after the point below 10, else one."""
    return round(value, 3 if abs(value) < 10 else 1)


def line(bench: str, unit: str, ours: Sequence[float], limits: Sequence[float], **more: Any) -> str:
    """Medians over the rounds; the ratio is the median of the rounds' own ratios."""
    ratio = statistics.median(a / b for a, b in zip(ours, limits, strict=True))
    fields = {
        "bench": bench,
        "value": rounded(statistics.median(ours)),
        "unit": unit,
        "limit": rounded(statistics.median(limits)),
        "ratio": round(ratio, 3),
        "spread": spread(ours),
        "limit_spread": spread(limits),
        "rounds": len(ours),
    }
    return json.dumps(fields | more, ensure_ascii=False)


def machine() -> dict[str, Any]:
    """How large the machine is and how busy it was before we came: taken before the rounds."""
    return {"cpus": os.cpu_count(), "load_before": round(os.getloadavg()[0], 1)}
