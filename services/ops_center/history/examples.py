"""What the OpenAPI document shows of `GET /v1/history`."""

from typing import Any

from services.ops_center.history import accept

_ITEM = {
    "at": "2026-05-01T00:00:00.000Z", "mean": 41.2, "min": 12.0, "max": 63.5, "count": 15,
    "last": 44.0, "bad": 0,
}  # fmt: skip
_SERIES = {
    "sensor_id": "tr-441202-0001", "metric": "traffic.speed", "unit": "km/h",
    "resolution_seconds": 900, "items": [_ITEM],
}  # fmt: skip
_AREA_ITEM = {
    "area_id": "441202", "at": "2026-05-01T00:00:00.000Z", "mean": 38.9, "min": 3.0, "max": 88.0,
    "max_sensor_id": "tr-441202-0042", "count": 180, "bad": 1, "sensors": 180,
}  # fmt: skip
_AREAS = {
    "metric": "traffic.speed", "unit": "km/h", "group_by": "district", "resolution_seconds": 60,
    "areas": [{"area_id": "441202", "name_zh": "端州区", "name_en": "Duanzhou"}],
    "items": [_AREA_ITEM],
}  # fmt: skip
_STATE = {
    "sensor_id": "tr-441202-0001", "metric": "traffic.speed", "value": 41.5, "unit": "km/h",
    "quality": "good", "observed_at": "2026-05-01T00:00:00.000000Z", "age_seconds": 30.0,
    "state": "normal", "area_id": "441202", "lon": 112.46, "lat": 23.05,
}  # fmt: skip
_CITY = {"at": "2026-05-01T00:00:30.000Z", "silent_after_seconds": 86400, "items": [_STATE]}
_READING = {name: _STATE[name] for name in ("sensor_id", "metric", "observed_at", "value", "unit")}
_RAW = {
    "from": "2026-05-01T00:00:00.000Z", "to": "2026-05-01T01:00:00.000Z", "resolution_seconds": 0,
    "items": [_READING | {"quality": "good", "lon": 112.46, "lat": 23.05}],
}  # fmt: skip
_CSV = (
    "sensor_id,metric,at,mean [km/h],min [km/h],max [km/h],count,last [km/h],bad\r\n"
    "tr-441202-0001,traffic.speed,2026-05-01T00:00:00Z,41.2,12.0,63.5,15,44.0,0\r\n"
)

_FORMS: dict[str, Any] = {media_type: {} for media_type in accept.OFFERED}
_FORMS[accept.JSON] = {
    "examples": {
        "series": {"summary": "one series", "value": _SERIES},
        "areas": {"summary": "by area", "value": _AREAS},
        "at": {"summary": "the city at a past moment", "value": _CITY},
        "raw": {"summary": "every reading", "value": _RAW},
    }
}
_FORMS[accept.CSV] = {"example": _CSV}

RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "In the form that `Accept` chooses", "content": _FORMS},
    404: {"description": "There is no such sensor (problem+json)"},
    406: {"description": "No form that is offered is accepted; `offered` lists them"},
    422: {"description": "A parameter is wrong, missing or has no meaning here"},
    503: {"description": "Too many exports at once, or the database is away; see `Retry-After`"},
}
