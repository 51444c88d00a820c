"""The quarantine over HTTP: mending, replaying, discarding."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends
from pydantic import BaseModel, ConfigDict, Field

from services.ingest.quarantine.aside import keepable
from services.ingest.quarantine.mending import Rule
from services.ingest.quarantine.routes import no_such_item
from services.ingest.quarantine.selection import Selection
from services.ingest.quarantine.workshop import Gone, Settled, Work, Workshop
from shared.web.auth import require_scope
from shared.web.identity import Identity
from shared.web.problems import Problem

MEND = "mend"
Mender = Annotated[Identity, Depends(require_scope(MEND))]
Note = Annotated[str, Field(max_length=2_000, pattern="^[^\\x00]*$")]
REASON = Annotated[str, Field(min_length=1, max_length=2_000, pattern="^[^\\x00]+$")]


class Correction(BaseModel):
    """`item`: what is to be replayed instead: a reading as `POST /v1/readings` takes it, or an
    array of them; null: forget what was mended."""

    model_config = ConfigDict(extra="forbid")

    item: dict[str, Any] | list[Any] | None
    note: Note = ""


class Bulk(BaseModel):
    """Which items, oldest first: those that wait and meet `filter`. `after`: the `next` of the
    answer before; at most `limit` at once."""

    model_config = ConfigDict(extra="forbid")

    filter: Selection
    after: Annotated[int, Field(ge=0, lt=1 << 63)] = 0
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1_000


class Mending(Bulk):
    """Apply a rule; `dry_run` only shows what it would do."""

    rule: Rule
    dry_run: bool = False


class Discarding(Bulk):
    """Give up; `note` says why."""

    note: REASON


class Left(BaseModel):
    """An item that was left as it is, and why."""

    id: int
    code: str
    detail: str


class BeforeAfter(BaseModel):
    """What a rule makes of an item."""

    id: int
    before: Any
    after: Any


class BulkAnswer(BaseModel):
    """`done`: how many; `left`: what was not done, and why; `next`: go on with `after` = this
    number; null when everything was come to."""

    done: int
    left: list[Left]
    next: int | None


class MendAnswer(BulkAnswer):
    """With up to 20 samples."""

    samples: list[BeforeAfter]
    dry_run: bool


class ReplayAnswer(BulkAnswer):
    """`receipts`: for `GET /v1/receipts/{receipt}`, of what entered the log."""

    receipts: list[str]


_WRONG_UNIT = {
    "summary": "one sensor sends millimetres where metres are expected",
    "value": {
        "filter": {"sensor_id": "gauge-0001", "metric": "water.level", "code": "out_of_range"},
        "rule": {"multiply": 0.001},
        "dry_run": True,
    },
}
_WRONG_CLOCK = {
    "summary": "a clock of UTC+8 that claims to be UTC",
    "value": {"filter": {"source": "buses"}, "rule": {"shift_seconds": -28800}},
}


def mending_router(workshop: Workshop) -> APIRouter:
    """Administrators, and keys with the scope `mend`."""
    router = APIRouter(prefix="/v1/quarantine", tags=["quarantine"])

    @router.patch("/{number}", status_code=204, responses={404: {}, 409: {}})
    async def mend_one(number: int, correction: Correction, mender: Mender) -> None:
        """Keep a mended item beside the original: it waits for its replay. 409 once replayed."""
        if not 0 < number < 1 << 63:
            raise no_such_item()
        item = _keepable(correction.item)
        try:
            await workshop.mend_one(number, item, correction.note, mender.by)
        except Gone:
            raise no_such_item() from None
        except Settled:
            detail = "It is replayed, or somebody has just changed it."
            raise Problem(409, "Conflict", detail, code="settled") from None

    @router.post("/mend")
    async def mend(
        wanted: Annotated[
            Mending, Body(openapi_examples={"unit": _WRONG_UNIT, "clock": _WRONG_CLOCK})
        ],
        mender: Mender,
    ) -> MendAnswer:
        """Mend many by one rule. What was mended before is left alone, so repeating is safe."""
        work = await workshop.mend(
            _narrow(wanted), wanted.rule, wanted.after, wanted.limit, mender.by, wanted.dry_run
        )
        samples = [BeforeAfter(**sample._asdict()) for sample in work.samples]
        return MendAnswer(**_answer(work), samples=samples, dry_run=wanted.dry_run)

    @router.post("/replay")
    async def replay(wanted: Bulk, mender: Mender) -> ReplayAnswer:
        """Back through the border, with your own rights; what is refused again stays, with the
        new reason. A conflict needs `"replace": true` (see `mend`) to supersede."""
        work = await workshop.replay(_narrow(wanted), wanted.after, wanted.limit, mender)
        return ReplayAnswer(**_answer(work), receipts=work.receipts)

    @router.post("/discard")
    async def discard(wanted: Discarding, mender: Mender) -> BulkAnswer:
        """Give items up. They stay listed, and go first when the bound is reached."""
        work = await workshop.discard(
            _narrow(wanted), wanted.after, wanted.limit, mender.by, wanted.note
        )
        return BulkAnswer(**_answer(work))

    return router


def _keepable(item: Any) -> Any:
    try:
        return keepable(item)
    except (ValueError, RecursionError) as error:
        detail = f"/item: {error}"
        raise Problem(422, "Invalid request", detail, code="invalid_request") from None


def _narrow(wanted: Bulk) -> Selection:
    if wanted.filter.is_everything:
        detail = "/filter: name at least one condition"
        raise Problem(422, "Invalid request", detail, code="invalid_request")
    return wanted.filter


def _answer(work: Work) -> dict[str, Any]:
    left = [Left(id=number, **reason._asdict()) for number, reason in work.left.items()]
    return {"done": work.done, "left": left, "next": work.next}
