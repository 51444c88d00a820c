"""Repeatable randomness: the same seed and place in time always give the same number. Pure.

Nothing is drawn in sequence, so a value does not depend on which values were asked for before.
"""

import math
from zlib import crc32

_MASK = (1 << 64) - 1


def stream(*parts: object) -> int:
    """A number that stands for a named stream of randomness, such as (seed, sensor, metric)."""
    first = crc32("|".join(map(str, parts)).encode())
    return (first << 32) | crc32("|".join(map(str, reversed(parts))).encode())


def uniform(stream_id: int, step: int) -> float:
    """In [0, 1): the `step`-th number of a stream (splitmix64)."""
    mixed = (stream_id + (step + 1) * 0x9E3779B97F4A7C15) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return (mixed ^ (mixed >> 31)) / 2.0**64


def jitter(stream_id: int, step: int) -> float:
    """In (-1, 1), mostly near 0, bounded: the mean of two uniform numbers."""
    return uniform(stream_id, 2 * step) + uniform(stream_id, 2 * step + 1) - 1.0


def drift(stream_id: int, position: float) -> float:
    """In [0, 1): wanders smoothly; about one swing for each step of 1 in `position`."""
    cell = math.floor(position)
    weight = smooth(position - cell)
    return uniform(stream_id, cell) * (1 - weight) + uniform(stream_id, cell + 1) * weight


def field(stream_id: int, x: float, y: float) -> float:
    """In [0, 1): a landscape over the plane with features about 1 wide."""
    row = math.floor(y)
    weight = smooth(y - row)
    below = drift(_mix(stream_id, row), x)
    above = drift(_mix(stream_id, row + 1), x)
    return below * (1 - weight) + above * weight


def smooth(x: float) -> float:
    """0 → 1 without corners; clamped outside of [0, 1]."""
    x = min(1.0, max(0.0, x))
    return x * x * (3.0 - 2.0 * x)


def _mix(stream_id: int, row: int) -> int:
    return (stream_id ^ (row * 0xD6E8FEB86659FD93)) & _MASK
