"""NGSI-LD and NGSI-v2: notifications of a context broker (Orion, Orion-LD, Scorpio, Stellio).

Normalised and simplified (key-values) forms; one entity, an array of them, or a notification that
holds them in `data`. ETSI GS CIM 009 and FIWARE NGSI-v2 are the sources. Pure.

Every attribute that is a number is a reading or is refused; what cannot be one (texts, places,
relationships) is named as ignored.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from services.ingest.border.decode import Refusal
from services.ingest.doors.found import Adapted, Found, moment, number, part, wrong
from services.ingest.doors.mapping import Names, Target
from services.ingest.doors.units import convert, rounded
from shared.contracts.reading import ItemCode

FRAME = ("id", "type", "@context", "@id", "@type", "scope")
ENTITY_TIMES = (
    "observedAt", "dateObservedTo", "dateObserved", "TimeInstant", "modifiedAt", "dateModified",
)  # fmt: skip
ATTRIBUTE_TIMES = ("observedAt", "TimeInstant", "dateObserved", "dateModified", "modifiedAt")
TIMES = {*ENTITY_TIMES, "dateObservedFrom", "createdAt", "dateCreated", "dateExpires"}
NO_READINGS = ("Relationship", "GeoProperty", "LanguageProperty", "VocabProperty", "JsonProperty")


def read_ngsi(payload: Any, names: Names) -> Adapted:
    """Whatever a broker sends → items."""
    found: list[Found] = []
    ignored: list[str] = []
    notified_at = payload.get("notifiedAt") if isinstance(payload, dict) else None
    for pointer, entity in _entities(payload):
        if not isinstance(entity, dict) or not isinstance(_plain(entity.get("id")), str):
            detail = "an entity is an object with an id"
            found.append(Found(entity, pointer, refusal=wrong(ItemCode.MALFORMED, detail)))
            continue
        for name, attribute in entity.items():
            if name in FRAME or name in TIMES:
                continue
            at = pointer + part(name)
            if not _may_be_reading(attribute) or names.ignored(_kind(entity), name):
                ignored.append(at)
            else:
                instances = attribute if isinstance(attribute, list) else [attribute]
                found += [
                    _read(entity, name, one, names, notified_at, place)
                    for one, place in zip(instances, _places(at, attribute), strict=True)
                ]
    return Adapted(found, ignored)


def _entities(payload: Any) -> Iterator[tuple[str, Any]]:
    prefix, entities = "", payload
    if isinstance(payload, dict) and "data" in payload and _is_notification(payload):
        prefix, entities = "/data", payload["data"]
    if isinstance(entities, list):
        yield from ((f"{prefix}/{index}", entity) for index, entity in enumerate(entities))
    else:
        yield prefix, entities


def _is_notification(payload: dict[str, Any]) -> bool:
    return payload.get("type") == "Notification" or "id" not in payload


def _read(
    entity: dict[str, Any], name: str, attribute: Any, names: Names, notified_at: Any, at: str
) -> Found:
    normalised = isinstance(attribute, dict)
    value = number(attribute.get("value") if normalised else attribute)
    kind, sensor = _kind(entity), names.sensor(_plain(entity["id"]))
    frame = {key: entity[key] for key in (*FRAME, *TIMES) if key in entity}
    raw = frame | {name: attribute}
    if notified_at is not None and not any(key in entity for key in ENTITY_TIMES):
        raw = {"type": "Notification", "notifiedAt": notified_at, "data": [raw]}
    reading = {
        "sensor_id": sensor,
        "observed_at": _time(entity, attribute, names, notified_at),
        "value": value,
    }
    target, said = names.metric(kind, name)
    if target is None:
        detail = f"no metric is mapped to {kind}.{name}"
        return Found(raw, at, reading, wrong(ItemCode.UNKNOWN_METRIC, detail))
    reading["metric"] = target.metric
    made = _value(value, attribute, target, "" if said else names.units.get(target.metric, ""))
    refusal = made if isinstance(made, Refusal) else None
    if refusal is None:
        reading["value"] = made
    if reading["observed_at"] is None:
        del reading["observed_at"]
        refusal = wrong(ItemCode.MALFORMED, "neither the attribute nor its entity has a time")
    places = {"/value": at + "/value" if normalised else at}
    return Found(raw, at, reading, refusal, places)


def _value(value: object, attribute: Any, target: Target, unit: str) -> object:
    """In the metric's unit; `unit` "": the mapping's factor is all there is to it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value  # for the reading's own rules to refuse
    code = _meta(attribute, "unitCode")
    try:
        if unit and isinstance(code, str):
            made = convert(float(value), code, unit)
            if made is None:
                detail = f"unitCode {code} is no unit of {target.metric} ({unit})"
                return wrong(ItemCode.INVALID_VALUE, detail)
            return made
        if (target.factor, target.offset) == (1, 0):
            return value
        return rounded(float(value) * target.factor + target.offset)
    except OverflowError:
        return wrong(ItemCode.INVALID_VALUE, "not a finite number")


def _time(entity: dict[str, Any], attribute: Any, names: Names, notified_at: Any) -> object:
    candidates = [_meta(attribute, key) for key in ATTRIBUTE_TIMES]
    candidates += [_plain(entity.get(key)) for key in ENTITY_TIMES]
    for text in (*candidates, notified_at):
        if text is not None:
            return moment(text, names.mapping.utc_offset)
    return None


def _meta(attribute: Any, key: str) -> Any:
    """A member of an attribute (NGSI-LD) or of its metadata (NGSI-v2)."""
    if not isinstance(attribute, dict):
        return None
    metadata = attribute.get("metadata")
    if isinstance(metadata, dict) and key in metadata:
        return _plain(metadata[key])
    return _plain(attribute.get(key))


def _plain(attribute: Any) -> Any:
    """The value of an attribute in either form; a DateTime of JSON-LD is `@value`."""
    if isinstance(attribute, dict):
        return _plain(attribute["value"]) if "value" in attribute else attribute.get("@value")
    return attribute


def _kind(entity: dict[str, Any]) -> str:
    kind = _plain(entity.get("type"))
    return str(kind[0]) if isinstance(kind, list) and kind else str(kind or "")


def _may_be_reading(attribute: Any) -> bool:
    """False for texts, places, relationships, truths and structures."""
    if isinstance(attribute, list):
        return bool(attribute) and all(
            isinstance(one, dict) and _may_be_reading(one) for one in attribute
        )
    if isinstance(attribute, dict):
        if attribute.get("type") in NO_READINGS or "value" not in attribute:
            return False
        value = number(attribute["value"])
        declared = attribute.get("type") in ("Number", "Float", "Integer")
        return declared or (isinstance(value, int | float) and not isinstance(value, bool))
    return isinstance(attribute, int | float) and not isinstance(attribute, bool)


def _places(at: str, attribute: Any) -> Sequence[str]:
    if isinstance(attribute, list):
        return [f"{at}/{index}" for index in range(len(attribute))]
    return [at]
