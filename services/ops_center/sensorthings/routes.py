"""OGC SensorThings API 1.1 (18-088), for reading: `/v1/sta/v1.1`."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from services.ops_center.history.caller import Asking, Caller
from services.ops_center.sensorthings.entities import SETS, Stream, World
from services.ops_center.sensorthings.odata import options, steps
from services.ops_center.sensorthings.reader import Reader
from services.ops_center.sensorthings.store import EVER, Store
from shared.disclosure.disclose import AS_IT_IS, columns, discloses_metric, treatment
from shared.web.problems import Problem

ROOT = "/v1/sta/v1.1"
_TOLD = ("sensor_id", "area_id", "lon", "lat", "metric", "unit", "name_zh", "name_en")
_CONFORMS = (
    "http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/resource-path",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/expand",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/orderby",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/top",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/skip",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/count",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/pagination",
)


def sensorthings_router(store: Store, public_url: str) -> APIRouter:
    """For every client of SensorThings."""
    router = APIRouter(tags=["sensorthings"])

    @router.get(ROOT, summary="SensorThings: what there is to read")
    async def root(request: Request, _: Asking) -> dict[str, Any]:
        """The entity sets. `HistoricalLocations` are not kept."""
        base = _base(request, public_url)
        return {
            "value": [{"name": name, "url": f"{base}/{name}"} for name in SETS],
            "serverSettings": {"conformance": list(_CONFORMS)},
        }

    # OData's paths, `Things('x')/Datastreams`, are beyond OpenAPI: docs/sensorthings.md has them.
    @router.get(ROOT + "/{path:path}", include_in_schema=False)
    async def read(
        request: Request, caller: Asking, path: Annotated[str, Path(max_length=500)]
    ) -> Any:
        """Such as `Datastreams('<sensor>~<metric>')/Observations`. `$top`, `$skip`, `$count`,
        `$orderby`, `$select`, `$expand` (nested, with options in brackets) and of `$filter`
        comparisons and `startswith`, joined by `and`."""
        query = dict(request.query_params)
        asked, way = options(query), steps(path)
        world = await _world(store, caller)
        since, until = caller.clearance.since, caller.clearance.until
        span = (since or EVER[0], until or EVER[1])
        reader = Reader(world, store, _base(request, public_url), span)
        return await reader.answer(way, asked, query)

    return router


async def _world(store: Store, caller: Caller) -> World:
    """What the caller may know of. Of readings whose times or values are not told as they are,
    there are no Observations: nothing is there."""
    for name in ("observed_at", "value"):
        if treatment(caller.dataset, caller.dataset.field(name), caller.clearance) != AS_IT_IS:
            raise Problem(403, "Forbidden", f"You are not cleared for '{name}'.", code="level")
    rows = await store.streams(tuple(sorted(caller.clearance.areas)))
    told = [r for r in rows if discloses_metric(caller.declaration, r["metric"], caller.clearance)]
    plan = columns(caller.declaration, caller.dataset, _TOLD, caller.clearance)
    batch = plan.batch({name: [row[name] for row in told] for name in _TOLD})
    return World(
        Stream(**{name: _of(batch, name, at) for name in _TOLD}, name=row["name"])
        for at, row in enumerate(told)
    )


def _of(batch: Any, name: str, at: int) -> Any:
    return batch[name][at] if name in batch else None


def _base(request: Request, public_url: str) -> str:
    return (public_url.rstrip("/") or str(request.base_url).rstrip("/")) + ROOT
