"""The vital signs of a recorded city: the product's own index over what the scene shows."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.ops_center.picture import NOTHING
from services.ops_center.registry import Area, Registry, Sensor
from services.ops_center.vital_signs import answers
from services.ops_center.vital_signs.index import Columns, Vital, outside_by, survey
from shared.contracts.live import MetricInfo
from tests.e2e.scenes import NOW, City

YESTERDAY = {"traffic": 99.2, "environment": 99.6, "utilities": 99.4}
SINCE = timedelta(minutes=4)


def signs(city: City, query: Mapping[str, list[str]]) -> dict[str, Any]:
    """As `GET /v1/vital-signs` answers for one area."""
    columns = columns_of(city)
    items = [_sign(one, columns) for one in survey(columns) if one.area_id == query["area_id"][0]]
    return {"at": NOW.isoformat(), "items": items, "next": None}


def explanation(city: City, domain: str, query: Mapping[str, list[str]]) -> dict[str, Any]:
    """As `GET /v1/vital-signs/{domain}` does: every fault has stood for four minutes."""
    columns = columns_of(city)
    area_id = query.get("area_id", [str(city.hello["city"]["adcode"])])[0]
    vital = next(one for one in survey(columns) if (one.area_id, one.domain) == (area_id, domain))
    faults = vital.faults[: int(query["limit"][0])]
    return _sign(vital, columns) | {
        "contributions": [_contribution(columns, fault) for fault in faults],
        "more": len(vital.faults) - len(faults),
    }


def columns_of(city: City) -> Columns:
    """The recorded snapshot as the server has it."""
    snapshot, adcode = city.snapshot, str(city.hello["city"]["adcode"])
    areas = [
        Area(one["area_id"], None if one["area_id"] == adcode else adcode, one["name_zh"],
             one["name_en"])
        for one in snapshot["areas"]
    ]  # fmt: skip
    told = snapshot["sensors"]
    series = snapshot["series"]
    measured: dict[int, list[str]] = {}
    for sensor, metric in zip(series["sensor"], series["metric"], strict=True):
        measured.setdefault(sensor, []).append(metric)
    places = zip(told["id"], told["name"], told["lon"], told["lat"], told["area_id"], strict=True)
    sensors = [Sensor(*one, tuple(measured.get(at, ()))) for at, one in enumerate(places)]
    registry = Registry(areas, [MetricInfo(**one) for one in snapshot["metrics"]], sensors)
    found: dict[tuple[str, str], list[Any]] = {
        (told["id"][sensor], metric): rest
        for sensor, metric, *rest in zip(
            series["sensor"], series["metric"], series["value"], series["observed_at"],
            series["state"], strict=True,
        )
    }  # fmt: skip
    rows = [found[registry.sensors[at].sensor_id, metric] for at, metric in registry.series]
    return Columns(
        registry, [row[0] for row in rows],
        [NOTHING if row[1] is None else row[1] * 1000 for row in rows], [row[2] for row in rows],
    )  # fmt: skip


def _sign(vital: Vital, columns: Columns) -> dict[str, Any]:
    told = answers.live(vital, columns.registry, lambda area, domain: (None, None))
    earlier = {"at": NOW.isoformat(), "index": YESTERDAY[vital.domain]}
    return told.model_dump(mode="json") | {"yesterday": earlier}


def _contribution(columns: Columns, fault: Any) -> dict[str, Any]:
    registry = columns.registry
    number, code = registry.series[fault.series]
    sensor, metric = registry.sensors[number], registry.metrics[code]
    value = columns.value[fault.series]
    return {
        "sensor_id": sensor.sensor_id, "name": sensor.name, "metric": code,
        "name_zh": metric.name_zh, "name_en": metric.name_en, "unit": metric.unit,
        "cause": fault.cause, "state": columns.state[fault.series], "value": value,
        "normal": [metric.normal_low, metric.normal_high],
        "outside_by": outside_by(value, metric.normal_low, metric.normal_high),
        "since": (NOW - SINCE).isoformat(), "at_least": False, "points": round(fault.points, 2),
    }  # fmt: skip
