"""Every route, export form, live column and webhook × level × role, from the one declaration:
nobody is told a field that he is not cleared for.

Asked twice: as shipped, and of a stricter city, where every role is cleared for less.
"""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
import yaml
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.delivery.discretion import told_of
from services.ops_center.history import accept
from services.ops_center.telling import _SENSOR, _STATE, telling_of
from shared.contracts.live import SensorColumns, SeriesColumns
from shared.disclosure.clearance import Clearance
from shared.disclosure.declaration import WITHHELD, Dataset, Declaration
from shared.disclosure.disclose import AS_IT_IS, treatment
from shared.disclosure.files import declaration
from shared.disclosure.level import Level
from shared.eventlog.log import EventLog
from shared.web.clearances import clearance_of
from tests.integration.access.city import City, city
from tests.integration.access.lending import call
from tests.integration.access.table import ACTORS, WHO, table
from tests.integration.access.test_grants import RAW, stored

SHIPPED = declaration()
STRICT = {
    "roles": {"viewer": "public", "screen": "public", "key": "public", "operator": "internal",
              "dispatcher": "internal", "admin": "sensitive"},
    "metrics": {"rain.*": "core"},
}  # fmt: skip
FORMS = (accept.JSON, accept.NDJSON, accept.CSV, accept.PARQUET, accept.GEOJSON)
REPORT = {
    "category": "flooding", "text": "隧道口积水", "reporter": "hotline", "phone": "13812345678",
    "place": {"lon": 112.4721, "lat": 23.0569},
}  # fmt: skip


def named(dataset: Dataset, value: Any, parent: str = "") -> Iterator[tuple[str, str, Any]]:
    """(parent, name, value) of everything in an answer that is a field."""
    if isinstance(value, list):
        for one in value:
            yield from named(dataset, one, parent)
    elif isinstance(value, dict):
        for name, one in value.items():
            yield parent, name, one
            if not dataset.field(name, parent).opaque:
                yield from named(dataset, one, name)


def betrayed(city_: Declaration, dataset: Dataset, value: Any, told: Clearance) -> list[str]:
    """Fields that should have been withheld."""
    fields = [dataset.field(name, parent) for parent, name, _ in named(dataset, value)]
    bad = {field.name for field in fields if treatment(dataset, field, told) == WITHHELD}
    codes = [one for _, name, one in named(dataset, value) if name in dataset.metric]
    bad |= {code for code in codes if isinstance(code, str)
            and city_.metric_level(code) > told.level}  # fmt: skip
    return sorted(bad)


async def clearance(home: City, actor: str) -> Clearance:
    declared = home.context.disclosure
    who = None if actor == "nobody" else await home.context.authenticator.identify(actor)
    return clearance_of(declared, who)


@pytest.fixture(params=["shipped", "strict"])
async def cities(
    request: pytest.FixtureRequest, engine: AsyncEngine, event_log: EventLog, database_url: str,
    tmp_path: Path,
) -> Any:  # fmt: skip
    own = tmp_path / "disclosure.yaml"
    own.write_text(yaml.safe_dump(STRICT))
    file = own if request.param == "strict" else None
    async with city(engine, event_log, database_url, tmp_path, file) as found:
        yield found


async def test_every_route_tells_everybody_what_he_is_cleared_for(
    cities: City, engine: AsyncEngine
) -> None:
    await stored(engine)
    taken = await call(cities, "POST", "/v1/reports", "admin", REPORT)
    assert taken.status_code == 201, taken.text
    incident, report = taken.json().get("incident", {}).get("id", "x"), taken.json()["report_id"]
    wrong, told, declared = [], 0, cities.context.disclosure
    for (method, path), who in sorted(table().items()):
        dataset = declared.of_route(method, path)
        if method != "GET" or dataset is None or dataset.name == "platform":
            continue
        address = path.replace("{incident_id}", incident).replace("{report}", report)
        address = address if address != path else cities.address("GET", path)
        for actor in sorted(WHO[who] & set(ACTORS)):
            answer = await call(cities, "GET", address, actor)
            if answer.status_code != 200 or "json" not in answer.headers["content-type"]:
                continue
            bad = betrayed(declared, dataset, answer.json(), await clearance(cities, actor))
            told += 1
            wrong += [f"{path}: {actor} was told {name}" for name in bad]
    assert not wrong, "\n".join(wrong)
    assert told > 300


async def test_every_form_of_an_export_tells_the_same(cities: City, engine: AsyncEngine) -> None:
    await stored(engine)
    declared = cities.context.disclosure
    readings = declared.datasets["readings"]
    for actor in ("viewer", "operator", "admin", "screen", "post key"):
        known = await clearance(cities, actor)
        names: dict[str, set[str]] = {}
        for form in FORMS:
            headers = {"Authorization": f"Bearer {actor}", "Accept": form}
            answer = await cities.client.get(RAW, headers=headers)
            assert answer.status_code == 200, (actor, form, answer.text)
            rows = list(_rows(form, answer.content))
            names[form] = {name for row in rows for name in row}
            assert not betrayed(declared, readings, rows, known), (actor, form)
            for code in ("water.level", "rain.hour"):
                there = any(row["metric"] == code for row in rows)
                assert there == (declared.metric_level(code) <= known.level), (actor, form, code)
        places = {"lon", "lat"}
        assert {frozenset(found - places) for found in names.values()} == {
            frozenset(names[accept.JSON] - places)
        }


def _rows(form: str, body: bytes) -> Iterator[dict[str, Any]]:
    match form:
        case accept.JSON:
            yield from json.loads(body)["items"]
        case accept.NDJSON:
            yield from map(json.loads, body.splitlines())
        case accept.CSV:
            yield from csv.DictReader(io.StringIO(body.decode()))
        case accept.PARQUET:
            yield from pyarrow.parquet.read_table(io.BytesIO(body)).to_pylist()
        case _:
            yield from (feature["properties"] for feature in json.loads(body)["features"])


@pytest.mark.parametrize("level", list(Level))
def test_live_columns_are_those_of_the_level(level: Level) -> None:
    telling = telling_of(SHIPPED, Clearance(level))
    assert (telling is None) == (level >= Level.INTERNAL)
    if telling is None:
        return
    told = telling.sensors(SensorColumns(["a"], ["泵站"], [112.4721], [23.0569], ["441202"]))
    series = telling.series(SeriesColumns([0], ["air.o3"], [1.0], [1], ["normal"]))
    for columns, names, dataset in ((told, _SENSOR, "sensors"), (series, _STATE, "readings")):
        of = SHIPPED.datasets[dataset]
        for column, name in names.items():
            what = treatment(of, of.field(name), Clearance(level))
            (value,) = getattr(columns, column)
            assert (what == AS_IT_IS) == (value in ("a", "泵站", "441202", 1.0, 1, "normal"))
    assert telling.tells_metric("air.o3") and not telling.tells_metric("power.load")


@pytest.mark.parametrize("level", list(Level))
def test_webhooks_tell_what_the_endpoint_is_cleared_for(level: Level) -> None:
    incidents = SHIPPED.datasets["incidents"]
    data = {"id": "1", "title": "x", "metric": "power.load", "value": 3.0, "caused_by": None}
    body = {"type": "incident.opened", "timestamp": "2026-05-01T00:00:00Z", "data": data}
    told = told_of(SHIPPED, body, level)
    if level is Level.PUBLIC:
        assert told is None, "a metric that it is not cleared for"
        calm = {"type": "incident.opened", "data": {"id": "1", "title": "x", "metric": None}}
        assert told_of(SHIPPED, calm, level) is None, "nothing of it is public"
        return
    assert told is body
    assert not betrayed(SHIPPED, incidents, told, Clearance(level))
