"""`/v1/sensors`: the registry over HTTP."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ValidationError

from services.ingest.registry.catalogue import Domain
from services.ingest.registry.coordinates import Crs
from services.ingest.registry.registrar import Registrar
from services.ingest.registry.sensor import (
    Bbox,
    Sensor,
    SensorFilter,
    SensorIn,
    SensorPatch,
    SensorPut,
    in_wgs84,
    kept,
)
from services.ingest.requests import BodyReader, check_content_type, parsed
from shared.contracts.reading import SENSOR_ID_PATTERN, ItemCode, Rejected
from shared.web.auth import require_role, require_scope
from shared.web.clearances import clearance_of
from shared.web.cursors import from_cursor, to_cursor
from shared.web.identity import Identity
from shared.web.problems import Problem

Viewer = Annotated[Identity, Depends(require_role("viewer"))]
Registering = Annotated[Identity, Depends(require_scope("register"))]
MAX_BULK = 10_000

Limit = Annotated[int, Query(ge=1, le=1000)]
Text = Annotated[str | None, Query(max_length=200, pattern="^[^\\x00]*$")]
SensorPath = Annotated[str, Path(pattern=SENSOR_ID_PATTERN)]


def sensor_filter(
    request: Request,
    who: Viewer,
    *,
    area_id: Text = None,
    metric: Text = None,
    q: Text = None,
    domain: Domain | None = None,
    retired: bool | None = None,
    unplaced: bool | None = None,
    bbox: Annotated[Text, Query(examples=["112.3,22.9,112.7,23.2"])] = None,
) -> SensorFilter:
    """`area_id`: an area of any level; `q`: part of the id or name; `bbox`: west, south, east,
    north; `unplaced`: without location or outside of the city."""
    lent = clearance_of(request.app.state.disclosure, who).areas
    return SensorFilter(area_id, metric, q, None, domain, retired, unplaced, _bbox(bbox), lent)


Wanted = Annotated[SensorFilter, Depends(sensor_filter)]


class Shelf(Protocol):
    """Where sensors are read from; see `repository.Repository`."""

    async def list_sensors(self, wanted: SensorFilter, limit: int) -> list[Sensor]:
        """By id."""
        ...

    async def sensor(self, sensor_id: str) -> Sensor | None:
        """One."""
        ...


class SensorList(BaseModel):
    """A page of sensors."""

    items: list[Sensor]
    next: str | None


class BulkAnswer(BaseModel):
    """How a bulk registration went: valid neighbours of a refused one are registered."""

    accepted: int
    rejected: list[Rejected]


def sensors_router(shelf: Shelf, registrar: Registrar, bodies: BodyReader) -> APIRouter:
    """List, read, make and replace sensors."""
    router = APIRouter(tags=["sensors"])

    @router.get("/v1/sensors")
    async def list_sensors(wanted: Wanted, limit: Limit = 100, cursor: Text = None) -> SensorList:
        """By id. `/v1/sensors/export` answers all of them as CSV or GeoJSON."""
        wanted = replace(wanted, after=from_cursor(cursor))
        found = await shelf.list_sensors(wanted, limit + 1)
        following = to_cursor(found[limit - 1].sensor_id) if len(found) > limit else None
        return SensorList(items=found[:limit], next=following)

    @router.get("/v1/sensors/{sensor_id}", dependencies=[Depends(require_role("viewer"))])
    async def read_sensor(sensor_id: SensorPath) -> Sensor:
        """One sensor; 404 if it is not registered."""
        return await find(shelf, sensor_id)

    @router.post(
        "/v1/sensors",
        openapi_extra=_bulk_body(),
    )
    async def post_sensors(who: Registering, request: Request, crs: Crs = "wgs84") -> BulkAnswer:
        """Make or replace many sensors: a JSON array of sensors with their `sensor_id`."""
        items = await _array(request, bodies)
        wanted, rejected = _sort_out(items, registrar)
        if crs != "wgs84":
            wanted = [
                one.model_copy(update={"location": in_wgs84(one.location, crs)}) for one in wanted
            ]
        await registrar.register(wanted, who.by)
        return BulkAnswer(accepted=len(wanted), rejected=rejected)

    _add_changes(router, shelf, registrar)
    return router


def _add_changes(router: APIRouter, shelf: Shelf, registrar: Registrar) -> None:
    """Make, replace, change and retire one sensor."""

    @router.put("/v1/sensors/{sensor_id}")
    async def put_sensor(
        who: Registering, sensor_id: SensorPath, body: SensorPut, crs: Crs = "wgs84"
    ) -> Sensor:
        """Make or replace a sensor; its area is found from its location, which is given in `crs`
        and kept in WGS 84."""
        if body.sensor_id not in (None, sensor_id):
            raise _invalid("/sensor_id", "differs from the id in the path")
        if unknown := registrar.unknown_metrics(body.metrics):
            raise _invalid(f"/metrics/{unknown[0][0]}", f"no metric '{unknown[0][1]}'")
        wanted = SensorIn(**body.model_dump(exclude={"sensor_id", "location"}),
                          sensor_id=sensor_id, location=in_wgs84(body.location, crs))  # fmt: skip
        return (await registrar.register([wanted], who.by))[0]

    @router.patch(
        "/v1/sensors/{sensor_id}",
        summary="Change a sensor, retire or revive it",
    )
    async def patch_sensor(
        who: Registering, sensor_id: SensorPath, body: SensorPatch, crs: Crs = "wgs84"
    ) -> Sensor:
        """What the body names becomes different; `{"retired": false}` revives a sensor."""
        known = await find(shelf, sensor_id)
        changes = {name: getattr(body, name) for name in body.model_fields_set}
        if unknown := registrar.unknown_metrics(changes.get("metrics") or ()):
            raise _invalid(f"/metrics/{unknown[0][0]}", f"no metric '{unknown[0][1]}'")
        if "location" in changes:
            changes["location"] = in_wgs84(body.location, crs)
        try:
            wanted = SensorIn(**kept(known) | changes)
        except ValidationError as error:
            refusal = _rejected(0, error)
            raise _invalid(refusal.pointer.removeprefix("/0"), refusal.detail) from None
        return (await registrar.register([wanted], who.by))[0]

    @router.delete(
        "/v1/sensors/{sensor_id}",
        summary="Retire a sensor",
    )
    async def retire_sensor(who: Registering, sensor_id: SensorPath) -> Sensor:
        """It takes no more readings and leaves the live picture; its history stays."""
        known = await find(shelf, sensor_id)
        retired = SensorIn(**kept(known) | {"retired": True})
        return (await registrar.register([retired], who.by))[0]


async def find(shelf: Shelf, sensor_id: str) -> Sensor:
    """A registered sensor; `Problem` 404."""
    found = await shelf.sensor(sensor_id)
    if found is None:
        raise Problem(404, "Not found", "No sensor of this id is registered.", code="not_found")
    return found


def _bbox(text: str | None) -> Bbox | None:
    if text is None:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise _invalid("/bbox", "four numbers are needed: west,south,east,north") from None
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise _invalid("/bbox", "west ≤ east and south ≤ north in degrees are needed")
    return (west, south, east, north)


async def _array(request: Request, bodies: BodyReader) -> list[Any]:
    headers = dict(request.scope["headers"])
    check_content_type(headers)
    body = await bodies.read(headers, request.receive)
    try:
        items = parsed(body)
    except ValueError:
        raise Problem(400, "Malformed JSON", "The body is not JSON.", code="malformed") from None
    finally:
        bodies.release(len(body))
    if not isinstance(items, list):
        raise _invalid("", "a JSON array of sensors is expected")
    if len(items) > MAX_BULK:
        raise Problem(413, "Batch too large", f"At most {MAX_BULK} sensors.", code="too_large")
    return items


def _sort_out(items: Sequence[Any], registrar: Registrar) -> tuple[list[SensorIn], list[Rejected]]:
    wanted: list[SensorIn] = []
    rejected: list[Rejected] = []
    for index, item in enumerate(items):
        try:
            sensor = SensorIn.model_validate(item)
        except ValidationError as error:
            rejected.append(_rejected(index, error))
            continue
        if unknown := registrar.unknown_metrics(sensor.metrics):
            pointer = f"/{index}/metrics/{unknown[0][0]}"
            detail = f"no metric '{unknown[0][1]}'"
            code = ItemCode.UNKNOWN_METRIC
            rejected.append(Rejected(index=index, pointer=pointer, code=code, detail=detail))
            continue
        wanted.append(sensor)
    return wanted, rejected


def _rejected(index: int, error: ValidationError) -> Rejected:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in first["loc"]]
    code = ItemCode.INVALID_VALUE
    if first["type"] == "extra_forbidden":
        code = ItemCode.UNKNOWN_FIELD
    elif first["type"] == "missing":
        code = ItemCode.MALFORMED
    elif first["type"].endswith("_type"):
        code = ItemCode.INVALID_TYPE
    return Rejected(
        index=index, pointer="/".join(["", str(index), *parts]), code=code, detail=first["msg"]
    )


def _invalid(pointer: str, detail: str) -> Problem:
    return Problem(
        422,
        "Invalid request",
        f"{pointer or 'request'}: {detail}",
        code="invalid_request",
        errors=[{"pointer": pointer, "detail": detail}],
    )


def _bulk_body() -> dict[str, Any]:
    schema = {"type": "array", "maxItems": MAX_BULK, "items": SensorIn.model_json_schema()}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
