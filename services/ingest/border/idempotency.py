"""`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): one answer for one key.

A key is first reserved, then the request is published, then its answer is kept under the key. A
crash in between leaves a reservation without an answer: after `LEASE_SECONDS` the next repeat
takes it over and publishes again, which changes nothing, since the store knows a reading by its
sensor, metric and time. So whoever has a 202 finds its readings in the log and, for a day, the
very same answer here; and whoever has none may repeat.
"""

import re
import zlib
from asyncio import Event, wait_for
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import Clock
from shared.store.tables import idempotency as table
from shared.web.problems import Problem

KEPT = timedelta(days=1)
LEASE = timedelta(seconds=60)
MAX_KEYS = 100_000  # remembered of one API key
MAX_BYTES = 256 * 1024 * 1024  # of their answers
SWEEP_SECONDS = 60.0
SWEPT_AT_ONCE = 10_000

_QUOTED = re.compile(rb'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,255})"')
_BARE = re.compile(rb"[\x21\x23-\x2b\x2d-\x7e]{1,255}")

Respond = Callable[[], Awaitable[tuple[int, bytes]]]


def key_of(headers: Mapping[bytes, bytes]) -> str | None:
    """The key, None if none is sent; quoted as the draft has it, or bare. Raises `Problem` 400."""
    sent = headers.get(b"idempotency-key")
    if sent is None:
        return None
    found = _QUOTED.fullmatch(sent.strip())
    if found:
        return found.group(1).decode()
    if _BARE.fullmatch(sent.strip()):
        return sent.strip().decode()
    detail = 'An Idempotency-Key is a string of 1 to 255 visible characters, such as "8e03978e".'
    raise Problem(400, "Bad Idempotency-Key", detail, code="idempotency_key")


class Memory:
    """Keys and answers in the database."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._keys: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()

    async def once(
        self, key_id: str, key: str, fingerprint: bytes, respond: Respond
    ) -> tuple[int, bytes, bool]:
        """(status, body, whether it is an earlier answer). `key_id`: of the API key.

        Raises `Problem`: 409 while the first request is under way, 422 when it was another one,
        429 when too much is remembered; and whatever `respond` raises, which is not remembered.
        """
        now = self._clock()
        if not await self._reserve(key_id, key, fingerprint, now):
            return await self._earlier(key_id, key, fingerprint)
        try:
            status, body = await respond()
        except Exception:
            with suppress(SQLAlchemyError):  # else it is free once its lease has ended
                await self._release(key_id, key, now)
            raise
        await self._keep(key_id, key, now, status, body)
        return status, body, False

    async def sweep(self, stop: Event) -> None:
        """Forget what is older than a day, again and again until `stop`."""
        while not stop.is_set():
            await self.forget()
            with suppress(TimeoutError):
                await wait_for(stop.wait(), SWEEP_SECONDS)

    async def forget(self) -> None:
        """Forget what is older than a day; count what is left."""
        old = select(table.c.key_id, table.c.key).where(table.c.taken_at <= self._clock() - KEPT)
        some = old.limit(SWEPT_AT_ONCE)
        chunk = delete(table).where(tuple_(table.c.key_id, table.c.key).in_(some))
        swept = SWEPT_AT_ONCE
        while swept == SWEPT_AT_ONCE:
            async with self._engine.begin() as connection:
                swept = (await connection.execute(chunk)).rowcount
        size = func.coalesce(func.sum(func.octet_length(table.c.answer)), 0)
        counts = select(table.c.key_id, func.count(), size).group_by(table.c.key_id)
        async with self._engine.connect() as connection:
            rows = [tuple(row) for row in await connection.execute(counts)]
        self._keys = Counter({row[0]: row[1] for row in rows})
        self._bytes = Counter({row[0]: int(row[2]) for row in rows})

    async def _reserve(self, key_id: str, key: str, fingerprint: bytes, now: datetime) -> bool:
        if self._keys[key_id] >= MAX_KEYS or self._bytes[key_id] >= MAX_BYTES:
            raise _too_many()
        row = {"fingerprint": fingerprint, "taken_at": now}
        left = (table.c.status.is_(None)) & (table.c.taken_at <= now - LEASE)
        free = or_(table.c.taken_at <= now - KEPT, left & (table.c.fingerprint == fingerprint))
        statement = (
            insert(table)
            .values(key_id=key_id, key=key, **row)
            .on_conflict_do_update(
                index_elements=["key_id", "key"],
                set_=row | {"status": None, "answer": None},
                where=free,
            )
            .returning(table.c.key)
        )
        async with self._engine.begin() as connection:
            ours = (await connection.execute(statement)).first() is not None
        self._keys[key_id] += ours
        return ours

    async def _earlier(self, key_id: str, key: str, fingerprint: bytes) -> tuple[int, bytes, bool]:
        query = select(table.c.fingerprint, table.c.status, table.c.answer)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query.where(_is(key_id, key)))).first()
        if row is not None and row.fingerprint != fingerprint:
            detail = "This Idempotency-Key was sent with another request; take a new one."
            raise Problem(422, "Idempotency-Key reused", detail, code="idempotency_reused")
        if row is None or row.status is None:
            detail = "The first request with this Idempotency-Key is still under way."
            raise Problem(
                409, "Still in progress", detail, code="idempotency_in_progress",
                headers={"Retry-After": "2"},
            )  # fmt: skip
        return row.status, zlib.decompress(row.answer), True

    async def _keep(self, key_id: str, key: str, now: datetime, status: int, body: bytes) -> None:
        answer = zlib.compress(body, 1)
        kept = update(table).where(_is(key_id, key), table.c.taken_at == now)
        async with self._engine.begin() as connection:
            await connection.execute(kept.values(status=status, answer=answer))
        self._bytes[key_id] += len(answer)

    async def _release(self, key_id: str, key: str, now: datetime) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(delete(table).where(_is(key_id, key), table.c.taken_at == now))
        self._keys[key_id] -= 1


def _is(key_id: str, key: str) -> ColumnElement[bool]:
    return and_(table.c.key_id == key_id, table.c.key == key)


def _too_many() -> Problem:
    detail = (
        f"At most {MAX_KEYS} Idempotency-Keys are remembered per API key and day."
        " Send without: to repeat readings is safe anyway."
    )
    return Problem(
        429, "Too many Idempotency-Keys", detail, code="idempotency_full",
        headers={"Retry-After": "3600"},
    )  # fmt: skip
