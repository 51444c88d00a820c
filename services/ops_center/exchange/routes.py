"""`/v1/exports`: data in bulk, in parts, to be fetched at leisure."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from sqlalchemy import RowMapping

from services.ops_center.exchange.desk import Desk
from services.ops_center.exchange.lending import paced
from services.ops_center.exchange.manifest import ExportList, Manifest, Summary
from services.ops_center.exchange.order import ExportIn
from services.ops_center.exchange.ranges import NotSatisfiable, Wanted, wanted
from services.ops_center.exchange.repository import Export, Exports
from services.ops_center.exchange.spool import Ready, sent
from services.ops_center.history.accept import CSV, NDJSON, PARQUET
from services.ops_center.history.span import BadParameter
from services.ops_center.history.stream import Stream
from shared.disclosure.clearance import Clearance
from shared.web.auth import require_role
from shared.web.cursors import from_cursor, to_cursor, wrong_cursor
from shared.web.disclosing import accessed_level, disclosed_already
from shared.web.identity import Identity
from shared.web.paces import Paces
from shared.web.problems import Problem, documented, invalid
from shared.web.rights import may

Viewer = Annotated[Identity, Depends(require_role("viewer"))]
Clearances = Callable[[Identity], Clearance]
Number = Annotated[int, Path(ge=1, le=1_000_000)]
FORMS = {
    "parquet": (PARQUET, "parquet"),
    "csv": (CSV, "csv"),
    "ndjson": (NDJSON, "ndjson"),
    "ngsi-ld": ("application/ld+json", "jsonld"),
}
_WRONG = {422: "A field is wrong, missing or has no meaning here"}
_GONE = {404: "There is no such export, or it has expired, or it is somebody else's"}
_REFUSED = {403: "Nothing of this dataset is open to you"}


def somebody(request: Request, who: Viewer) -> Identity:
    """A dependency: who asks. A grant's key sees its own orders only, which hold what it was lent:
    of them nothing is withheld."""
    if who.lent is not None:
        disclosed_already(request.scope)
    return who


Somebody = Annotated[Identity, Depends(somebody)]


def exports_router(desk: Desk, exports: Exports, clearance: Clearances) -> APIRouter:
    """Order an export, read its manifest, fetch its parts."""
    router = APIRouter(prefix="/v1/exports", tags=["exports"])

    @router.post("", status_code=201, summary="Order an export",
                 responses=documented(_WRONG | _REFUSED))  # fmt: skip
    async def order_export(identity: Somebody, asked: ExportIn, response: Response) -> Manifest:
        """Answers the manifest: the parts, the columns with their units, and the cursor `next` by
        which a later export goes on (`since`). Readings end where nothing is still to come:
        what arrives late makes its day a `changed` part of the next export."""
        try:
            made = await desk.order(asked, identity, clearance(identity))
        except BadParameter as error:
            raise invalid([(f"/{error.name}", error.detail, error.code)]) from None
        response.headers["Location"] = f"/v1/exports/{made.export_id}"
        return made

    @router.get("", summary="List exports")
    async def list_exports(
        identity: Somebody,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
    ) -> ExportList:
        """One's own, newest first; administrators see everybody's."""
        owner = None if may(identity, "admin") else identity.key_id
        found = await exports.page(owner, _key(cursor), limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        following = None if last is None else to_cursor(_text(last))
        return ExportList(items=[_summary(row) for row in found[:limit]], next=following)

    @router.get("/{export_id}", summary="An export's manifest", responses=documented(_GONE))
    async def read_manifest(identity: Somebody, export_id: UUID) -> Manifest:
        """`rows` and `sha256` of a part are there once it has been fetched."""
        export = await exports.export(export_id)
        if export is None or not (_is_own(export, identity) or may(identity, "admin")):
            raise _not_found()
        return await desk.manifest(export, clearance(identity))

    _parts(router, desk, exports, clearance)
    return router


def _parts(router: APIRouter, desk: Desk, exports: Exports, clearance: Clearances) -> None:
    some: dict[int | str, dict[str, Any]] = {206: {"description": "The bytes that `Range` names"}}
    said = _GONE | {416: "The range begins behind the part's end"}
    said |= {503: "Too many parts are being made, or the database is away; see `Retry-After`"}
    paces = Paces()

    @router.get("/{export_id}/parts/{number}", summary="A part of an export",
                response_class=Response, responses=documented(said) | some)  # fmt: skip
    async def read_part(
        request: Request,
        identity: Somebody,
        export_id: UUID,
        number: Number,
        asked: Annotated[str | None, Header(alias="Range")] = None,
        condition: Annotated[str | None, Header(alias="If-Range")] = None,
    ) -> Response:
        """With its checksum in `Repr-Digest` and `ETag`. A transfer that was cut goes on with
        `Range: bytes=…-` and `If-Range` (the ETag): the rest, or all of it where the data has
        changed since. The same data always makes the same bytes."""
        export = await exports.export(export_id)
        if export is None or not _is_own(export, identity):
            raise _not_found()
        told, state = clearance(identity), request.app.state
        ready = await desk.part(export, number, told)
        level = accessed_level(state.disclosure, export.dataset, told)
        state.accesses.note(identity, export.dataset, level, rows=ready.rows)
        disclosed_already(request.scope)
        headers = {"ETag": ready.etag, "Accept-Ranges": "bytes", "Cache-Control": "no-store"}
        span = _span(ready, asked, condition, headers)
        watched = partial(state.endings.watched, identity.key_id)
        parts, lent = sent(ready.file, span.first, span.last), identity.lent
        if lent is not None and lent.rows_per_second:
            parts = paced(parts, ready, paces, identity.key_id, lent.rows_per_second)
        answer = Stream(parts, FORMS[export.format][0], headers, lambda: None, watched)
        return _described(answer, export, number, ready, span)


def _span(
    ready: Ready, asked: str | None, condition: str | None, headers: dict[str, str]
) -> Wanted:
    try:
        return wanted(ready.size, asked, condition, ready.etag)
    except NotSatisfiable:
        detail = f"The part has {ready.size} bytes."
        headers["Content-Range"] = f"bytes */{ready.size}"
        raise Problem(416, "Range not satisfiable", detail, code="range", headers=headers) from None


def _described(answer: Stream, export: Export, number: int, ready: Ready, span: Wanted) -> Stream:
    name = f"{export.dataset}-{str(export.export_id)[:8]}-{number:04}.{FORMS[export.format][1]}"
    answer.headers["Content-Length"] = str(span.last - span.first + 1)
    answer.headers["Repr-Digest"] = ready.digest
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if span.partial:
        answer.headers["Content-Range"] = f"bytes {span.first}-{span.last}/{ready.size}"
    answer.status_code = 206 if span.partial else 200
    return answer


def _is_own(export: Export, identity: Identity) -> bool:
    return export.owner == identity.key_id


def _summary(row: RowMapping) -> Summary:
    return Summary(**{name: row[name] for name in Summary.model_fields})


def _text(row: RowMapping) -> str:
    return f"{row['created_at'].isoformat()}|{row['export_id']}"


def _key(cursor: str | None) -> tuple[datetime, UUID] | None:
    text = from_cursor(cursor)
    if text is None:
        return None
    moment, _, number = text.partition("|")
    try:
        return datetime.fromisoformat(moment), UUID(number)
    except ValueError:
        raise wrong_cursor() from None


def _not_found() -> Problem:
    return Problem(404, "Not found", "There is no such export.", code="not_found")
