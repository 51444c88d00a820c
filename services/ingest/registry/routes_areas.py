"""`/v1/areas`: the tree of areas over HTTP, and the import of towns."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from services.ingest.registry.area_files import MAX_FEATURES, Known, Plan, plan
from services.ingest.registry.registrar import Registrar
from services.ingest.requests import BodyReader, parsed
from shared.web.auth import require_role, require_scope
from shared.web.identity import Identity
from shared.web.problems import Problem


class Shelf(Protocol):
    """See `repository.Repository`."""

    async def all_areas(self, polygons: bool, level: str | None) -> list[dict[str, Any]]:
        """City, districts, towns, cells."""
        ...

    async def known_areas(self) -> Known:
        """Districts and towns with their outlines."""
        ...


Registering = Annotated[Identity, Depends(require_scope("register"))]
Level = Literal["city", "district", "town", "cell"]


class AreaItem(BaseModel):
    """An area; `polygon` (GeoJSON geometry, WGS 84) and `children` only on request."""

    area_id: str
    parent_id: str | None
    level: Level
    name_zh: str
    name_en: str
    polygon: dict[str, Any] | None = None
    children: list["AreaItem"] = Field(default_factory=list)


class AreaList(BaseModel):
    """Every area; as a tree, the city alone with what lies below it."""

    items: list[AreaItem]
    next: None = None


class AreaVerdict(BaseModel):
    """What becomes of one feature. `row`: its number from 1 on, null for a town that goes."""

    row: int | None
    area_id: str | None
    parent_id: str | None
    verdict: Literal["create", "update", "unchanged", "remove", "refused"]
    column: str | None
    reason: str | None


class AreaReport(BaseModel):
    """What an import does, or would do. `sensors_moved`: how many then lie elsewhere."""

    dry_run: bool
    created: int
    updated: int
    unchanged: int
    removed: int
    refused: int
    sensors_moved: int
    rows: list[AreaVerdict]


_GEOJSON = {
    "application/geo+json": {
        "schema": {"type": "object"},
        "example": {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"area_id": "441202001", "name_zh": "城东街道"},
                    "geometry": {
                        "type": "Polygon",
                        "coordinates": [
                            [[112.46, 23.04], [112.5, 23.04], [112.5, 23.08], [112.46, 23.04]]
                        ],
                    },
                }
            ],
        },
    }
}


def areas_router(shelf: Shelf, registrar: Registrar, bodies: BodyReader) -> APIRouter:
    """The tree, and its intermediate level."""
    router = APIRouter(tags=["sensors"])

    @router.get(
        "/v1/areas",
        summary="The areas",
        response_model_exclude_unset=True,
        dependencies=[Depends(require_role("viewer"))],
    )
    async def list_areas(
        polygons: bool = False, level: Level | None = None, tree: bool = False
    ) -> AreaList:
        """The city, its districts, their towns where those are imported, and the grid cells with
        sensors in them. `tree`: each area inside its parent."""
        rows = await shelf.all_areas(polygons, level)
        items = _tree(rows) if tree and level is None else rows
        return AreaList.model_validate({"items": items, "next": None})

    @router.post(
        "/v1/areas/import",
        summary="Import towns or streets",
        openapi_extra={"requestBody": {"required": True, "content": _GEOJSON}},
        responses={422: {"description": "A feature is refused; nothing was changed."}},
    )
    async def import_areas(
        who: Registering, request: Request, dry_run: Annotated[bool, Query()] = False
    ) -> AreaReport:
        """A GeoJSON FeatureCollection of polygons (WGS 84) with `area_id`, `name_zh` and,
        optional, `name_en` and `parent_id` (the district). It replaces the towns of every
        district that occurs in it, all or nothing; sensors are placed anew."""
        features = await _features(request, bodies)
        made = await asyncio.to_thread(plan, features, await shelf.known_areas())
        if made.refused and not dry_run:
            report = _report(made, dry_run, 0).model_dump()
            detail = f"{report['refused']} features are refused; nothing was changed."
            raise Problem(422, "Refused", detail, code="refused_rows", report=report)
        if dry_run:
            moves = 0 if made.refused else len(await registrar.moved_by(made))
            return _report(made, True, moves)
        return _report(made, False, len(await registrar.replace_towns(made, who.by)))

    return router


def _tree(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = {row["area_id"]: row for row in rows}
    roots = []
    for row in rows:
        parent = known.get(row["parent_id"])
        if parent is None:
            roots.append(row)
        else:
            parent.setdefault("children", []).append(row)
    return roots


async def _features(request: Request, bodies: BodyReader) -> list[Any]:
    body = await bodies.read(dict(request.scope["headers"]), request.receive)
    try:
        features = parsed(body)["features"]
    except (ValueError, KeyError, TypeError):
        detail = "The body is no GeoJSON FeatureCollection."
        raise Problem(400, "Malformed", detail, code="malformed") from None
    finally:
        bodies.release(len(body))
    if not isinstance(features, list) or not features:
        raise Problem(422, "Invalid request", "/features: no feature", code="invalid_request")
    if len(features) > MAX_FEATURES:
        raise Problem(413, "Too large", f"At most {MAX_FEATURES} features.", code="too_large")
    return features


def _report(made: Plan, dry_run: bool, moves: int) -> AreaReport:
    kinds = [verdict.verdict for verdict in made.verdicts]
    return AreaReport(
        dry_run=dry_run,
        created=kinds.count("create"),
        updated=kinds.count("update"),
        unchanged=kinds.count("unchanged"),
        removed=kinds.count("remove"),
        refused=kinds.count("refused"),
        sensors_moved=moves,
        rows=[AreaVerdict(**asdict(verdict)) for verdict in made.verdicts],
    )
