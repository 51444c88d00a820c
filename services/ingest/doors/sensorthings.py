"""OGC SensorThings API 1.1: an Observation, or the data array extension's CreateObservations.

OGC 18-088, sections 8.2.8 and 11. Pure.
"""

import re
from typing import Any

from services.ingest.doors.found import Adapted, Found, moment, number, wrong
from services.ingest.doors.mapping import Channel, Names
from services.ingest.doors.units import rounded
from shared.contracts.reading import ItemCode

LINK = re.compile(r"Datastreams\((?P<id>'[^']*'|[^)]*)\)")


def read_sensorthings(payload: Any, names: Names, datastream: str | None = None) -> Adapted:
    """An Observation, an array of them, or of data arrays. `datastream`: of the path or topic."""
    if not isinstance(payload, list):
        return Adapted(_read(payload, "", names, datastream))
    found: list[Found] = []
    for index, one in enumerate(payload):
        found += _read(one, f"/{index}", names, datastream)
    return Adapted(found)


def _read(payload: Any, at: str, names: Names, datastream: str | None) -> list[Found]:
    if not isinstance(payload, dict):
        detail = "an Observation is an object"
        return [Found(payload, at, refusal=wrong(ItemCode.MALFORMED, detail))]
    if "dataArray" in payload:
        return _read_rows(payload, at, names, datastream)
    places = {"/value": at + "/result", "/observed_at": at + "/phenomenonTime"}
    return [_observation(payload, payload, at, places, names, datastream)]


def _read_rows(
    payload: dict[str, Any], at: str, names: Names, datastream: str | None
) -> list[Found]:
    columns, rows = payload.get("components"), payload["dataArray"]
    if not isinstance(columns, list) or not isinstance(rows, list):
        detail = "a data array has `components` and `dataArray`"
        return [Found(payload, at, refusal=wrong(ItemCode.MALFORMED, detail))]
    found = []
    for index, row in enumerate(rows):
        place = f"{at}/dataArray/{index}"
        raw = {"Datastream": payload.get("Datastream"), "components": columns, "dataArray": [row]}
        if not isinstance(row, list) or len(row) != len(columns):
            refusal = wrong(ItemCode.MALFORMED, "a row has one value per component")
            found.append(Found(raw, place, refusal=refusal))
            continue
        one = {str(name): value for name, value in zip(columns, row, strict=True)}
        one["Datastream"] = payload.get("Datastream")
        places = {
            member: f"{place}/{columns.index(column)}"
            for member, column in (("/value", "result"), ("/observed_at", "phenomenonTime"))
            if column in columns
        }
        found.append(_observation(one, raw, place, places, names, datastream))
    return found


def _observation(
    one: dict[str, Any], raw: Any, at: str, places: dict[str, str], names: Names,
    datastream: str | None,
) -> Found:  # fmt: skip
    value = number(one.get("result"))
    time = one.get("phenomenonTime") or one.get("resultTime")
    reading: dict[str, Any] = {"value": value}
    if time is not None:
        reading["observed_at"] = moment(time, names.mapping.utc_offset)
    name = _datastream(one) or datastream
    raw = raw if _datastream(one) or name is None else raw | {"Datastream": {"@iot.id": name}}
    channel = _channel(name, names)
    if channel is None:
        refusal = wrong(ItemCode.UNKNOWN_SENSOR, f"no sensor is mapped to Datastream {name}")
        return Found(raw, at, reading, refusal, places)
    reading |= {"sensor_id": channel.sensor_id, "metric": channel.metric}
    if time is None:
        refusal = wrong(ItemCode.MALFORMED, "neither phenomenonTime nor resultTime")
        return Found(raw, at, reading, refusal, places)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            reading["value"] = _scaled(value, channel)
        except OverflowError:
            refusal = wrong(ItemCode.INVALID_VALUE, "not a finite number")
            return Found(raw, at, reading, refusal, places)
    return Found(raw, at, reading, None, places)


def _scaled(value: float, channel: Channel) -> float:
    if (channel.factor, channel.offset) == (1, 0):
        return value
    return rounded(float(value) * channel.factor + channel.offset)


def _channel(name: str | None, names: Names) -> Channel | None:
    """As mapped; else an id of the form `sensor/metric` speaks for itself."""
    if name is None:
        return None
    mapped = names.mapping.channels.get(name)
    if mapped is None and name.count("/") == 1:
        sensor, metric = name.split("/")
        if metric in names.units:
            return Channel.model_construct(
                sensor_id=names.sensor(sensor), metric=metric, factor=1.0, offset=0.0
            )
    return mapped


def _datastream(one: dict[str, Any]) -> str | None:
    """The id of the Datastream that an Observation names, in any of the ways it may."""
    inline = one.get("Datastream")
    if isinstance(inline, dict):
        for key in ("@iot.id", "@id", "id"):
            if isinstance(inline.get(key), str | int) and not isinstance(inline.get(key), bool):
                return str(inline[key])
    for key in ("Datastream@iot.navigationLink", "Datastream@navigationLink"):
        link = LINK.search(str(one.get(key, "")))
        if link:
            return link["id"].strip("'")
    return None
