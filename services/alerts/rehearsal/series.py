"""The compact notation of synthetic series. Pure.

`5` a value · `_` none · `stale` the newest reading once more, with its old time · `8x5` five of
them · `_x5` · `1+2x4` four values from 1 on, each 2 more (`1-2x4` less) · `8?` suspect quality ·
`8!` bad.
"""

import re
from dataclasses import dataclass
from typing import Literal

MAX_SAMPLES = 100_000

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?"
_TOKEN = re.compile(
    rf"(?:(?P<word>_|stale)|(?P<value>{_NUMBER})(?P<step>[+-](?:\d+(?:\.\d*)?|\.\d+))?"
    r"(?P<mark>[?!])?)(?:x(?P<times>\d{1,6}))?"
)
Quality = Literal["good", "suspect", "bad"]
_MARKS: dict[str | None, Quality] = {None: "good", "?": "suspect", "!": "bad"}


@dataclass(frozen=True, slots=True)
class Sample:
    """What a sensor sends at one step. `stale`: its newest reading again, `value` is nothing."""

    value: float
    quality: Quality = "good"
    stale: bool = False


def parse(text: str) -> list[Sample | None]:
    """One entry per step; None: nothing is sent. ValueError names the part that is wrong."""
    found: list[Sample | None] = []
    for part in text.split():
        token = _TOKEN.fullmatch(part)
        if token is None:
            raise ValueError(f"'{part[:40]}' is no value, `_`, `stale`, or repeat such as 8x5")
        times = 1 if token["times"] is None else int(token["times"])
        if len(found) + times > MAX_SAMPLES:
            raise ValueError(f"more than {MAX_SAMPLES} samples")
        found += _samples(token, times)
    return found


def _samples(token: re.Match[str], times: int) -> list[Sample | None]:
    if token["word"] == "_":
        return [None] * times
    if token["word"] == "stale":
        return [Sample(0.0, stale=True)] * times
    first, step = float(token["value"]), float(token["step"] or 0)
    quality = _MARKS[token["mark"]]
    return [Sample(first + number * step, quality) for number in range(times)]
