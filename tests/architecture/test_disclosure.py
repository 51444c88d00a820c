"""Nothing leaves without a level: every response model, export column, live column and webhook
field is in the declaration. A new one that is not fails here."""

import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.registry import sheets
from services.ops_center.exchange.shape import COLUMNS
from services.ops_center.history import archive, exports, moments
from services.ops_center.telling import _SENSOR, _STATE, DATASETS
from shared.contracts import live, replay
from shared.contracts.incident import Incident, IncidentEvent, webhook_body
from shared.disclosure.declaration import Dataset
from shared.disclosure.files import declaration
from shared.eventlog.log import EventLog
from tests.integration.access.city import City, city
from tests.integration.access.table import table

SHIPPED = declaration()


@pytest.fixture
async def everything(
    engine: AsyncEngine, event_log: EventLog, database_url: str, tmp_path: Path
) -> typing.AsyncIterator[City]:
    async with city(engine, event_log, database_url, tmp_path) as found:
        yield found


def properties(document: dict[str, Any], schema: Any, seen: set[str]) -> Iterator[str]:
    """Names of everything that an answer of this schema may hold."""
    if isinstance(schema, list):
        for one in schema:
            yield from properties(document, one, seen)
    if not isinstance(schema, dict):
        return
    name = schema.get("$ref", "").rpartition("/")[2]
    if name and name not in seen:
        seen.add(name)
        yield from properties(document, document["components"]["schemas"][name], seen)
    for field, of in schema.get("properties", {}).items():
        yield field
        yield from properties(document, of, seen)
    for key in ("items", "anyOf", "allOf", "oneOf", "prefixItems", "additionalProperties"):
        yield from properties(document, schema.get(key), seen)


def undeclared(names: typing.Iterable[str], dataset: Dataset) -> list[str]:
    opaque = {one.name for one in dataset.fields.values() if one.opaque}
    known = {name.rpartition(".")[2] for name in dataset.fields}
    return sorted(f"{dataset.name}.{name}" for name in names if name not in known | opaque)


def template(document: dict[str, Any], method: str, path: str) -> str:
    """The route of a path whose last part is one of some words."""
    if method.lower() in document["paths"].get(path, {}) or f"{method} {path}" in SHIPPED.routes:
        return path
    stem, depth = path.rpartition("/")[0] + "/{", path.count("/")
    known: list[str] = list(document["paths"])
    return next(one for one in known if one.startswith(stem) and one.count("/") == depth)


async def test_every_route_has_a_dataset(everything: City) -> None:
    wanted = {f"{m} {template(everything.document, m, path)}" for m, path in table()}
    assert wanted == set(SHIPPED.routes)


async def test_every_response_model_is_declared(everything: City) -> None:
    document, missing, fields = everything.document, [], 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            dataset = SHIPPED.of_route(method.upper(), path)
            assert dataset is not None, (method, path)
            answers = [a for code, a in operation["responses"].items() if code.startswith("2")]
            contents = [one for answer in answers for one in answer.get("content", {}).values()]
            names = set(properties(document, [one.get("schema") for one in contents], set()))
            fields += len(names)
            missing += undeclared(names, dataset)
    assert not missing, "without a level in shared/disclosure/declaration.yaml: " + ", ".join(
        sorted(set(missing))
    )
    assert fields > 500


def structs(module: Any) -> list[type[msgspec.Struct]]:
    kinds = (one for one in vars(module).values() if isinstance(one, type))
    return [one for one in kinds if issubclass(one, msgspec.Struct) and one is not msgspec.Struct]


@pytest.mark.parametrize("module", [live, replay])
def test_every_live_column_is_declared(module: Any) -> None:
    missing = []
    for struct in structs(module):
        if struct.__name__.startswith(("Client", "Filter", "ReplayHello", "Steer", "ReplayPing")):
            continue
        missing += undeclared(struct.__struct_fields__, SHIPPED.datasets["live"])
    assert not missing
    columns: tuple[tuple[Any, Any, str, set[str]], ...] = (
        (live.SensorColumns, _SENSOR, "sensors", set()),
        (live.SeriesColumns, _STATE, "readings", {"sensor", "metric"}),
        (live.Delta, _STATE, "readings", {"series", "resume", "sent_at"}),
    )
    for struct, names, dataset, numbers in columns:
        assert set(struct.__struct_fields__) == names.keys() | numbers, struct
        assert dataset in DATASETS and not undeclared(names.values(), SHIPPED.datasets[dataset])


def test_every_export_column_is_declared() -> None:
    readings = SHIPPED.datasets["readings"]
    tables = (
        archive._series_columns(""), archive._area_columns(""), moments.COLUMNS,
        exports.COLUMNS,
    )  # fmt: skip
    for columns in tables:
        assert not undeclared([column.name for column in columns], readings)
    head = ["unit", "resolution_seconds", "group_by", "areas", "at", "silent_after_seconds"]
    assert not undeclared([*head, "from", "to"], readings)
    assert not undeclared(sheets.COLUMNS, SHIPPED.datasets["sensors"])
    for name, shown in COLUMNS.items():  # bulk exports
        assert not undeclared([column.name for column in shown], SHIPPED.datasets[name])


def test_every_webhook_field_is_declared() -> None:
    incidents = SHIPPED.datasets["incidents"]
    for model in (Incident, IncidentEvent):
        schema = model.model_json_schema()
        named = {"components": {"schemas": schema.pop("$defs", {})}}
        flat = set(properties(_referring(named), _referring(schema), set()))
        assert not undeclared(flat, incidents)
    source = webhook_body.__code__.co_consts
    keys = {one for consts in source if isinstance(consts, tuple) for one in consts}
    assert {"type", "timestamp", "data"} <= keys | set(source)
    assert not undeclared(["type", "timestamp", "data", "caused_by"], incidents)


def _referring(schema: Any) -> Any:
    text = msgspec.json.encode(schema).decode().replace("#/$defs/", "#/components/schemas/")
    return msgspec.json.decode(text)


def test_a_field_without_a_level_is_found() -> None:
    assert undeclared(["sensor_id", "colour"], SHIPPED.datasets["sensors"]) == ["sensors.colour"]
