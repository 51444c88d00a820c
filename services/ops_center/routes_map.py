"""`/v1/map/…` and `/v1/summary`: what the map shows beside the live picture."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
from fastapi import APIRouter, Depends, Response
from starlette.responses import FileResponse

from services.ops_center.feed import Feed
from services.ops_center.layers import MEDIA_TYPES, find_layer, list_layers
from services.ops_center.registry import Area
from shared.settings import Settings
from shared.web.auth import require_role
from shared.web.problems import Problem

ATTRIBUTION = "审图号 GS(2024)0650号 · 天地图"
GEOJSON: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/geo+json": {"schema": {"type": "object"}}}}
}


class Places(Protocol):
    """The registry as the map needs it."""

    async def boundaries(self) -> Sequence[tuple[Area, str, str]]:
        """The city and its districts: (area, level, GeoJSON geometry as text)."""
        ...

    async def sensor_counts(self) -> dict[str, int]:
        """How many sensors there are, and how many of them have no place."""
        ...


def map_router(places: Places, feed: Feed, settings: Settings) -> APIRouter:
    """For everybody who may look."""
    router = APIRouter(tags=["map"], dependencies=[Depends(require_role("viewer"))])

    @router.get("/v1/map/areas", response_class=Response, responses=GEOJSON)
    async def areas() -> Response:
        """The city and its districts as a GeoJSON FeatureCollection; `attribution` must be shown
        with it."""
        collection = {
            "type": "FeatureCollection",
            "attribution": _attribution(settings),
            "features": [
                {
                    "type": "Feature",
                    "id": area.area_id,
                    "properties": {
                        "area_id": area.area_id,
                        "level": level,
                        "name_zh": area.name_zh,
                        "name_en": area.name_en,
                    },
                    "geometry": msgspec.Raw(polygon.encode()),
                }
                for area, level, polygon in await places.boundaries()
            ],
        }
        return Response(msgspec.json.encode(collection), media_type="application/geo+json")

    @router.get("/v1/map/layers")
    async def layers() -> dict[str, Any]:
        """Further layers: `<data dir>/layers/*.geojson` and `*.pmtiles`."""
        found = await asyncio.to_thread(list_layers, settings.layers_dir)
        items = [{"name": layer.name, "url": layer.url, "kind": layer.kind} for layer in found]
        return {"items": items}

    @router.get("/v1/map/layers/{file}", response_class=FileResponse)
    async def layer(file: str) -> Response:
        """One of them; answers ranges, which PMTiles needs."""
        found = await asyncio.to_thread(find_layer, settings.layers_dir, file)
        if found is None:
            raise Problem(404, "Not found", f"There is no layer {file}.", code="unknown_layer")
        headers = {"Cache-Control": "private, max-age=300"}
        return FileResponse(found.path, headers=headers, media_type=MEDIA_TYPES[found.kind])

    @router.get("/v1/summary")
    async def summary() -> dict[str, Any]:
        """Sensors; placed series by state; open incidents by priority (1 is the gravest)."""
        picture = feed.picture
        states = picture.counts()
        incidents = picture.board.counts()
        return {
            "sensors": await places.sensor_counts(),
            "series": {"total": sum(states.values()), "by_state": states},
            "incidents": {
                "open": sum(incidents.values()),
                "by_priority": {str(priority): count for priority, count in incidents.items()},
            },
        }

    return router


def _attribution(settings: Settings) -> str:
    """An operator's own boundaries are his to attribute."""
    return "" if (settings.data_dir / "boundaries.geojson").exists() else ATTRIBUTION
