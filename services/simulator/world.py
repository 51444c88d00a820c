"""The state of a simulated city at any second, as readings. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from services.simulator.population import Sensor
from services.simulator.records import Reading
from services.simulator.scenarios import Run
from services.simulator.signals import SIGNALS
from services.simulator.weather import Moment, Sky, Weather, moment

_DECIMALS = {"water.level": 3, "drain.level": 3}
_BOUNDS = {"weather.humidity": (0.0, 100.0), "traffic.occupancy": (0.0, 100.0)}


class Happenings(Protocol):
    """Which scenarios go on; see `programme`."""

    def at(self, t: float) -> Sequence[Run]:
        """Those at `t`, seconds since the epoch."""
        ...


class World:
    """A city of `sensors` under one sky, with its happenings."""

    def __init__(self, sensors: Sequence[Sensor], seed: int, happenings: Happenings) -> None:
        self.sensors = sensors
        self._weather = Weather(seed)
        self._happenings = happenings
        self._due: dict[int, dict[int, list[Sensor]]] = defaultdict(lambda: defaultdict(list))
        for sensor in sensors:
            self._due[sensor.interval][sensor.phase].append(sensor)

    def second(self, t: int) -> list[Reading]:
        """Every reading observed in the second that begins at `t`, in order of time."""
        now = moment(t)
        runs = self._happenings.at(t)
        due = [
            sensor
            for interval, phases in self._due.items()
            for sensor in phases.get(t % interval, ())
            if not any(run.silences(sensor.number, t) for run in runs)
        ]
        due.sort(key=lambda sensor: (sensor.lag_ms, sensor.number))
        return [reading for sensor in due for reading in self._readings(sensor, now, runs)]

    def _readings(self, sensor: Sensor, now: Moment, runs: Sequence[Run]) -> list[Reading]:
        sky = self._weather.sky(sensor.place, now)
        observed_at = datetime.fromtimestamp(now.t, UTC) + timedelta(milliseconds=sensor.lag_ms)
        return [
            Reading(
                sensor.sensor_id, metric, observed_at, self.value(sensor, metric, now, sky, runs)
            )
            for metric in sensor.metrics
        ]

    def value(
        self, sensor: Sensor, metric: str, now: Moment, sky: Sky, runs: Sequence[Run]
    ) -> float:
        """One metric of one sensor, as its instrument shows it."""
        value = SIGNALS[metric](sensor, now, sky)
        for run in runs:
            value = run.applied(sensor.number, metric, value, now.t)
        low, high = _BOUNDS.get(metric, (value, value))
        return round(min(high, max(low, value)), _DECIMALS.get(metric, 2))
