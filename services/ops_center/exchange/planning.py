"""Plans exports: up to where nothing is still to come, and what has changed since a cursor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ops_center.exchange.order import Cursor, ExportIn, check, cursor_of
from services.ops_center.exchange.slices import Slice, TooManyParts, cut, plan, width_seconds
from services.ops_center.history import scope
from services.ops_center.history.span import BadParameter, Span

# Rows that a transaction under way wrote before an export may become visible after it.
OVERLAP = timedelta(seconds=60)
_MONTH_SECONDS = 31 * 86_400

# The clock first: what is closed or changed later than it is seen by the next export.
_STATE = text(
    "SELECT clock_timestamp() AS seen, (SELECT closed_to FROM ingest.rollup_watermark) AS closed_to"
)
_CHANGED = text(
    """
    SELECT day FROM ingest.rollup_marks
    UNION SELECT day FROM ingest.changed_days WHERE changed_at >= :seen
    """
)


@dataclass(frozen=True, slots=True)
class Planned:
    """`end`: before it nothing is still to come; `seen`: when that was so."""

    start: datetime | None
    end: datetime
    seen: datetime
    slices: Sequence[Slice]


async def planned(engine: AsyncEngine, asked: ExportIn) -> Planned:
    """Raises `BadParameter`, `Problem` for a wrong cursor."""
    check(asked)
    cursor = None if asked.since is None else cursor_of(asked.since)
    async with engine.connect() as connection:
        await scope.refuse_unknown(connection, asked.selection)
        state = (await connection.execute(_STATE)).one()
        if asked.dataset != "readings":
            return _of_few(asked, cursor, state.seen)
        found = await scope.series_of(
            connection, await scope.sensors_of(connection, asked.selection), asked.selection
        )
        changed = set()
        if cursor is not None:
            changed = set((await connection.scalars(_CHANGED, {"seen": cursor.seen})).all())
    start = asked.start if cursor is None else cursor.start
    if start is None:
        raise BadParameter("since", "this cursor is of another dataset")
    closed = min(state.closed_to or state.seen, state.seen)
    end = max(start, min(asked.end or closed, closed))
    known_to = None if cursor is None else cursor.known_to
    width = width_seconds(sum(1 / row.interval_seconds for row in found))
    try:
        slices = plan(Span(start, end), width, known_to, changed)
    except TooManyParts as error:
        raise BadParameter("from", str(error), "too_many") from None
    return Planned(start, end, state.seen, slices if found else ())


def _of_few(asked: ExportIn, cursor: Cursor | None, now: datetime) -> Planned:
    """Sensors and incidents: so few that what was changed is found by when it was."""
    start = asked.start if cursor is None else cursor.start
    end = min(asked.end or now, now)
    if asked.dataset == "sensors" or cursor is not None:
        kind: Any = "new" if cursor is None else "changed"
        return Planned(start, end, now, [Slice(Span(start or end, end), kind)])
    assert start is not None, "see `check`"
    pieces = cut(Span(start, max(start, end)), _MONTH_SECONDS)
    return Planned(start, end, now, [Slice(piece) for piece in pieces])


def since_of(written: str | None) -> datetime | None:
    """From when on changes are given, by the cursor that an export goes on from."""
    return None if written is None else cursor_of(written).seen - OVERLAP
