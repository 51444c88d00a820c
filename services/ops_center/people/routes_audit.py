"""`/v1/audit`: who did what, for administrators."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from services.ops_center.people.trail import Key, Trail, Wanted
from services.ops_center.people.user import PRINTABLE
from shared.web.auth import require_role
from shared.web.cursors import from_cursor, to_cursor, wrong_cursor
from shared.web.identity import Identity

Admin = Annotated[Identity, Depends(require_role("admin"))]
Word = Annotated[str | None, Query(max_length=200, pattern=PRINTABLE)]
Chain = Literal["ingest", "alerts", "ops"]


def audit_router(trail: Trail) -> APIRouter:
    """Read it."""
    router = APIRouter(prefix="/v1/audit", tags=["audit"])

    @router.get("", summary="Who did what")
    async def list_actions(
        _: Admin,
        actor: Word = None,
        action: Word = None,
        subject: Word = None,
        chain: Chain | None = None,
        from_: Annotated[AwareDatetime | None, Query(alias="from")] = None,
        to: AwareDatetime | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        cursor: str | None = None,
    ) -> dict[str, Any]:
        """Newest first. `action` and `subject` may end in `*`: `incident.*`. `before` and `after`
        hold what changed; secrets are never in it."""
        wanted = Wanted(actor, action, subject, chain, from_, to)
        items = await trail.page(wanted, _key(cursor), limit)
        last = items[-1] if len(items) == limit else None
        following = to_cursor(_text(last)) if last is not None else None
        return {"items": items, "next": following}

    return router


def _text(row: dict[str, Any]) -> str:
    return f"{row['at'].isoformat()}|{row['chain']}|{row['seq']}"


def _key(cursor: str | None) -> Key | None:
    text = from_cursor(cursor)
    if text is None:
        return None
    try:
        moment, chain, seq = text.split("|")
        key = datetime.fromisoformat(moment), chain, int(seq)
    except ValueError:
        raise wrong_cursor() from None
    if key[0].tzinfo is None or not 0 <= key[2] < 2**63:
        raise wrong_cursor()
    return key
