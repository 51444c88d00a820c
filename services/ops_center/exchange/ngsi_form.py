"""NGSI-LD (ETSI GS CIM 009) entities of a table: `Device` and `Alert` of Smart Data Models.

One JSON array of normalised entities, page by page.
"""

from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from services.ops_center.exchange.order import Dataset
from services.ops_center.history.table import Table

CONTEXT = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld"
MEDIA_TYPE = "application/ld+json"
_TYPES: Mapping[Dataset, tuple[str, str]] = {
    "sensors": ("Device", "sensor_id"), "incidents": ("Alert", "id")
}  # fmt: skip
_NAMES = {
    "metrics": "controlledProperty", "area_id": "areaId", "updated_at": "dateModified",
    "opened_at": "dateIssued", "observed_at": "dateObserved", "rule_id": "ruleId",
    "kind": "alertSource", "title": "description",
}  # fmt: skip

_encoder = msgspec.json.Encoder()


async def ngsi_form(table: Table, dataset: Dataset) -> AsyncGenerator[bytes, None]:
    """What a row does not know is not an attribute of its entity."""
    kind, key = _TYPES[dataset]
    names = [column.name for column in table.columns]
    between = b"["
    async for rows in table.pages:
        for row in rows:
            known = {n: v for n, v in zip(names, row, strict=True) if v is not None}
            identity = known.pop(key, None)
            if identity is not None:
                yield between + _encoder.encode(_entity(kind, identity, known))
                between = b",\n"
    yield b"[]" if between == b"[" else b"]"


def _entity(kind: str, identity: str, known: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"@context": [CONTEXT], "id": f"urn:ngsi-ld:{kind}:{identity}"}
    made["type"] = kind
    lon, lat = known.pop("lon", None), known.pop("lat", None)
    if lon is not None and lat is not None:
        point = {"type": "Point", "coordinates": [lon, lat]}
        made["location"] = {"type": "GeoProperty", "value": point}
    for name, value in known.items():
        told = value.split() if name == "metrics" else value
        made[_NAMES.get(name, name)] = {"type": "Property", "value": _value(told)}
    return made


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        moment = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return {"@type": "DateTime", "@value": moment}
    return value
