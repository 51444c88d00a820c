"""`/v1/sensors`: the registry over HTTP."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ValidationError

from services.ingest.registry.registrar import Registrar
from services.ingest.registry.sensor import Sensor, SensorFilter, SensorIn, SensorPut
from services.ingest.requests import BodyReader, check_content_type
from shared.contracts.reading import SENSOR_ID_PATTERN, ItemCode, Rejected
from shared.web.auth import require_role, require_scope
from shared.web.cursors import from_cursor, to_cursor
from shared.web.problems import Problem

MAX_BULK = 10_000

Limit = Annotated[int, Query(ge=1, le=1000)]
Text = Annotated[str | None, Query(max_length=200, pattern="^[^\\x00]*$")]
SensorPath = Annotated[str, Path(pattern=SENSOR_ID_PATTERN)]


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

    @router.get("/v1/sensors", dependencies=[Depends(require_role("viewer"))])
    async def list_sensors(
        limit: Limit = 100,
        cursor: Text = None,
        area_id: Text = None,
        metric: Text = None,
        q: Text = None,
    ) -> SensorList:
        """By id. `area_id`: a city, district or cell; `q`: part of the id or name."""
        wanted = SensorFilter(area_id, metric, q, from_cursor(cursor))
        found = await shelf.list_sensors(wanted, limit + 1)
        following = to_cursor(found[limit - 1].sensor_id) if len(found) > limit else None
        return SensorList(items=found[:limit], next=following)

    @router.get("/v1/sensors/{sensor_id}", dependencies=[Depends(require_role("viewer"))])
    async def read_sensor(sensor_id: SensorPath) -> Sensor:
        """One sensor; 404 if it is not registered."""
        found = await shelf.sensor(sensor_id)
        if found is None:
            raise Problem(404, "Not found", "No sensor of this id is registered.", code="not_found")
        return found

    @router.put("/v1/sensors/{sensor_id}", dependencies=[Depends(require_scope("register"))])
    async def put_sensor(sensor_id: SensorPath, body: SensorPut) -> Sensor:
        """Make or replace a sensor; its area is found from its location."""
        if body.sensor_id not in (None, sensor_id):
            raise _invalid("/sensor_id", "differs from the id in the path")
        if unknown := registrar.unknown_metrics(body.metrics):
            raise _invalid(f"/metrics/{unknown[0][0]}", f"no metric '{unknown[0][1]}'")
        wanted = SensorIn(**body.model_dump(exclude={"sensor_id", "location"}),
                          sensor_id=sensor_id, location=body.location)  # fmt: skip
        return (await registrar.register([wanted]))[0]

    @router.post(
        "/v1/sensors",
        dependencies=[Depends(require_scope("register"))],
        openapi_extra=_bulk_body(),
    )
    async def post_sensors(request: Request) -> BulkAnswer:
        """Make or replace many sensors: a JSON array of sensors with their `sensor_id`."""
        items = await _array(request, bodies)
        wanted, rejected = _sort_out(items, registrar)
        await registrar.register(wanted)
        return BulkAnswer(accepted=len(wanted), rejected=rejected)

    return router


async def _array(request: Request, bodies: BodyReader) -> list[Any]:
    headers = dict(request.scope["headers"])
    check_content_type(headers)
    body = await bodies.read(headers, request.receive)
    try:
        items = json.loads(body)
    except (ValueError, RecursionError):
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
