"""`GET /v1/forecast`: the next hours of a series."""

import math
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.alerts.detect.forecast import HOUR_US
from services.alerts.detect.outlook import HOURS, STEP_US
from services.alerts.detect.record import Lately
from services.alerts.foresight.forecasts import Known
from services.alerts.foresight.prospect import CENTRE_US, REASONS, Prospect, State
from services.alerts.means import Series
from shared.clock import from_micros
from shared.contracts.reading import METRIC_PATTERN, SENSOR_ID_PATTERN
from shared.web.auth import require_role
from shared.web.identity import Identity
from shared.web.problems import Problem, documented

Viewer = Annotated[Identity, Depends(require_role("viewer"))]
SensorQuery = Annotated[str, Query(pattern=SENSOR_ID_PATTERN, examples=["gauge-1"])]
MetricQuery = Annotated[str, Query(pattern=METRIC_PATTERN, max_length=64, examples=["water.level"])]
HorizonQuery = Annotated[int, Query(ge=1, le=HOURS, description="Hours ahead")]
EXAMPLE: dict[str, Any] = {
    "sensor_id": "gauge-1", "metric": "water.level", "unit": "m", "state": "ready", "why": None,
    "chosen_by": ["water-level-foreseen", "registry"], "step_seconds": 900,
    "made_at": "2026-05-01T08:00:00Z", "last": {"at": "2026-05-01T07:52:30Z", "value": 7.12},
    "items": [
        {"hours": 1, "at": "2026-05-01T08:52:30Z", "expected": 7.4, "low": 7.2, "high": 7.7},
        {"hours": 2, "at": "2026-05-01T09:52:30Z", "expected": 7.8, "low": 7.4, "high": 8.3},
    ],
    "lately": [
        {"hours": 1, "forecasts": 672, "mae": 0.06, "naive_mae": 0.31, "inside": 0.81},
        {"hours": 2, "forecasts": 672, "mae": 0.11, "naive_mae": 0.31, "inside": 0.79},
    ],
}  # fmt: skip


class Forecasts(Protocol):
    """See `forecasts.Forecasts`. Both raise `Unavailable`, the second `Overloaded`."""

    async def known(self, series: Series) -> Known | str:
        """The series, or which of its names is unknown."""
        ...

    async def prospect(self, series: Series) -> Prospect:
        """What is known of its next hours."""
        ...


class Point(BaseModel):
    """The mean of a quarter of an hour. `at`: its middle."""

    at: datetime
    value: float


class Ahead(BaseModel):
    """The mean that is expected of the quarter of an hour around `at`, and the band in which four
    of five lie."""

    hours: int
    at: datetime
    expected: float
    low: float
    high: float


class Record(BaseModel):
    """How good forecasts so many hours ahead were in the last week: mean absolute error, and that
    of taking the value of the same time a day or a week before, whichever is better (null: not
    known); `inside`: share of values within the band."""

    hours: int
    forecasts: int
    mae: float
    naive_mae: float | None
    inside: float


class Words(BaseModel):
    """In Chinese and English."""

    zh: str
    en: str


class Forecast(BaseModel):
    """`state`: `ready`, or why there is no forecast, in words in `why`. `made_at`: up to when
    readings were known; `last`: the newest mean; `chosen_by`: rules, and `registry`."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    sensor_id: str
    metric: str
    unit: str
    state: Literal["ready", "not_chosen", "too_little", "gap", "silent"]
    why: Words | None
    chosen_by: list[str]
    step_seconds: int
    made_at: datetime | None = None
    last: Point | None = None
    items: Annotated[list[Ahead], Field(max_length=HOURS)] = []
    lately: Annotated[list[Record], Field(max_length=HOURS)] = []


def forecast_router(forecasts: Forecasts) -> APIRouter:
    """`/v1/forecast`."""
    router = APIRouter(tags=["history"])

    @router.get(
        "/v1/forecast",
        summary="The next hours of a series",
        responses=documented({
            404: "There is no such sensor, or no such metric",
            422: "A parameter is wrong",
            503: "Too many forecasts at once, or the database is away; see `Retry-After`",
        }),
    )  # fmt: skip
    async def forecast(
        _: Viewer, sensor_id: SensorQuery, metric: MetricQuery, hours: HorizonQuery = HOURS
    ) -> Forecast:
        """Made anew every quarter of an hour from the fifteen days before it, with a band in which
        four of five values lie, and how good such forecasts were lately. Foretold are the series
        that a rule's `forecast` asks for, and those of metrics that are registered as `foretold`;
        where too little is known nothing is drawn up, and `why` says so."""
        found = await forecasts.known((sensor_id, metric))
        if isinstance(found, str):
            name = metric if found == "metric" else sensor_id
            raise Problem(404, "Not found", f"there is no {found} {name}", code=f"unknown_{found}")
        head = {"sensor_id": sensor_id, "metric": metric, "unit": found.unit,
                "chosen_by": found.chosen, "step_seconds": STEP_US // 1_000_000}  # fmt: skip
        if not found.chosen:
            return Forecast.model_validate(head | _said(State.NOT_CHOSEN))
        prospect = await forecasts.prospect((sensor_id, metric))
        return Forecast.model_validate(head | _said(prospect.state) | _told(prospect, hours))

    return router


def _said(state: State) -> dict[str, object]:
    why = REASONS.get(state)
    return {"state": state.value, "why": why and {"zh": why[0], "en": why[1]}}


def _told(prospect: Prospect, hours: int) -> dict[str, object]:
    if prospect.first_us is None:
        return {}
    outlook = prospect.outlook
    now_us = outlook.made_us - CENTRE_US
    ready = prospect.state is State.READY
    ahead = [
        {"hours": hour, "at": from_micros(one.at_us), "expected": one.expected, "low": one.low,
         "high": one.high}
        for one in outlook.ahead
        if (hour := round((one.at_us - now_us) / HOUR_US)) <= hours
    ]  # fmt: skip
    return {
        "made_at": from_micros(outlook.made_us),
        "last": {"at": from_micros(now_us), "value": outlook.mean},
        "items": ahead if ready else [],
        "lately": [
            _record(hour, one)
            for hour, one in enumerate(prospect.record.lately[:hours], start=1)
            if one.settled
        ],
    }


def _record(hour: int, one: Lately) -> dict[str, object]:
    naive = one.naive
    return {
        "hours": hour, "forecasts": one.ours.number, "mae": one.ours.value,
        "naive_mae": None if math.isnan(naive) else naive, "inside": one.inside.value,
    }  # fmt: skip
