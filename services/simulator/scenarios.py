"""What goes wrong in a simulated city: where, how far, and what it does to whom. Pure.

A scenario touches the sensors nearest to where it happens; how many is decided by its scale, so
that a gentle one raises a handful of incidents and a full one troubles a whole part of the city.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from services.simulator.noise import jitter, smooth
from services.simulator.places import Point, distance_km
from services.simulator.population import Sensor


class Kind(StrEnum):
    """The scenarios there are."""

    RAINSTORM = "rainstorm"
    CRASH = "crash"
    PIPE_BURST = "pipe-burst"
    GAS_LEAK = "gas-leak"
    BLACKOUT = "blackout"


class Scale(StrEnum):
    """How much a scenario touches."""

    GENTLE = "gentle"
    FULL = "full"


DURATIONS: Mapping[Kind, int] = {
    Kind.RAINSTORM: 1800,
    Kind.CRASH: 1200,
    Kind.PIPE_BURST: 900,
    Kind.GAS_LEAK: 600,
    Kind.BLACKOUT: 600,
}
GENTLE_DURATIONS: Mapping[Kind, int] = {
    Kind.RAINSTORM: 420,
    Kind.CRASH: 480,
    Kind.PIPE_BURST: 300,
    Kind.GAS_LEAK: 240,
    Kind.BLACKOUT: 240,
}


@dataclass(frozen=True, slots=True)
class Effect:
    """Pulls one metric of one sensor towards `target` (its own value times `target` if
    `relative`), by `strength` 0 to 1, from `delay` seconds after the start on. The target itself
    trembles by `shake` of its size: no instrument stands still."""

    metric: str
    target: float
    strength: float = 1.0
    delay: float = 0.0
    relative: bool = False
    shake: float = 0.03


@dataclass(frozen=True, slots=True)
class Run:
    """One happening: from `start` (seconds since the epoch) for `duration` seconds.

    `effects`: by sensor number. `silent`: numbers of sensors that fall silent.
    """

    kind: Kind
    start: int
    duration: int
    effects: Mapping[int, tuple[Effect, ...]]
    silent: frozenset[int] = frozenset()

    def touches(self, t: float) -> bool:
        """True while it goes on."""
        return self.start <= t < self.start + self.duration

    def silences(self, number: int, t: float) -> bool:
        """True if the sensor cannot send at `t`."""
        return number in self.silent and self.touches(t)

    def applied(self, number: int, metric: str, value: float, t: float) -> float:
        """`value` as the happening changes it at `t`."""
        if not self.touches(t):
            return value
        for effect in self.effects.get(number, ()):
            if effect.metric == metric:
                target = value * effect.target if effect.relative else effect.target
                target *= 1 + effect.shake * jitter(number, int(t))
                value += (target - value) * effect.strength * self._envelope(t, effect.delay)
        return value

    def _envelope(self, t: float, delay: float) -> float:
        """0 → 1 → 0: up within a tenth of the time, down within the last fifth."""
        rise = max(10.0, 0.08 * self.duration)
        elapsed = t - self.start
        left = self.duration - elapsed
        return min(smooth((elapsed - delay) / rise), smooth(left / (0.2 * self.duration)))


def plan(
    kind: Kind, scale: Scale, sensors: Sequence[Sensor], seed: int, start: int, duration: int = 0
) -> Run:
    """A scenario that begins at `start`; where is decided by `seed`. `duration` 0: as usual."""
    usual = DURATIONS if scale is Scale.FULL else GENTLE_DURATIONS
    length = duration or usual[kind]
    scene = _Scene(sensors, Random(f"{seed}|{kind}|{start}"), scale is Scale.FULL, length)
    effects, silent = _PLANS[kind](scene)
    return Run(kind, start, length, effects, silent)


Plan = tuple[dict[int, tuple[Effect, ...]], frozenset[int]]
_NOBODY: frozenset[int] = frozenset()
_STILL = 0.004  # of a water level


@dataclass(frozen=True, slots=True)
class _Scene:
    sensors: Sequence[Sensor]
    random: Random
    full: bool
    duration: int

    def of(self, kind: str) -> list[Sensor]:
        return [sensor for sensor in self.sensors if sensor.kind == kind]

    def somewhere(self, kind: str) -> Sensor | None:
        candidates = self.of(kind)
        return self.random.choice(candidates) if candidates else None

    def nearest(self, kind: str, place: Point, count: int) -> list[Sensor]:
        near = sorted(self.of(kind), key=lambda s: (distance_km(s.place, place), s.number))
        return near[:count]


def _gas_leak(scene: _Scene) -> Plan:
    centre = scene.somewhere("gs")
    if centre is None:
        return {}, _NOBODY
    count = scene.random.randint(2, 3) if scene.full else scene.random.randint(1, 2)
    return {
        sensor.number: (
            Effect("gas.concentration", 48 - 9 * rank, delay=12.0 * rank),
            Effect("gas.pressure", 0.8, relative=True),
        )
        for rank, sensor in enumerate(scene.nearest("gs", centre.place, count))
    }, _NOBODY


def _pipe_burst(scene: _Scene) -> Plan:
    centre = scene.somewhere("wp")
    if centre is None:
        return {}, _NOBODY
    broken, weak, flooded = (7, 6, 4) if scene.full else (2, 3, 1)
    effects: dict[int, tuple[Effect, ...]] = {}
    for rank, sensor in enumerate(scene.nearest("wp", centre.place, broken + weak)):
        target = 45.0 + 8 * rank if rank < broken else 195.0
        surge = Effect("water.flow", 1.9 if rank < broken else 1.2, relative=True)
        effects[sensor.number] = (Effect("water.pressure", target, delay=4.0 * rank), surge)
    for sensor in scene.nearest("dr", centre.place, flooded):
        effects[sensor.number] = (Effect("drain.level", 2.1, delay=25.0, shake=_STILL),)
    return effects, _NOBODY


def _crash(scene: _Scene) -> Plan:
    """Traffic stands at the place and queues up behind it, further and further back."""
    ends = [sensor for sensor in scene.of("tr") if sensor.milepost >= 3]
    if not ends:
        return {}, _NOBODY
    place = scene.random.choice(ends)
    stopped = 4 if scene.full else 2
    effects: dict[int, tuple[Effect, ...]] = {}
    for sensor in scene.of("tr"):
        behind = place.milepost - sensor.milepost
        if sensor.road != place.road or behind < -1 or behind > stopped + 2:
            continue
        if behind < 0:
            effects[sensor.number] = (Effect("traffic.flow", 0.35, relative=True),)
        else:
            effects[sensor.number] = _queue(behind, stopped)
    return effects, _NOBODY


def _queue(behind: int, stopped: int) -> tuple[Effect, ...]:
    delay = 25.0 * behind
    stands = behind < stopped
    return (
        Effect("traffic.speed", 3.5 + behind if stands else 16.0 + 2 * behind, delay=delay),
        Effect("traffic.flow", 0.3 if stands else 0.7, delay=delay, relative=True),
        Effect("traffic.occupancy", 82.0 if stands else 45.0, delay=delay),
    )


def _blackout(scene: _Scene) -> Plan:
    centre = scene.somewhere("pw")
    if centre is None:
        return {}, _NOBODY
    out = (
        [sensor for sensor in scene.of("pw") if sensor.area_id == centre.area_id]
        if scene.full
        else scene.nearest("pw", centre.place, 2)
    )
    dead = (Effect("power.voltage", 0.0), Effect("power.load", 0.0))
    effects: dict[int, tuple[Effect, ...]] = {sensor.number: dead for sensor in out}
    share = 0.15 if scene.full else 0.01
    silent = frozenset(
        sensor.number
        for sensor in scene.sensors
        if sensor.area_id == centre.area_id and sensor.kind != "pw" and sensor.trait(7) < share
    )
    return effects, silent


def _rainstorm(scene: _Scene) -> Plan:
    if scene.full:
        return _storm_across(scene), _NOBODY
    centre = scene.somewhere("rv")
    if centre is None:
        return {}, _NOBODY
    counts = {"we": 1, "rv": 2, "dr": 1, "tr": 8, "aq": 2}
    return {
        sensor.number: _soaked(sensor, 1.0, 10.0 * rank)
        for kind, count in counts.items()
        for rank, sensor in enumerate(scene.nearest(kind, centre.place, count))
    }, _NOBODY


def _storm_across(scene: _Scene) -> dict[int, tuple[Effect, ...]]:
    """A band of rain that moves from west to east over the middle of a random place."""
    west = min(sensor.place[0] for sensor in scene.sensors)
    east = max(sensor.place[0] for sensor in scene.sensors)
    middle = scene.random.choice(scene.sensors).place[1]
    effects: dict[int, tuple[Effect, ...]] = {}
    for sensor in scene.sensors:
        aside = distance_km((sensor.place[0], middle), sensor.place) / 22.0
        strength = 1 - smooth(aside - 0.5)
        way = (sensor.place[0] - west) / max(0.01, east - west)
        if strength > 0.02 and (soaked := _soaked(sensor, strength, 0.3 * scene.duration * way)):
            effects[sensor.number] = soaked
    return effects


def _soaked(sensor: Sensor, strength: float, delay: float) -> tuple[Effect, ...]:
    match sensor.kind:
        case "we":
            return (
                Effect("weather.rain", 68 + 30 * sensor.trait(5), strength, delay),
                Effect("weather.humidity", 98, strength, delay),
                Effect("weather.wind_speed", 14, strength, delay),
            )
        case "rv":
            height = 9.0 + sensor.trait(5)
            return (Effect("water.level", height, strength, delay + 30, shake=_STILL),)
        case "dr":
            height = 1.9 + 0.8 * sensor.trait(5)
            return (Effect("drain.level", height, strength, delay + 15, shake=_STILL),)
        case "tr":
            return (
                Effect("traffic.speed", 0.5, strength, delay, relative=True),
                Effect("traffic.flow", 0.7, strength, delay, relative=True),
            )
        case "aq":
            return (Effect("air.pm25", 0.4, strength, delay, relative=True),)
        case _:
            return ()


_PLANS: Mapping[Kind, Callable[[_Scene], Plan]] = {
    Kind.RAINSTORM: _rainstorm,
    Kind.CRASH: _crash,
    Kind.PIPE_BURST: _pipe_burst,
    Kind.GAS_LEAK: _gas_leak,
    Kind.BLACKOUT: _blackout,
}
