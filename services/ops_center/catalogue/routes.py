"""`/v1/catalogue`: what data there is; of what is not public only those who may know of it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import JSONResponse
from starlette.requests import HTTPConnection
from starlette.responses import Response

from services.ops_center.catalogue.answers import (
    CatalogueOut,
    DatasetDetail,
    DatasetIn,
    dataset_out,
    detail_out,
)
from services.ops_center.catalogue.dcat import MEDIA_TYPE, catalogue
from services.ops_center.catalogue.desk import Desk
from services.ops_center.catalogue.entries import Entry, matching, metric_of
from services.ops_center.history import accept
from services.ops_center.history.caller import caller
from services.ops_center.history.question import ExportQuestion, MomentQuestion, Selection
from services.ops_center.history.routes import Desk as HistoryDesk
from services.ops_center.history.routes import as_problems
from services.ops_center.history.span import BadParameter, span_of
from shared.clock import Clock
from shared.contracts.live import Domain
from shared.disclosure.clearance import Clearance
from shared.store.audit import By
from shared.web.auth import identify_any, require_role, token_of
from shared.web.clearances import clearance_of
from shared.web.disclosing import disclosed_already
from shared.web.identity import Identity
from shared.web.problems import Problem, documented

MOST_DAYS = 31


class LinkedData(JSONResponse):
    """JSON-LD."""

    media_type = MEDIA_TYPE


NOBODY = Identity("person", "public", "", frozenset(), "public")  # holds no role: public
Administrator = Annotated[Identity, Depends(require_role("admin"))]
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,80}$")]
Form = Literal["csv", "json", "ndjson", "parquet", "geojson"]
FORMS: Mapping[Form, str] = {
    "csv": accept.CSV, "json": accept.JSON, "ndjson": accept.NDJSON,
    "parquet": accept.PARQUET, "geojson": accept.GEOJSON,
}  # fmt: skip
_GONE = documented({404: "There is no such dataset, or none that you may know of"})


async def visitor(connection: HTTPConnection) -> Identity:
    """Whoever asks; somebody whose token is no longer good is nobody, not refused: what he sees
    here is for everybody."""
    if token_of(connection) is None:
        return NOBODY
    try:
        return await identify_any(connection)
    except Problem as problem:
        if problem.status == 401:
            return NOBODY
        raise


Visitor = Annotated[Identity, Depends(visitor)]


class Shelf(Protocol):
    """See `repository.Shelf`."""

    async def city(self, adcode: int) -> tuple[str, str]:
        """Its name, zh and en."""
        ...

    async def say(self, dataset: str, said: Mapping[str, Any], by: By) -> None:
        """Of a dataset."""
        ...


def catalogue_router(
    desk: Desk, shelf: Shelf, history: HistoryDesk, clock: Clock, city: int, public_url: str
) -> APIRouter:
    """List, search, describe; DCAT-AP; the data of what is open to everybody."""
    router = APIRouter(prefix="/v1/catalogue", tags=["catalogue"])

    @router.get("", summary="What data there is")
    async def list_datasets(
        request: Request,
        who: Visitor,
        q: Annotated[str | None, Query(max_length=200)] = None,
        domain: Domain | None = None,
    ) -> CatalogueOut:
        """Without logging in: what is public. `q`: words that must all occur, in either
        language."""
        found = matching(await desk.known(_clearance(request, who)), q, domain)
        names = desk.level_names
        return CatalogueOut(
            items=[dataset_out(e, names(e.level), is_open=desk.is_open(e)) for e in found]
        )

    @router.get("/dcat", summary="The catalogue as DCAT-AP", response_class=LinkedData)
    async def read_dcat(request: Request, who: Visitor) -> Response:
        """DCAT-AP 3 as JSON-LD, for other catalogues to harvest."""
        disclosed_already(request.scope)
        base = public_url.rstrip("/") or str(request.base_url).rstrip("/")
        names = await shelf.city(city)
        known = await desk.known(_clearance(request, who))
        made = catalogue(known, base, names, city, clock())
        return LinkedData(made)

    @router.get("/{dataset}", summary="One dataset", responses=_GONE)
    async def read_dataset(request: Request, who: Visitor, dataset: Id) -> DatasetDetail:
        """With its columns and the trend of its quality."""
        found = _found(await desk.one(dataset, _clearance(request, who)))
        return detail_out(found, desk.level_names(found.level), is_open=desk.is_open(found))

    @router.put("/{dataset}", status_code=204, summary="Say whose a dataset is",
                responses=_GONE)  # fmt: skip
    async def describe(request: Request, who: Administrator, dataset: Id, said: DatasetIn) -> None:
        """Owner, description and licence, instead of what is said by default. Audited."""
        _found(await desk.one(dataset, _clearance(request, who)))
        await shelf.say(dataset, said.model_dump(), who.by)
        desk.forget()

    _data(router, desk, history, clock)
    return router


def _data(router: APIRouter, desk: Desk, history: HistoryDesk, clock: Clock) -> None:
    said = {404: "There is no such dataset, or it is not open to everybody"}
    said |= {406: "No form that is offered is accepted", 422: "A time is wrong"}

    @router.get("/{dataset}/data", summary="Public data, without logging in",
                response_class=Response, responses=documented(said))  # fmt: skip
    async def read_data(
        request: Request,
        who: Visitor,
        dataset: Id,
        start: Annotated[str | None, Query(alias="from", max_length=40)] = None,
        end: Annotated[str | None, Query(alias="to", max_length=40)] = None,
        form: Annotated[Form | None, Query(alias="format", description="Else `Accept`")] = None,
        accepted: Annotated[str, Header(alias="Accept", include_in_schema=False)] = "*/*",
    ) -> Response:
        """The newest reading of every series; with `from` (and `to`) every reading of up to 31
        days. As `GET /v1/history` answers; places are as coarse as your clearance."""
        entry = await desk.one(dataset, _clearance(request, who))
        metric = metric_of(dataset)
        if entry is None or metric is None or not desk.is_open(entry):
            raise _not_found()
        with as_problems():
            question = _question(metric, start, end, clock)
        wanted = accepted if form is None else FORMS[form]
        return await history.answer(question, wanted, caller(request, who))


def _question(
    metric: str, start: str | None, end: str | None, clock: Clock
) -> MomentQuestion | ExportQuestion:
    selection = Selection(metrics=(metric,))
    if start is None and end is None:
        return MomentQuestion(clock(), selection)
    span = span_of(start, end, clock())
    if span.end - span.start > timedelta(days=MOST_DAYS):
        raise BadParameter("from", f"at most {MOST_DAYS} days at once")
    return ExportQuestion(selection, span)


def _clearance(request: Request, who: Identity) -> Clearance:
    return clearance_of(request.app.state.disclosure, None if who is NOBODY else who)


def _found(entry: Entry | None) -> Entry:
    if entry is None:
        raise _not_found()
    return entry


def _not_found() -> Problem:
    return Problem(404, "Not found", "There is no such dataset.", code="not_found")
