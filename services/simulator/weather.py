"""The weather over a simulated city: drifting rain, the warmth of day and year. Pure.

Weather without a scenario is calm: never more than `CALM_RAIN` mm/h.
"""

import math
from dataclasses import dataclass

from services.simulator.noise import drift, field, stream
from services.simulator.places import KM_PER_DEGREE, Point

DAY = 86_400
YEAR = 365.2425 * DAY
UTC_OFFSET = 8 * 3600  # China has one time zone
CALM_RAIN = 12.0
_GRID = 0.05  # degrees; weather is the same within a cell
_STEP = 60  # seconds; and within a minute
_RAIN_SIZE_KM = 28.0
_RAIN_SPEED_KMH = 18.0
_WET_STEPS, _WET_SECONDS = 10, 1200


@dataclass(frozen=True, slots=True)
class Moment:
    """A second of the simulated day. `t`: seconds since the epoch; `hour`: local, 0 to 24."""

    t: int
    hour: float
    weekend: bool
    season: float  # -1: the coldest day of the year, 1: the warmest


def moment(t: int) -> Moment:
    """The moment `t`, in China's local time."""
    day, second = divmod(t + UTC_OFFSET, DAY)
    season = -math.cos(2 * math.pi * ((t % YEAR) / YEAR - 20 / 365))
    return Moment(t, second / 3600, (day + 3) % 7 >= 5, season)


@dataclass(frozen=True, slots=True)
class Sky:
    """The weather at a place. `wetness`: rain of the past hours, mm/h, newer counting more."""

    rain: float
    wetness: float
    temperature: float
    humidity: float
    wind: float


class Weather:
    """The weather of one seed. Keeps what it computed for the current minute."""

    def __init__(self, seed: int) -> None:
        self._rain = stream(seed, "rain")
        self._front = stream(seed, "front")
        self._warmth = stream(seed, "warmth")
        self._wind = stream(seed, "wind")
        self._minute = -1
        self._skies: dict[tuple[int, int], Sky] = {}

    def sky(self, place: Point, now: Moment) -> Sky:
        """The sky over `place`."""
        minute = now.t // _STEP
        if minute != self._minute:
            self._minute, self._skies = minute, {}
        cell = (math.floor(place[0] / _GRID), math.floor(place[1] / _GRID))
        sky = self._skies.get(cell)
        if sky is None:
            sky = self._skies[cell] = self._compute(cell, moment(minute * _STEP))
        return sky

    def rain(self, place: Point, t: float) -> float:
        """Rain at a place and time, mm/h; never more than `CALM_RAIN`."""
        hours = t / 3600
        x = place[0] * KM_PER_DEGREE * 0.92 - _RAIN_SPEED_KMH * hours
        y = place[1] * KM_PER_DEGREE
        cloud = field(self._rain, x / _RAIN_SIZE_KM, y / _RAIN_SIZE_KM)
        front = drift(self._front, hours / 7)
        return min(CALM_RAIN, max(0.0, 0.55 * cloud + 0.45 * front - 0.68) * 45.0)

    def _compute(self, cell: tuple[int, int], now: Moment) -> Sky:
        place = (cell[0] * _GRID, cell[1] * _GRID)
        rain = self.rain(place, now.t)
        temperature = self._temperature(place, now) - min(4.0, 0.4 * rain)
        warmer = max(0.0, math.sin(math.pi * (now.hour - 8) / 12))
        humidity = 76 - 16 * warmer + 1.5 * rain + 6 * (drift(self._warmth, now.t / 20_000) - 0.5)
        wind = 0.6 + 4.5 * drift(self._wind, now.t / 5400) + 0.15 * rain
        return Sky(
            rain, self._wetness(place, now.t), temperature, min(94.0, max(38.0, humidity)), wind
        )

    def _temperature(self, place: Point, now: Moment) -> float:
        spell = 5 * (drift(self._warmth, now.t / (2.5 * DAY)) - 0.5)
        day = 4.2 * math.cos(2 * math.pi * (now.hour - 14.5) / 24)
        return 21.5 + 7.5 * now.season + day + spell - 1.5 * (place[1] - 23.0)

    def _wetness(self, place: Point, t: int) -> float:
        weight, total, weights = 1.0, 0.0, 0.0
        for step in range(_WET_STEPS):
            total += weight * self.rain(place, t - step * _WET_SECONDS)
            weights += weight
            weight *= 0.85
        return total / weights
