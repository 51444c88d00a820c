"""Grants in the database. A grant's key is an API key without scopes: it ends with the grant."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.grants.grant import Decision, Grant, GrantIn, GrantKey, State, Used
from shared.clock import Clock
from shared.disclosure.level import BY_CODE, Level
from shared.store.accesses import usage
from shared.store.audit import Action, By, record
from shared.store.tables import api_keys, areas, grants, ingest_audit, metrics
from shared.web.auth import new_token
from shared.web.authenticator import token_hash

SHOWN = 11  # letters of a token
USAGE_DAYS = timedelta(days=31)

Place = tuple[datetime, str]


class GrantShelf:
    """Requests, decisions, keys, endings; each is in the audit log."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def unknown(self, wanted: GrantIn) -> list[tuple[str, str, str]]:
        """(JSON pointer, detail, code) of areas and metrics that do not exist."""
        async with self._engine.connect() as connection:
            known = {
                "areas": await _known(connection, areas.c.area_id, wanted.areas),
                "metrics": await _known(connection, metrics.c.metric, wanted.metrics),
            }
        return [
            (f"/{field}/{place}", f"there is no {name}", "unknown")
            for field, names in known.items()
            for place, name in enumerate(getattr(wanted, field))
            if name not in names
        ]

    async def waiting(self, person: str) -> int:
        """How many requests of a person are not decided."""
        query = select(func.count()).where(
            grants.c.requested_by == person,
            grants.c.approved.is_(None),
            grants.c.revoked_at.is_(None),
        )
        async with self._engine.connect() as connection:
            return int(await connection.scalar(query) or 0)

    async def page(
        self, state: State | None, person: str | None, after: Place | None, limit: int
    ) -> list[Grant]:
        """Newest first."""
        order = tuple_(grants.c.requested_at, grants.c.grant_id)
        query = select(grants).order_by(order.desc()).limit(limit)
        if state is not None:
            query = query.where(_in_state(state, self._clock()))
        if person is not None:
            query = query.where(grants.c.requested_by == person)
        if after is not None:
            query = query.where(order < after)
        async with self._engine.connect() as connection:
            return [self._grant(dict(row._mapping)) for row in await connection.execute(query)]

    async def get(self, grant_id: str) -> Grant | None:
        """One."""
        async with self._engine.connect() as connection:
            return await self._find(connection, grant_id)

    async def request(self, wanted: GrantIn, by: By) -> Grant:
        """Asked for, and not yet decided."""
        grant_id = uuid4().hex
        values = wanted.model_dump() | {
            "grant_id": grant_id, "level": int(BY_CODE[wanted.level]),
            "requested_by": by.actor, "requested_at": self._clock(),
        }  # fmt: skip
        async with self._engine.begin() as connection:
            await connection.execute(insert(grants).values(values))
            return await self._recorded(connection, by, "grant.requested", grant_id)

    async def decide(self, grant: Grant, decision: Decision, by: By) -> Grant | None:
        """Decided, once; None: it has been decided or withdrawn meanwhile."""
        values = {
            "approved": decision.approve, "reason": decision.reason, "decided_by": by.actor,
            "decided_at": self._clock(), "fields": decision.fields or grant.fields,
            "ends_at": decision.ends_at or grant.ends_at,
        }  # fmt: skip
        open_ = grants.c.approved.is_(None) & grants.c.revoked_at.is_(None)
        statement = update(grants).where(grants.c.grant_id == grant.grant_id, open_).values(values)
        async with self._engine.begin() as connection:
            if not (await connection.execute(statement)).rowcount:
                return None
            name = "grant.approved" if decision.approve else "grant.refused"
            return await self._recorded(connection, by, name, grant.grant_id)

    async def make_key(self, grant_id: str, by: By) -> GrantKey | None:
        """A key of an active grant; one that it had ends at once. None: it is not active."""
        token, key_id, now = new_token("yw_key"), uuid4().hex, self._clock()
        async with self._engine.begin() as connection:
            grant = await self._find(connection, grant_id, locked=True)
            if grant is None or grant.state != "active":
                return None
            await _end_key(connection, grant.key_id, now)
            values = {
                "key_id": key_id, "name": f"grant {grant_id[:12]} {key_id[:6]}",
                "prefix": token[:SHOWN], "token_sha256": token_hash(token), "scopes": [],
                "areas": grant.areas, "metrics": grant.metrics, "created_at": now,
                "created_by": by.actor, "expires_at": grant.ends_at,
            }  # fmt: skip
            await connection.execute(insert(api_keys).values(values))
            mine = grants.c.grant_id == grant_id
            await connection.execute(update(grants).where(mine).values(key_id=key_id))
            await self._recorded(connection, by, "grant.key_made", grant_id)
        return GrantKey(grant_id=grant_id, key_id=key_id, token=token, ends_at=grant.ends_at)

    async def revoke(self, grant_id: str, reason: str, by: By) -> Grant | None:
        """Ended for good, with its key; None: it had ended before."""
        now = self._clock()
        async with self._engine.begin() as connection:
            grant = await self._find(connection, grant_id, locked=True)
            if grant is None or grant.state not in ("requested", "active"):
                return None
            await _end_key(connection, grant.key_id, now)
            values = {"revoked_at": now, "revoked_by": by.actor, "revoked_because": reason}
            mine = grants.c.grant_id == grant_id
            await connection.execute(update(grants).where(mine).values(values))
            return await self._recorded(connection, by, "grant.revoked", grant_id)

    async def used(self, grant_id: str) -> list[Used]:
        """By hour and dataset, in the last days."""
        async with self._engine.connect() as connection:
            since = self._clock() - USAGE_DAYS
            rows = await usage(connection, f"grant:{grant_id}", since)
        return [Used(**row) for row in rows]

    async def _recorded(
        self, connection: AsyncConnection, by: By, name: str, grant_id: str
    ) -> Grant:
        found = await self._find(connection, grant_id)
        assert found is not None
        after = found.model_dump(mode="json")
        action = Action(name, grant_id, self._clock(), None, after)
        await record(connection, ingest_audit, by, action)
        return found

    async def _find(
        self, connection: AsyncConnection, grant_id: str, *, locked: bool = False
    ) -> Grant | None:
        query = select(grants).where(grants.c.grant_id == grant_id)
        query = query.with_for_update() if locked else query
        row = (await connection.execute(query)).first()
        return None if row is None else self._grant(dict(row._mapping))

    def _grant(self, row: Mapping[str, Any]) -> Grant:
        state, level = _state(row, self._clock()), Level(row["level"]).code
        return Grant(**{**row, "state": state, "level": level})


def _state(row: Mapping[str, Any], now: datetime) -> State:
    if row["revoked_at"] is not None:
        return "revoked"
    if row["approved"] is False:
        return "refused"
    if row["ends_at"] <= now:
        return "expired"
    return "active" if row["approved"] else "requested"


def _in_state(state: State, now: datetime) -> ColumnElement[bool]:
    """As `_state`, in SQL."""
    standing, ended = grants.c.revoked_at.is_(None), grants.c.ends_at <= now
    refused = standing & grants.c.approved.is_(False)
    approved = standing & func.coalesce(grants.c.approved, False)
    undecided = standing & grants.c.approved.is_(None)
    return {
        "revoked": ~standing,
        "refused": refused,
        "expired": (approved | undecided) & ended,
        "active": approved & ~ended,
        "requested": undecided & ~ended,
    }[state]


async def _known(connection: AsyncConnection, column: Any, names: list[str]) -> set[str]:
    found = await connection.execute(select(column).where(column.in_(names)))
    return set(found.scalars())


async def _end_key(connection: AsyncConnection, key_id: str | None, now: datetime) -> None:
    if key_id is not None:
        live = (api_keys.c.key_id == key_id) & api_keys.c.revoked_at.is_(None)
        await connection.execute(update(api_keys).where(live).values(revoked_at=now))
