"""How well incidents were handled (评价), from the timeline: one query, whatever the edition.

Of incidents that opened in [from, to), without historical ones and those merged into another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.connection import reachable
from services.alerts.duties.deadlines import STEP_OF, DutyStep

By = Literal["department", "area", "category"]
STEPS = tuple(DutyStep)

_GROUP = {"department": "i.department", "area": "i.area_id", "category": "i.category"}
_STEP = " ".join(
    f"WHEN '{state}' THEN '{step}'" for state, step in STEP_OF.items() if step is not None
)
# A run of entries of one step ends with the first entry of another one; the deadline that counts is
# the one at its end.
_STATEMENT = """
WITH chosen AS (
  SELECT i.id, {group} AS name, i.opened_at, i.state FROM alerts.incidents i
  WHERE i.opened_at >= :first AND i.opened_at < :last AND NOT i.historical
    AND i.merged_into IS NULL AND i.kind <> 'flood'
), entries AS (
  SELECT t.incident_id, t.type, t.at, t.state, t.step_due_at, t.deadline_at,
    CASE t.state {steps} END AS step,
    lead(t.at) OVER w AS next_at, lead(CASE t.state {steps} ELSE '' END) OVER w AS next_step
  FROM alerts.timeline t JOIN chosen c ON c.id = t.incident_id
  WINDOW w AS (PARTITION BY t.incident_id ORDER BY t.version)
), marks AS (
  SELECT incident_id,
    min(at) FILTER (WHERE state <> 'open') AS acknowledged_at,
    min(at) FILTER (WHERE state IN ('resolved', 'closed')) AS resolved_at,
    count(*) FILTER (WHERE type = 'incident.reopened') AS reopened
  FROM entries GROUP BY incident_id
), runs AS (
  SELECT incident_id, step, step_due_at AS due, next_at AS done
  FROM entries
  WHERE step IS NOT NULL AND step_due_at IS NOT NULL
    AND (next_step IS NULL OR next_step <> step)
    AND (next_at IS NOT NULL OR step_due_at < :now)
), timed AS (
  SELECT c.name,
    {shares}
  FROM runs r JOIN chosen c ON c.id = r.incident_id GROUP BY c.name
)
SELECT c.name, count(*) AS opened,
  count(*) FILTER (WHERE c.state = 'closed') AS closed,
  count(m.resolved_at) AS resolved,
  {moments},
  count(*) FILTER (WHERE m.reopened > 0)::float / nullif(count(m.resolved_at), 0) AS reopened_share,
  {timed}
FROM chosen c LEFT JOIN marks m ON m.incident_id = c.id LEFT JOIN timed ON
  timed.name IS NOT DISTINCT FROM c.name
GROUP BY c.name ORDER BY c.name NULLS LAST
"""


def _moments(name: str, column: str) -> str:
    seconds = f"extract(epoch FROM m.{column} - c.opened_at)::float"
    return (
        f"avg({seconds}) AS {name}_mean, "
        f"percentile_cont(0.5) WITHIN GROUP (ORDER BY {seconds}) AS {name}_median, "
        f"percentile_cont(0.9) WITHIN GROUP (ORDER BY {seconds}) AS {name}_p90"
    )


def statement(by: By) -> str:
    """The query for a grouping; its parameters: first, last, now."""
    share = "avg(CASE WHEN r.done <= r.due THEN 1.0 ELSE 0.0 END) FILTER (WHERE r.step = '{0}')"
    return _STATEMENT.format(
        group=_GROUP[by],
        steps=_STEP,
        shares=", ".join(f"{share.format(step)}::float AS on_time_{step}" for step in STEPS),
        moments=f"{_moments('mtta', 'acknowledged_at')}, {_moments('mttr', 'resolved_at')}",
        timed=", ".join(f"max(timed.on_time_{step}) AS on_time_{step}" for step in STEPS),
    )


@dataclass(frozen=True)
class Span:
    """Incidents that opened in [first, last)."""

    first: datetime
    last: datetime


class Performance:
    """Reads the figures."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def measure(self, by: By, span: Span, now: datetime) -> Sequence[dict[str, Any]]:
        """A row per department, area or category; None where nobody or nothing is named.

        Seconds by the clock: `mtta_…` until somebody acknowledged, `mttr_…` until resolved, of
        those that were. `on_time_…`: share of the steps done, or overdue by now, that were done by
        their deadline.
        """
        values = {"first": span.first, "last": span.last, "now": now}
        async with reachable(self._engine.connect()) as connection:
            rows = await connection.execute(text(statement(by)), values)
            return [dict(row._mapping) for row in rows]
