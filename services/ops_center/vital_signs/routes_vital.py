"""`/v1/vital-signs`: how each area and domain runs, why, and how it was."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from services.ops_center.history.routes import as_problems
from services.ops_center.history.span import DEFAULT_POINTS, MAX_POINTS, MIN_POINTS
from services.ops_center.vital_signs import answers, examples
from services.ops_center.vital_signs.desk import Desk
from shared.contracts.live import CityDomain
from shared.web.auth import require_role

MOST_CONTRIBUTIONS = 200

AreaId = Annotated[
    str | None, Query(max_length=64, description="The city or a district; default: the city")
]
Text = Annotated[str | None, Query(max_length=40)]


def vital_router(desk: Desk) -> APIRouter:
    """For everybody who may look."""
    router = APIRouter(tags=["vital signs"], dependencies=[Depends(require_role("viewer"))])

    @router.get("/v1/vital-signs", summary="How the city runs", responses=examples.VITAL_SIGNS)
    async def vital_signs(
        area_id: Annotated[str | None, Query(max_length=64)] = None,
        domain: CityDomain | None = None,
        at: Text = None,
    ) -> answers.VitalSigns:
        """An index of 0 to 100 for every area and domain, with its key figures, each beside the
        same time of day yesterday and a week ago. `at`: as it was then, within ten minutes."""
        with as_problems():
            return await desk.signs(area_id, domain, at)

    @router.get("/v1/vital-signs/{domain}", summary="Why an index is what it is",
                responses=examples.EXPLANATION)  # fmt: skip
    async def explanation(
        domain: CityDomain,
        area_id: AreaId = None,
        limit: Annotated[int, Query(ge=1, le=MOST_CONTRIBUTIONS)] = 20,
    ) -> answers.Explanation:
        """The present index of an area, and the sensors that cost it most: which, how far outside
        of their normal range, since when. The points of all add up to 100 − index."""
        with as_problems():
            return await desk.explained(domain, area_id, limit)

    @router.get("/v1/vital-signs/{domain}/history", summary="How an index was",
                responses=examples.PAST)  # fmt: skip
    async def history(
        domain: CityDomain,
        area_id: AreaId = None,
        since: Annotated[str | None, Query(alias="from", max_length=40)] = None,
        to: Text = None,
        points: Annotated[int, Query(ge=MIN_POINTS, le=MAX_POINTS)] = DEFAULT_POINTS,
    ) -> answers.Past:
        """Steps of five minutes or more, as many as `points` allow; without `from` and `to` the
        last 24 h."""
        with as_problems():
            return await desk.past(domain, area_id, (since, to), points)

    return router
