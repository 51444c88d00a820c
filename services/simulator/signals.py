"""What each metric reads on a quiet day, by sensor, moment and sky. Pure.

Every signal is bounded well inside the thresholds of the rules that ship with the platform.
"""

import math
from collections.abc import Callable, Mapping

from services.simulator.noise import drift, jitter, stream
from services.simulator.population import Sensor
from services.simulator.weather import DAY, Moment, Sky

Signal = Callable[[Sensor, Moment, Sky], float]

_WEEKDAY_TRAFFIC = ((8.0, 1.1, 0.82), (12.5, 2.6, 0.40), (18.0, 1.4, 0.88), (21.0, 1.8, 0.25))
_WEEKEND_TRAFFIC = ((11.0, 2.4, 0.50), (16.5, 3.0, 0.55), (20.0, 2.0, 0.35))
_WATER_USE = ((7.5, 1.3, 0.50), (12.3, 1.4, 0.32), (19.3, 1.9, 0.55))
_POWER_USE = ((10.5, 2.6, 0.38), (15.5, 2.6, 0.34), (20.0, 1.9, 0.46))
_LANE_CAPACITY = 1050.0  # vehicles per hour and lane


def _curve(hour: float, peaks: tuple[tuple[float, float, float], ...], base: float) -> float:
    """A day's curve: `base` plus peaks of (hour, width in hours, height), round the clock."""
    total = base
    for centre, width, height in peaks:
        distance = abs(hour - centre)
        distance = min(distance, 24 - distance) / width
        if distance < 3:
            total += height * math.exp(-distance * distance / 2)
    return total


def _shaken(sensor: Sensor, now: Moment, metric: str, size: float) -> float:
    """Measuring noise: 1 ± `size` at most."""
    return 1.0 + size * jitter(sensor.stream ^ _SALT[metric], now.t)


def _wander(sensor: Sensor, now: Moment, metric: str, seconds: float) -> float:
    """In [-1, 1): the sensor's own slow drift."""
    return 2 * drift(sensor.stream ^ _SALT[metric], now.t / seconds) - 1


def _clamp(value: float, low: float, high: float) -> float:
    return min(high, max(low, value))


def _demand(sensor: Sensor, now: Moment) -> float:
    """Traffic as a share of capacity, 0.05 to 1.02; neighbours on a road are alike."""
    peaks = _WEEKEND_TRAFFIC if now.weekend else _WEEKDAY_TRAFFIC
    late = (sensor.trait(3) - 0.5) * 0.8
    busy = 0.72 + 0.3 * ((sensor.road * 0.618) % 1.0)
    share = _curve(now.hour - late, peaks, 0.07) * busy
    return _clamp(share * (1 + 0.12 * _wander(sensor, now, "traffic.flow", 1500)), 0.05, 1.02)


def _lanes(sensor: Sensor) -> int:
    return 1 + sensor.road % 3


def traffic_speed(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """km/h: slower when busy or wet; never under 20."""
    free = 44 + 8 * _lanes(sensor) + 6 * sensor.trait(0)
    slowed = free / (1 + 1.1 * _demand(sensor, now) ** 3)
    wet = 1 - min(0.18, 0.015 * sky.rain)
    return _clamp(slowed * wet * _shaken(sensor, now, "traffic.speed", 0.07), 20, 110)


def traffic_flow(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """Vehicles per hour."""
    flow = _demand(sensor, now) * _lanes(sensor) * _LANE_CAPACITY * (1 - 0.008 * sky.rain)
    return flow * _shaken(sensor, now, "traffic.flow", 0.09)


def traffic_occupancy(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """% of the time that a vehicle stands over the loop: flow by speed by length."""
    density = traffic_flow(sensor, now, sky) / _lanes(sensor) / traffic_speed(sensor, now, sky)
    return _clamp(density * 0.65, 0, 40)


def _haze(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """0.3 to 2: how thick the air is, washed by rain, thicker in winter and at rush hours."""
    spell = 0.6 + 0.8 * drift(_AIR, now.t / (1.6 * DAY))
    day = _curve(now.hour, ((8.5, 2.0, 0.22), (20.5, 3.0, 0.28)), 0.8)
    washed = 1 - min(0.55, 0.08 * sky.wetness)
    place = 0.85 + 0.3 * sensor.trait(0)
    return spell * day * washed * place * (1 - 0.2 * now.season)


def pm25(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """µg/m³."""
    return _clamp(32 * _haze(sensor, now, sky) * _shaken(sensor, now, "air.pm25", 0.08), 4, 74)


def pm10(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """µg/m³."""
    return _clamp(52 * _haze(sensor, now, sky) * _shaken(sensor, now, "air.pm10", 0.1), 8, 140)


def so2(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """µg/m³."""
    return _clamp(8 * _haze(sensor, now, sky) * _shaken(sensor, now, "air.so2", 0.1), 2, 60)


def no2(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """µg/m³: follows the traffic."""
    rush = _curve(now.hour, _WEEKDAY_TRAFFIC, 0.5)
    value = 20 * (0.5 * _haze(sensor, now, sky) + 0.7 * rush)
    return _clamp(value * _shaken(sensor, now, "air.no2", 0.1), 4, 78)


def co(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """µg/m³."""
    return _clamp(720 * _haze(sensor, now, sky) * _shaken(sensor, now, "air.co", 0.08), 200, 3000)


def o3(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """µg/m³: made by the sun in the afternoon."""
    sun = max(0.0, math.sin(math.pi * (now.hour - 7.5) / 14))
    value = 38 + 85 * sun * (1 - min(0.6, 0.1 * sky.wetness)) * (1 + 0.15 * now.season)
    return _clamp(value * _shaken(sensor, now, "air.o3", 0.07), 8, 158)


def temperature(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """°C."""
    local = 1.6 * (sensor.trait(0) - 0.5) + 0.2 * jitter(sensor.stream, now.t)
    return _clamp(sky.temperature + local, 1, 36.5)


def humidity(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """%."""
    local = 4 * (sensor.trait(1) - 0.5) + jitter(sensor.stream ^ 1, now.t)
    return _clamp(sky.humidity + local, 32, 95)


def pressure(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """hPa, at the station's height."""
    front = 5 * (drift(_FRONT, now.t / (1.3 * DAY)) - 0.5)
    height = 7 * sensor.trait(2)
    return 1012 - 7 * now.season + front - height + 0.1 * jitter(sensor.stream ^ 2, now.t)


def rain(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """mm/h."""
    return sky.rain * _shaken(sensor, now, "weather.rain", 0.12)


def wind(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """m/s."""
    sheltered = 0.6 + 0.6 * sensor.trait(3)
    return _clamp(sky.wind * sheltered * _shaken(sensor, now, "weather.wind_speed", 0.3), 0, 10)


def noise(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """dB: the street's."""
    busy = _curve(now.hour, _WEEKDAY_TRAFFIC, 0.1)
    value = 46 + 6 * sensor.trait(0) + 11 * busy + 0.3 * sky.rain
    return _clamp(value + 2.5 * jitter(sensor.stream, now.t), 36, 69)


def river_level(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """m at the gauge: a river's gauges move together, downstream later; never over 6.6."""
    reach = stream("river", sensor.river if sensor.river >= 0 else sensor.area_id)
    upstream = now.t - sensor.chainage_km * 600  # a wave travels 6 km/h
    stage = 1.4 * (drift(reach, upstream / (1.5 * DAY)) - 0.5)
    tide = 0.12 * math.sin(2 * math.pi * (now.t - 900 * sensor.chainage_km) / 44_714)
    height = 2.6 + 1.8 * sensor.trait(0) + stage + tide + 0.09 * sky.wetness
    return _clamp(height + 0.01 * jitter(sensor.stream, now.t), 0.8, 6.6)


def water_pressure(sensor: Sensor, now: Moment, _: Sky) -> float:
    """kPa: falls when the city takes water; never under 225."""
    use = _curve(now.hour, _WATER_USE, 0.1)
    value = 330 + 120 * sensor.trait(0) - 95 * use + 6 * _wander(sensor, now, "water.pressure", 900)
    return _clamp(value + 3 * jitter(sensor.stream, now.t), 225, 560)


def water_flow(sensor: Sensor, now: Moment, _: Sky) -> float:
    """m³/h."""
    use = _curve(now.hour, _WATER_USE, 0.22)
    size = 60 * 18 ** sensor.trait(1)
    return size * use * _shaken(sensor, now, "water.flow", 0.06)


def drain_level(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """m above the well's floor: waste water by day, rain within minutes; never over 0.85."""
    use = _curve(now.hour, _WATER_USE, 0.15)
    height = 0.12 + 0.18 * sensor.trait(0) + 0.08 * use + 0.022 * (sky.rain + sky.wetness)
    return _clamp(height + 0.01 * jitter(sensor.stream, now.t), 0.02, 0.85)


def gas_concentration(sensor: Sensor, now: Moment, _: Sky) -> float:
    """%LEL: a trace, 0 to 2."""
    value = 0.2 + 0.9 * sensor.trait(0) + 0.3 * _wander(sensor, now, "gas.concentration", 2400)
    return _clamp(value + 0.25 * jitter(sensor.stream, now.t), 0, 2)


def gas_pressure(sensor: Sensor, now: Moment, _: Sky) -> float:
    """kPa: dips at meal times."""
    use = _curve(now.hour, ((7.0, 0.9, 0.4), (11.8, 1.0, 0.7), (18.5, 1.2, 1.0)), 0.1)
    value = 230 + 90 * sensor.trait(1) - 28 * use
    return value * _shaken(sensor, now, "gas.pressure", 0.008)


def _load_share(sensor: Sensor, now: Moment, sky: Sky) -> float:
    cooling = max(0.0, sky.temperature - 26) * 0.02
    work = 0.85 if now.weekend else 1.0
    share = (_curve(now.hour, _POWER_USE, 0.24) + cooling) * work * (0.75 + 0.3 * sensor.trait(0))
    return _clamp(share + 0.04 * _wander(sensor, now, "power.load", 1200), 0.12, 0.98)


def power_load(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """kW of a transformer of 315 to 1,600 kVA."""
    size = (315, 400, 630, 1000, 1250, 1600)[int(sensor.trait(2) * 6)]
    return size * _load_share(sensor, now, sky) * _shaken(sensor, now, "power.load", 0.03)


def power_voltage(sensor: Sensor, now: Moment, sky: Sky) -> float:
    """V: sags under load; 208 to 234."""
    value = 230 + 4 * (sensor.trait(1) - 0.5) - 9 * _load_share(sensor, now, sky)
    return _clamp(value + 1.5 * jitter(sensor.stream, now.t), 208, 234)


SIGNALS: Mapping[str, Signal] = {
    "traffic.speed": traffic_speed,
    "traffic.flow": traffic_flow,
    "traffic.occupancy": traffic_occupancy,
    "air.pm25": pm25,
    "air.pm10": pm10,
    "air.so2": so2,
    "air.no2": no2,
    "air.co": co,
    "air.o3": o3,
    "weather.temperature": temperature,
    "weather.humidity": humidity,
    "weather.pressure": pressure,
    "weather.rain": rain,
    "weather.wind_speed": wind,
    "noise.level": noise,
    "water.level": river_level,
    "water.pressure": water_pressure,
    "water.flow": water_flow,
    "drain.level": drain_level,
    "gas.concentration": gas_concentration,
    "gas.pressure": gas_pressure,
    "power.load": power_load,
    "power.voltage": power_voltage,
}
_SALT: Mapping[str, int] = {metric: stream(metric) for metric in SIGNALS}
_AIR, _FRONT = stream("air"), stream("air pressure")
