"""What the OpenAPI document shows of the vital signs, the air and the traffic."""

from typing import Any

from shared.web.problems import documented

_PLACE = {"area_id": "441202", "parent_id": "441200", "name_zh": "端州区", "name_en": "Duanzhou"}
_SENSORS = {"counted": 96, "normal": 92, "alarm": 1, "outside": 1, "silent": 2, "bad": 0,
            "never": 4}  # fmt: skip
_WELL = _SENSORS | {"normal": 95, "alarm": 0, "outside": 0, "silent": 1}
_EARLIER = {"at": "2026-05-01T02:30:00Z", "index": 97.9, "sensors": _WELL}
_FIGURE = {
    "metric": "gas.concentration", "summary": "max", "unit": "%LEL", "name_zh": "燃气浓度",
    "name_en": "Gas concentration", "value": 34.5, "yesterday": 2.0, "last_week": None,
}  # fmt: skip
_SIGN = _PLACE | {
    "domain": "utilities", "index": 74.4, "band": "strained", "heard": 0.985,
    "sensors": _SENSORS, "yesterday": _EARLIER, "last_week": None, "figures": [_FIGURE],
}  # fmt: skip
_CONTRIBUTION = {
    "sensor_id": "gs-441202-003", "name": "端州区 燃气阀井 003", "area_id": "441202",
    "metric": "gas.concentration", "name_zh": "燃气浓度", "name_en": "Gas concentration",
    "unit": "%LEL", "cause": "alarm", "state": "p1", "value": 34.5, "normal": [0, 10],
    "outside_by": 24.5, "since": "2026-05-02T02:26:10Z", "at_least": False, "points": 22.06,
}  # fmt: skip
_KIND = {name: _CONTRIBUTION[name] for name in ("metric", "name_zh", "name_en", "cause", "points")}
_MOMENT = {"at": "2026-05-02T02:25:00Z", "index": 97.8, "lowest": 97.8, "heard": 0.985,
           "counted": 96, "alarm": 0, "outside": 1, "silent": 2, "bad": 0}  # fmt: skip
_INDEX = {
    "aqi": 62, "level": {"level": 2, "name_zh": "良", "name_en": "Good", "colour": "#ffff00"},
    "primary": ["pm25"], "exceeding": [], "missing": [],
    "pollutants": [{"pollutant": "pm25", "iaqi": 62, "average": "24h", "concentration": 44.6}],
}  # fmt: skip
_STATION = {"sensor_id": "aq-441202-001", "name": "端州区 空气微站 001", "area_id": "441202"}
_TRAFFIC = _PLACE | {
    "time_index": 1.42, "service": "B", "congested": 0.06,
    "sensors": {"A": 31, "B": 84, "C": 12, "D": 5, "E": 3, "F": 0}, "learning": 2, "silent": 1,
    "yesterday": {"time_index": 1.38, "service": "B"}, "last_week": None,
}  # fmt: skip
_SLOWEST = {
    "sensor_id": "tr-441202-017", "name": "端州区信安大道 卡口 017", "area_id": "441202",
    "speed_kmh": 17.2, "free_kmh": 55.1, "time_index": 3.2, "service": "E",
}  # fmt: skip
_HOUR = {"hour": "2026-05-02T01:00:00Z", "next": None}


def _answering(example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    problems = documented({
        401: "Nobody is logged in", 403: "An account without a role",
        422: "A parameter is wrong, or there is no such area",
        503: "The live picture is loading, or the database is away; see `Retry-After`",
    })  # fmt: skip
    return {200: {"content": {"application/json": {"example": example}}}} | problems


VITAL_SIGNS = _answering({"at": "2026-05-02T02:30:01Z", "items": [_SIGN], "next": None})
EXPLANATION = _answering(_SIGN | {
    "at": "2026-05-02T02:30:01Z", "by_metric": [_KIND | {"sensors": 1}],
    "contributions": [_CONTRIBUTION], "more": 3,
})  # fmt: skip
PAST = _answering({
    "area_id": "441202", "domain": "utilities", "resolution_seconds": 300, "kept_days": 400,
    "items": [_MOMENT], "next": None,
})  # fmt: skip
AIR = _answering({
    "report": "hourly", "start": _HOUR["hour"], "next": None,
    "items": [_PLACE | _INDEX | {"stations": 18, "yesterday": 55, "last_week": None}],
    "stations": [_STATION | _INDEX],
})  # fmt: skip
TRAFFIC = _answering(_HOUR | {"items": [_TRAFFIC], "sensors": [_SLOWEST]})
