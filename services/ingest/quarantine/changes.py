"""Changing what lies in quarantine: each change is written beside the item, with its actor."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT, INTEGER, TEXT
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.quarantine.held import Change, Held
from services.ingest.quarantine.selection import Selection, conditions
from shared.clock import system_clock
from shared.store.audit import Action, By, record
from shared.store.tables import ingest_audit, quarantine

_COLUMNS = [quarantine.c[name] for name in Held.__slots__]
# A row that somebody else has changed since it was read (another version) is left alone.
_APPLY = text(
    """
    WITH wanted AS (
      SELECT * FROM unnest(:ids, :versions, :states, :codes, :details, :mended, :receipts,
                           :actions, :notes)
      AS w (id, version, state, code, detail, mended, receipt, action, note)
    ), changed AS (
      UPDATE ingest.quarantine q
      SET state = w.state, code = w.code, detail = w.detail, mended = CAST(w.mended AS jsonb),
          receipt = w.receipt, version = q.version + 1
      FROM wanted w WHERE q.id = w.id AND q.version = w.version
      RETURNING q.id, w.action, w.note, q.mended
    )
    INSERT INTO ingest.quarantine_changes (quarantine_id, actor, action, detail, item)
    SELECT id, :actor, action, note, CASE WHEN action = 'mended' THEN mended END
    FROM changed ORDER BY id RETURNING quarantine_id
    """
).bindparams(
    bindparam("ids", type_=ARRAY(BIGINT)),
    bindparam("versions", type_=ARRAY(INTEGER)),
    *(
        bindparam(name, type_=ARRAY(TEXT))
        for name in ("states", "codes", "details", "mended", "receipts", "actions", "notes")
    ),
)


class Changes:
    """Reads items to work on and writes what became of them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def held(self, selection: Selection, after: int, limit: int) -> list[Held]:
        """Oldest first, beyond the id `after`."""
        query = select(*_COLUMNS).where(*conditions(selection), quarantine.c.id > after)
        async with self._engine.connect() as connection:
            rows = await connection.execute(query.order_by(quarantine.c.id).limit(limit))
            return [Held(*row) for row in rows]

    async def apply(self, changes: Sequence[Change], by: By) -> set[int]:
        """The ids that were changed; what changed in the meantime is not among them."""
        if not changes:
            return set()
        columns: dict[str, list[Any]] = {
            "ids": [change.held.id for change in changes],
            "versions": [change.held.version for change in changes],
            "states": [change.held.state for change in changes],
            "codes": [change.held.code for change in changes],
            "details": [change.held.detail for change in changes],
            "mended": [_as_text(change.held.mended) for change in changes],
            "receipts": [change.held.receipt for change in changes],
            "actions": [change.action for change in changes],
            "notes": [change.note for change in changes],
        }
        async with self._engine.begin() as connection:
            done = await connection.execute(_APPLY, columns | {"actor": by.actor})
            applied = {row[0] for row in done}
            await record(connection, ingest_audit, by, *_actions(changes, applied))
            return applied


def _actions(changes: Sequence[Change], applied: set[int]) -> Iterator[Action]:
    """One row for each kind of change; the items' own histories tell of each."""
    kinds: dict[str, list[int]] = {}
    for change in changes:
        if change.held.id in applied:
            kinds.setdefault(change.action, []).append(change.held.id)
    for kind, ids in kinds.items():
        note = next((one.note for one in changes if one.action == kind), "")
        after = {"count": len(ids), "ids": ids[:100], "note": note}
        yield Action(f"quarantine.{kind}", str(ids[0]), system_clock(), None, after)


def _as_text(mended: Any) -> str | None:
    return None if mended is None else json.dumps(mended, ensure_ascii=False, allow_nan=False)
