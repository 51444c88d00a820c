"""Spans of time as people write them: 30s, 5m, 2h, 1h30m, 7d. Pure."""

import re

_PARTS = re.compile(r"(\d{1,9})([smhd])")
_WHOLE = re.compile(rf"({_PARTS.pattern})+")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def seconds(text: str) -> int:
    """The span in seconds; ValueError for anything else."""
    if _WHOLE.fullmatch(text) is None:
        raise ValueError(f"'{text[:40]}' is not a duration such as 30s, 5m or 1h30m")
    return sum(int(number) * _SECONDS[unit] for number, unit in _PARTS.findall(text))
