"""Whether processes grow. Pure; a process that was killed begins anew."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

WARM_SECONDS = 40.0  # caches, pools and code that runs for the first time
LONG_SECONDS = 60.0  # after that, before anything is said
SHARE, BYTES = (
    0.15,
    24 * 1024 * 1024,
)  # of growth from the first to the last quarter, whichever is more
UNJUDGED = ("database",)  # its memory is what the kernel shares with it
PARTS = ("kafka",)  # bounded by the JVM's own heap: see deploy.local.kafka
JVM_BYTES = 1100 * 1024 * 1024


def lives(entries: Iterable[Mapping[str, Any]]) -> dict[tuple[str, int], list[tuple[float, int]]]:
    """(name, pid) → (seconds of its life, bytes)."""
    found: dict[tuple[str, int], list[tuple[float, int]]] = defaultdict(list)
    for entry in entries:
        found[entry["name"], entry["pid"]].append((entry["at"], entry["bytes"]))
    return {
        key: [(at - weights[0][0], size) for at, size in weights] for key, weights in found.items()
    }


def growth(weights: list[tuple[float, int]]) -> tuple[float, float] | None:
    """Medians of the first and the last quarter after it is warm, in bytes; None: too short."""
    warm = [(at, size) for at, size in weights if at >= WARM_SECONDS]
    if not warm or warm[-1][0] - warm[0][0] < LONG_SECONDS:
        return None
    quarter = max(1, len(warm) // 4)
    first, last = warm[:quarter], warm[-quarter:]
    return statistics.median(s for _, s in first), statistics.median(s for _, s in last)


def too_heavy(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """What grew more than it may, in words."""
    found = []
    for (name, pid), weights in lives(entries).items():
        if name in UNJUDGED:
            continue
        if name in PARTS:
            most = max(size for _, size in weights)
            if most > JVM_BYTES:
                found.append(f"{name} weighed {most >> 20} MiB")
            continue
        grown = growth(weights)
        if grown is not None and grown[1] - grown[0] > max(BYTES, SHARE * grown[0]):
            found.append(
                f"{name} ({pid}) grew from {int(grown[0]) >> 20} to {int(grown[1]) >> 20} MiB"
                f" in {weights[-1][0]:.0f} s"
            )
    return found


def summary(entries: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Name → the most it weighed, in MiB."""
    most: dict[str, int] = {}
    for entry in entries:
        most[entry["name"]] = max(most.get(entry["name"], 0), entry["bytes"] >> 20)
    return most
