"""MQTT messages: a number, a reading, or NGSI and SensorThings JSON; the topic tells the rest.

A template is a topic filter whose levels may also be `{sensor}` and `{metric}`, such as
`city/{sensor}/{metric}`. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.ingest.doors.found import Adapted, Found, moment, number, wrong
from services.ingest.doors.mapping import Names, Target
from services.ingest.doors.ngsi import read_ngsi
from services.ingest.doors.sensorthings import LINK, read_sensorthings
from services.ingest.doors.units import rounded
from services.ingest.requests import parsed
from shared.contracts.reading import ItemCode

SENSOR, METRIC = "{sensor}", "{metric}"


@dataclass(frozen=True, slots=True)
class Template:
    """One subscription."""

    levels: tuple[str, ...]

    @property
    def filter(self) -> str:
        """What to subscribe to."""
        return "/".join("+" if level in (SENSOR, METRIC) else level for level in self.levels)

    def match(self, topic: str) -> dict[str, str] | None:
        """What the topic tells (`sensor`, `metric`); None if it is not of this template."""
        found: dict[str, str] = {}
        parts = topic.split("/")
        for index, level in enumerate(self.levels):
            if level == "#":
                return found
            if index >= len(parts):
                return None
            if level in (SENSOR, METRIC):
                found[level[1:-1]] = parts[index]
            elif level not in ("+", parts[index]):
                return None
        return found if len(parts) == len(self.levels) else None


@dataclass(frozen=True, slots=True)
class Dialects:
    """The mappings of everything that may come over MQTT."""

    mqtt: Names
    ngsi: Names
    sensorthings: Names


def parse_templates(text: str) -> tuple[Template, ...]:
    """Comma-separated templates. ValueError for what no broker would take."""
    found = tuple(Template(tuple(part.strip().split("/"))) for part in text.split(",") if part)
    for template in found:
        wild = any("#" in level for level in template.levels[:-1])
        odd = any(len(level) > 1 and set(level) & set("+#") for level in template.levels)
        if wild or odd or template.levels == ("",):
            raise ValueError(f"no topic filter: {'/'.join(template.levels)!r}")
    return found


def message(topic: str, payload: bytes, received_at: str) -> dict[str, Any]:
    """A message as a door reads it and the quarantine keeps it. The time of receipt is kept only
    where the payload has none, so that a repeated delivery is the same message."""
    try:
        body = parsed(payload)
    except ValueError:
        body = payload.decode("utf-8", "backslashreplace")
    parts = body if isinstance(body, list) else [body]
    timed = all(isinstance(part, dict) and part.keys() - {"value", "quality"} for part in parts)
    return {"topic": topic, "payload": body} | ({} if timed else {"received_at": received_at})


def read_mqtt(item: Any, templates: Sequence[Template], dialects: Dialects) -> Adapted:
    """A `message` → items."""
    if not isinstance(item, dict) or not isinstance(item.get("topic"), str):
        return Adapted([Found(item, "", refusal=wrong(ItemCode.MALFORMED, "no MQTT message"))])
    topic, payload = item["topic"], item.get("payload")
    told: dict[str, str] = next((t for each in templates if (t := each.match(topic))), {})
    first = payload[0] if isinstance(payload, list) and payload else payload
    members = set(first) if isinstance(first, dict) else set()
    if members & {"phenomenonTime", "resultTime", "result", "dataArray"}:
        link = LINK.search(topic)
        datastream = link["id"].strip("'") if link else told.get("sensor")
        return _within(item, read_sensorthings(payload, dialects.sensorthings, datastream))
    if ("id" in members and "type" in members) or "data" in members:
        return _within(item, read_ngsi(payload, dialects.ngsi))
    if not isinstance(payload, list):
        return Adapted([_reading(item, payload, "", told, dialects.mqtt)])
    return Adapted(
        [_reading(item, one, f"/{index}", told, dialects.mqtt) for index, one in enumerate(payload)]
    )


def _within(item: dict[str, Any], adapted: Adapted) -> Adapted:
    found = [replace(one, raw=item | {"payload": one.raw}) for one in adapted.found]
    return Adapted(found, adapted.ignored)


def _reading(
    item: dict[str, Any], payload: Any, at: str, told: dict[str, str], names: Names
) -> Found:
    raw = item | {"payload": payload}
    reading: dict[str, Any] = {}
    if "sensor" in told:
        reading["sensor_id"] = names.sensor(told["sensor"])
    target = _target(told, names)
    if target is not None:
        reading["metric"] = target.metric
    if "received_at" in item:
        reading["observed_at"] = item["received_at"]
    value = number(payload)
    if isinstance(payload, dict):
        reading |= payload
        value = number(payload.get("value"))
        if "observed_at" in payload:
            reading["observed_at"] = moment(payload["observed_at"], names.mapping.utc_offset)
    reading["value"] = value
    if target is not None and isinstance(value, int | float) and not isinstance(value, bool):
        try:
            reading["value"] = _scaled(value, target)
        except OverflowError:
            refusal = wrong(ItemCode.INVALID_VALUE, "not a finite number")
            return Found(raw, at, reading, refusal)
    places = (
        {f"/{member}": f"{at}/{member}" for member in reading} if isinstance(payload, dict) else {}
    )
    return Found(raw, at, reading, None, places)


def _target(told: dict[str, str], names: Names) -> Target | None:
    """As mapped, in full or by its last word; else as the topic spells it."""
    if "metric" not in told:
        return None
    mapped, _ = names.metric(told.get("sensor", ""), told["metric"])
    return mapped or Target.model_construct(metric=told["metric"], factor=1.0, offset=0.0)


def _scaled(value: float, target: Target) -> float:
    if (target.factor, target.offset) == (1, 0):
        return value
    return rounded(float(value) * target.factor + target.offset)
