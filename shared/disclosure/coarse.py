"""What is told of a value to whoever is not cleared for it. Pure.

A place becomes the middle of its grid cell, a moment the hour or day that it lies in (UTC), a text
its first letter.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

import h3

MASK = "***"
# The registry's own grid (about 5 km²), and cells of about the size of a district (250 km²).
RESOLUTIONS: Mapping[str, int] = {"cell": 7, "district": 5}
_SECONDS: Mapping[str, int] = {"hour": 3_600, "day": 86_400}


@lru_cache(maxsize=65_536)
def place(lon: float, lat: float, grid: str) -> tuple[float, float]:
    """(lon, lat) of the middle of the cell of a grid that a place (WGS 84) lies in."""
    middle = h3.cell_to_latlng(h3.latlng_to_cell(lat, lon, RESOLUTIONS[grid]))
    return round(middle[1], 5), round(middle[0], 5)


def moment(value: Any, step: str) -> Any:
    """The beginning of the step: of a datetime, RFC 3339, or epoch milliseconds; None for what is
    no moment."""
    seconds = _SECONDS[step]
    match value:
        case datetime():
            return datetime.fromtimestamp(value.timestamp() // seconds * seconds, UTC)
        case str():
            try:
                parsed = datetime.fromisoformat(value)
            except ValueError:
                return None
            return moment(parsed, step).isoformat().replace("+00:00", "Z")
        case bool():
            return None
        case int() | float():
            return int(value // (1_000 * seconds) * 1_000 * seconds)
    return None


def text(value: Any) -> Any:
    """Its first letter; None for what is no text."""
    return value[:1] + MASK if isinstance(value, str) else None


# What may stand under `below` for a field by itself; places are coarsened in pairs.
SINGLE: Mapping[str, Callable[[Any], Any]] = {
    "mask": text,
    **{step: partial(moment, step=step) for step in _SECONDS},
}
