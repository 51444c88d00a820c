"""API keys in the database."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import RowMapping, Select, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.keys.key import Key, KeyChange, KeyQuota, NewToken
from shared.clock import Clock
from shared.store.audit import SYSTEM, Action, By, record, record_change, said
from shared.store.locks import Lock, hold
from shared.store.tables import api_keys, areas, grants, ingest_audit, metrics
from shared.web.auth import new_token
from shared.web.authenticator import token_hash

SHOWN = 11  # letters of a token: `yw_key_` and four more
USED_SECONDS = 60  # a later use is written only when it is so much later
_NOISE = ("last_used_at", "state")
_USED = text(
    "UPDATE ingest.api_keys k SET last_used_at = u.at"
    " FROM unnest(CAST(:ids AS text[]), CAST(:times AS timestamptz[])) AS u (key_id, at)"
    " WHERE k.key_id = u.key_id AND (k.last_used_at IS NULL OR k.last_used_at + :late <= u.at)"
)


class NameTaken(Exception):
    """A key that is not revoked has this name."""


class KeyShelf:
    """Makes, changes, rotates and revokes keys."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def list_keys(self, revoked: bool, after: str | None, limit: int) -> list[Key]:
        """By id; those that are revoked only if wanted."""
        query = select(api_keys).order_by(api_keys.c.key_id).limit(limit)
        if not revoked:
            query = query.where(api_keys.c.revoked_at.is_(None))
        if after is not None:
            query = query.where(api_keys.c.key_id > after)
        async with self._engine.connect() as connection:
            return [self._key(row) for row in (await connection.execute(query)).mappings()]

    async def key(self, key_id: str) -> Key | None:
        """One."""
        async with self._engine.connect() as connection:
            return await self._find(connection, select(api_keys), key_id)

    async def unknown(self, change: KeyChange) -> list[tuple[str, str]]:
        """(JSON pointer, id) of the domains, areas and metrics that do not exist."""
        async with self._engine.connect() as connection:
            rows = (await connection.execute(select(metrics.c.metric, metrics.c.domain))).all()
            query = select(areas.c.area_id).where(areas.c.area_id.in_(change.areas))
            known = {
                "domains": {row.domain for row in rows},
                "metrics": {row.metric for row in rows},
                "areas": set((await connection.execute(query)).scalars()),
            }
        return [
            (f"/{field}/{place}", name)
            for field, names in known.items()
            for place, name in enumerate(getattr(change, field))
            if name not in names
        ]

    async def make(self, wanted: KeyChange, maker: str, by: By = SYSTEM) -> NewToken:
        """A new key. Raises `NameTaken`."""
        token, key_id = new_token("yw_key"), uuid4().hex
        values = _columns(wanted, set(type(wanted).model_fields)) | {
            "key_id": key_id,
            "created_by": maker,
            "created_at": self._clock(),
            "prefix": token[:SHOWN],
            "token_sha256": token_hash(token),
        }
        async with self._engine.begin() as connection:
            await _claim(connection, wanted.name, key_id)
            await connection.execute(insert(api_keys).values(values))
            made = await self._find(connection, select(api_keys), key_id)
            assert made is not None
            await self._record(connection, by, "key.made", None, made)
        return NewToken(**made.model_dump(), token=token)

    async def change(self, key_id: str, change: KeyChange, by: By = SYSTEM) -> Key | None:
        """What `change` names; None for a key that is unknown or revoked. Raises `NameTaken`."""
        values = _columns(change, change.model_fields_set)
        async with self._engine.begin() as connection:
            if "name" in values:
                await _claim(connection, change.name, key_id)
            before = await self._find(connection, select(api_keys), key_id, live=True)
            if values:
                await connection.execute(_live(key_id).values(values))
            after = await self._find(connection, select(api_keys), key_id, live=True)
            if after is not None:
                await self._record(connection, by, "key.changed", before, after)
            return after

    async def rotate(self, key_id: str, overlap_seconds: int, by: By = SYSTEM) -> NewToken | None:
        """A new token; the present one stays valid for the overlap, one before it ends now."""
        token, now = new_token("yw_key"), self._clock()
        values = {
            "previous_sha256": api_keys.c.token_sha256,
            "previous_until": now + timedelta(seconds=overlap_seconds),
            "rotated_at": now,
            "prefix": token[:SHOWN],
            "token_sha256": token_hash(token),
        }
        async with self._engine.begin() as connection:
            await connection.execute(_live(key_id).values(values))
            found = await self._find(connection, select(api_keys), key_id, live=True)
            if found is not None:
                await record(connection, ingest_audit, by, Action("key.rotated", key_id, now))
        return None if found is None else NewToken(**found.model_dump(), token=token)

    async def revoke(self, key_id: str, by: By = SYSTEM) -> bool:
        """For good, all its tokens; its name is free again. False for an unknown key."""
        async with self._engine.begin() as connection:
            done = await connection.execute(_live(key_id).values(revoked_at=self._clock()))
            known = await self._find(connection, select(api_keys), key_id)
            if done.rowcount:
                await self._record(connection, by, "key.revoked", known, None)
            return known is not None

    async def is_lent(self, key_id: str) -> bool:
        """Whether it is a grant's."""
        query = select(grants.c.grant_id).where(grants.c.key_id == key_id)
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).first() is not None

    async def note_use(self, used: Mapping[str, datetime]) -> None:
        """Key → when it was used last; at most one write a minute for each."""
        if not used:
            return
        late = timedelta(seconds=USED_SECONDS)
        rows = {"ids": list(used), "times": list(used.values()), "late": late}
        async with self._engine.begin() as connection:
            await connection.execute(_USED, rows)

    async def _record(
        self, connection: AsyncConnection, by: By, name: str, before: Key | None, after: Key | None
    ) -> None:
        key = after or before
        assert key is not None
        was, now = said(before, *_NOISE), said(after, *_NOISE)
        action = Action(name, key.key_id, self._clock(), was, now)
        await record_change(connection, ingest_audit, by, action)

    async def _find(
        self,
        connection: AsyncConnection,
        query: "Select[Any]",
        key_id: str,
        live: bool = False,
    ) -> Key | None:
        query = query.where(api_keys.c.key_id == key_id)
        if live:
            query = query.where(api_keys.c.revoked_at.is_(None))
        row = (await connection.execute(query)).mappings().first()
        return None if row is None else self._key(row)

    def _key(self, row: RowMapping) -> Key:
        now = self._clock()
        expired = row["expires_at"] is not None and row["expires_at"] <= now
        state = "revoked" if row["revoked_at"] else "expired" if expired else "active"
        quota = KeyQuota(**{name: row[name] for name in KeyQuota.model_fields})
        return Key(**{**row, "state": state, "quota": quota})


def _live(key_id: str) -> Any:
    return update(api_keys).where(api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None))


def _columns(change: KeyChange, fields: set[str]) -> dict[str, Any]:
    """The columns that those fields stand for."""
    values = change.model_dump(include=fields - {"quota"})
    return values | (change.quota.model_dump() if "quota" in fields else {})


async def _claim(connection: AsyncConnection, name: str, key_id: str) -> None:
    """Until the transaction ends, nobody else takes the name."""
    await hold(connection, Lock.KEY_NAMES)
    query = select(api_keys.c.key_id).where(
        api_keys.c.name == name, api_keys.c.revoked_at.is_(None), api_keys.c.key_id != key_id
    )
    if (await connection.execute(query)).first() is not None:
        raise NameTaken(name)
