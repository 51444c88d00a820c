"""`/v1/sensors/import` and `/v1/sensors/export`: sensors as CSV and GeoJSON files."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal, Protocol

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from services.ingest.registry import sheets
from services.ingest.registry.coordinates import Crs
from services.ingest.registry.registrar import Registrar
from services.ingest.registry.routes_sensors import Viewer, Wanted
from services.ingest.registry.sensor import Sensor, SensorFilter
from services.ingest.registry.sensor_import import Plan, plan
from services.ingest.requests import BodyReader
from shared.disclosure.declaration import Declaration
from shared.disclosure.disclose import Columns, columns
from shared.web.auth import require_scope
from shared.web.clearances import clearance_of
from shared.web.disclosing import accessed_level, disclosed_already
from shared.web.identity import Identity
from shared.web.problems import Problem

Registering = Annotated[Identity, Depends(require_scope("register"))]
MAX_ROWS = 50_000
CSV, GEOJSON = "text/csv", "application/geo+json"
_READERS = {CSV: sheets.read_csv, GEOJSON: sheets.read_geojson}
_EXAMPLE_CSV = (
    "sensor_id,name,metrics,lon,lat,retired\r\n"
    "gauge-1,西江 1 号水位,water.level;weather.rain,112.47,23.05,false\r\n"
)
_EXAMPLE_GEOJSON = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [112.47, 23.05]},
            "properties": {"sensor_id": "gauge-1", "metrics": ["water.level"]},
        }
    ],
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            CSV: {"schema": {"type": "string"}, "example": _EXAMPLE_CSV},
            GEOJSON: {"schema": {"type": "object"}, "example": _EXAMPLE_GEOJSON},
        },
    }
}


class Shelf(Protocol):
    """See `repository.Repository`."""

    def each_sensor(self, wanted: SensorFilter) -> AsyncIterator[Sequence[Sensor]]:
        """All of them, page by page."""
        ...


class RowVerdict(BaseModel):
    """What becomes of one row. `row`: as a spreadsheet counts (the header is 1); of GeoJSON the
    feature's number from 1 on."""

    row: int
    sensor_id: str | None
    verdict: Literal["create", "update", "unchanged", "refused"]
    column: str | None
    reason: str | None


class ImportReport(BaseModel):
    """What an import does, or would do. `unplaced`: of those made or replaced, how many lie
    nowhere in the city."""

    dry_run: bool
    created: int
    updated: int
    unchanged: int
    refused: int
    unplaced: int
    rows: list[RowVerdict]


def import_router(shelf: Shelf, registrar: Registrar, bodies: BodyReader) -> APIRouter:
    """Files in and out."""
    router = APIRouter(tags=["sensors"])

    @router.post(
        "/v1/sensors/import",
        summary="Import sensors from CSV or GeoJSON",
        openapi_extra=_BODY,
        responses={415: {"description": "Neither text/csv nor application/geo+json."}},
    )
    async def import_sensors(
        who: Registering,
        request: Request,
        dry_run: bool = False,
        atomic: bool = False,
        crs: Crs = "wgs84",
    ) -> ImportReport:
        """Each row is created, updated, unchanged or refused; its neighbours are imported, unless
        `atomic`. `dry_run` answers the same and changes nothing."""
        rows = await _rows(request, bodies)
        ids = [row.fields.get("sensor_id") for row in rows]
        known = await registrar.known([one for one in ids if isinstance(one, str)])
        made = await asyncio.to_thread(plan, rows, known, registrar.unknown_metrics, crs)
        if dry_run:
            return _report(made, await asyncio.to_thread(registrar.placed, made.wanted), True)
        if atomic and made.count("refused"):
            detail = f"{made.count('refused')} rows are refused; nothing was changed."
            report = _report(made, [], False).model_dump()
            raise Problem(422, "Refused", detail, code="refused_rows", report=report)
        return _report(made, await registrar.register(made.wanted, who.by), False)

    @router.get(
        "/v1/sensors/export",
        summary="All sensors as CSV or GeoJSON",
        response_class=StreamingResponse,
        responses={200: {"content": {CSV: {}, GEOJSON: {}}}},
    )
    async def export_sensors(request: Request, who: Viewer, wanted: Wanted) -> StreamingResponse:
        """Those that the filters leave, in the form that `Accept` names (CSV unless GeoJSON is
        asked for); an import of it changes nothing."""
        pages = shelf.each_sensor(wanted)
        if "json" in request.headers.get("accept", ""):
            return StreamingResponse(_geojson(pages), media_type=GEOJSON)
        declaration: Declaration = request.app.state.disclosure
        dataset, clearance = declaration.datasets["sensors"], clearance_of(declaration, who)
        level = accessed_level(declaration, dataset.name, clearance)
        request.app.state.accesses.note(who, dataset.name, level)
        disclosed_already(request.scope)
        told = columns(declaration, dataset, sheets.COLUMNS, clearance)
        return StreamingResponse(_csv(pages, told), media_type=CSV)

    return router


async def _rows(request: Request, bodies: BodyReader) -> list[sheets.Row]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    read = _READERS.get(kind)
    if read is None:
        detail = f"Send {CSV} or {GEOJSON}."
        headers = {"Accept-Post": f"{CSV}, {GEOJSON}"}
        raise Problem(415, "Unsupported media type", detail, code="unsupported_media_type",
                      headers=headers)  # fmt: skip
    body = await bodies.read(dict(request.scope["headers"]), request.receive)
    try:
        rows = await asyncio.to_thread(read, body)
    except sheets.Unreadable as error:
        raise Problem(422, "Unreadable", f"The file: {error}", code="malformed") from None
    finally:
        bodies.release(len(body))
    if len(rows) > MAX_ROWS:
        raise Problem(413, "Too large", f"At most {MAX_ROWS} rows.", code="too_large")
    return rows


def _report(made: Plan, sensors: Sequence[Sensor], dry_run: bool) -> ImportReport:
    return ImportReport(
        dry_run=dry_run,
        created=made.count("create"),
        updated=made.count("update"),
        unchanged=made.count("unchanged"),
        refused=made.count("refused"),
        unplaced=sum(sensor.area_id is None for sensor in sensors),
        rows=[RowVerdict(**asdict(verdict)) for verdict in made.verdicts],
    )


async def _csv(pages: AsyncIterator[Sequence[Sensor]], told: Columns) -> AsyncIterator[str]:
    yield sheets.csv_header(told.kept)
    async for page in pages:
        yield sheets.to_csv(page, told)


async def _geojson(pages: AsyncIterator[Sequence[Sensor]]) -> AsyncIterator[bytes]:
    between = b'{"type":"FeatureCollection","features":['
    async for page in pages:
        for sensor in page:
            yield between + msgspec.json.encode(sheets.to_feature(sensor))
            between = b",\n"
    yield b"]}" if between == b",\n" else between + b"]}"
