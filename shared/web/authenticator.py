"""From a token to who is behind it: asked of the database, remembered for two seconds.

Tokens are random and long, so their SHA-256 is what the database keeps; passwords are argon2.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.clock import Clock, monotonic
from shared.disclosure.level import Level
from shared.errors import Overloaded
from shared.store.tables import (
    accounts,
    api_keys,
    grants,
    playlists,
    screen_tokens,
    sessions,
    views,
)
from shared.web.identity import Grant, Identity, Lent, Quota, Restrictions
from shared.web.rights import highest

CACHE_SECONDS = 2.0
RENEW_SECONDS = 1.5  # of age: looked up again in the background, nobody waits
# While the database does not answer nobody can revoke a key in it either; whoever was known when
# it went stays known for so long.
OUTAGE_SECONDS = 300.0
LOOK_UP_SECONDS = 2.0
CACHE_SIZE = 4096
STRANGERS = 4  # tokens never seen before that are looked up at once
STRANGERS_WAITING = 256  # more than these are refused: a flood of made-up tokens


class Known(NamedTuple):
    """An answer of the database, with the monotonic second of the question.

    `until`: when the identity expires; `fresh_at`: since when two seconds count.
    """

    asked_at: float
    identity: Identity | None
    until: datetime | None
    fresh_at: float


class Authenticator:
    """One look-up per token at a time, however many requests ask."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._known: dict[bytes, Known] = {}
        self._nobody: dict[bytes, float] = {}  # tokens without an identity → until when
        self._asking: dict[bytes, asyncio.Task[Identity | None]] = {}
        self._used: dict[str, datetime] = {}
        self._strangers = asyncio.Semaphore(STRANGERS)

    async def identify(self, token: str) -> Identity | None:
        """The identity behind a token, None if there is none or it has expired.

        Raises what the database raises, or `Overloaded`.
        """
        digest = token_hash(token)
        hit = self._known.get(digest)
        if hit is not None:
            age = monotonic() - hit.fresh_at
            if age < CACHE_SECONDS:
                if age > RENEW_SECONDS and digest not in self._asking:
                    self._ask(digest).add_done_callback(_retrieve)
                return hit.identity
        elif self._nobody.get(digest, 0.0) > monotonic():
            return None
        return await asyncio.shield(self._asking.get(digest) or self._ask(digest))

    def remembered(self, digest: bytes) -> Identity | None:
        """The identity behind a token's hash, without asking anybody; None: `identify` must be
        asked."""
        hit = self._known.get(digest)
        if hit is None or monotonic() - hit.fresh_at > RENEW_SECONDS:
            return None
        return hit.identity

    def take_used(self) -> dict[str, datetime]:
        """Keys that were used since the last call → when; to within two seconds."""
        used, self._used = self._used, {}
        return used

    def forget(self, token: str) -> None:
        """Drop what is remembered of a token that has just been revoked."""
        digest = token_hash(token)
        self._known.pop(digest, None)
        self._nobody.pop(digest, None)
        self._asking.pop(digest, None)

    def forget_key(self, key_id: str) -> None:
        """Drop what is remembered of all tokens of a key or screen that has ended."""
        known = self._known.items()
        mine = [d for d, hit in known if hit.identity and hit.identity.key_id == key_id]
        for digest in mine:
            del self._known[digest]
            self._asking.pop(digest, None)

    def _ask(self, digest: bytes) -> "asyncio.Task[Identity | None]":
        hit = self._known.get(digest)
        if hit is None and len(self._asking) >= STRANGERS_WAITING:
            raise Overloaded("too many unknown tokens at once", 1)
        task = asyncio.ensure_future(self._renew(digest, hit))
        self._asking[digest] = task
        return task

    async def _renew(self, digest: bytes, hit: Known | None) -> Identity | None:
        mine = asyncio.current_task()
        try:
            found = await self._look_up(digest, hit)
            if self._asking.get(digest) is mine:  # not forgotten meanwhile
                self._remember(digest, found)
            return found.identity
        finally:
            if self._asking.get(digest) is mine:
                del self._asking[digest]

    async def _look_up(self, digest: bytes, hit: Known | None) -> Known:
        if hit is None:
            async with self._strangers:
                return await self._query(digest)
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS):
                return await self._query(digest)
        except (DBAPIError, PoolExhausted, OSError, TimeoutError):
            expired = hit.until is not None and hit.until <= self._clock()
            if expired or monotonic() - hit.asked_at > OUTAGE_SECONDS:
                raise
            return hit._replace(fresh_at=monotonic())

    def _remember(self, digest: bytes, found: Known) -> None:
        if found.identity is None:
            self._known.pop(digest, None)
            if len(self._nobody) >= CACHE_SIZE:
                self._nobody.clear()
            self._nobody[digest] = found.fresh_at + CACHE_SECONDS
            return
        self._nobody.pop(digest, None)
        if len(self._known) >= CACHE_SIZE:
            self._known.clear()
        self._known[digest] = found

    async def _query(self, digest: bytes) -> Known:
        at, now = monotonic(), self._clock()  # before the question: what changes meanwhile is newer
        async with self._engine.connect() as connection:
            for find in (_find_key, _find_person, _find_screen):
                found = await find(connection, digest, now)
                if found is not None:
                    if found[0].kind == "key":
                        self._used[found[0].key_id] = now
                    return Known(at, *found, at)
        return Known(at, None, None, at)


Found = tuple[Identity, datetime | None]
_LENT = ("grant_id", "level", "fields", "since", "until", "rows_per_second", "ends_at")


async def _find_key(connection: AsyncConnection, digest: bytes, now: datetime) -> Found | None:
    keys = api_keys.c
    lent = [grants.c[name].label(f"lent_{name}") for name in _LENT]
    query = select(api_keys, *lent).outerjoin(grants, grants.c.key_id == keys.key_id)
    query = query.where(
        or_(keys.token_sha256 == digest, keys.previous_sha256 == digest),
        keys.revoked_at.is_(None),
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    ends = [row.expires_at, row.lent_ends_at]
    if row.token_sha256 != digest:
        ends.append(row.previous_until)
    until = min((end for end in ends if end is not None), default=None)
    return None if until is not None and until <= now else (_key(row), until)


def _key(row: "Row[tuple[object, ...]]") -> Identity:
    restrictions = Restrictions(
        frozenset(row.domains), frozenset(row.areas), frozenset(row.metrics)
    )
    return Identity(
        "key",
        row.name,
        "",
        frozenset(row.scopes),
        row.key_id,
        restrictions if row.domains or row.areas or row.metrics else None,
        Quota(row.readings_per_second, row.readings_burst, row.bytes_per_second, row.bytes_burst),
        lent=_lent(row),
    )


def _lent(row: "Row[tuple[object, ...]]") -> Lent | None:
    if row.lent_grant_id is None:
        return None
    level, fields = Level(row.lent_level), frozenset(row.lent_fields)
    span = (row.lent_since, row.lent_until)
    return Lent(row.lent_grant_id, level, fields, *span, row.lent_rows_per_second)


async def _find_person(connection: AsyncConnection, digest: bytes, now: datetime) -> Found | None:
    person = accounts.c
    query = (
        select(
            person.username,
            person.role,
            person.grants,
            person.must_change,
            person.department,
            sessions.c.expires_at,
        )
        .join(sessions, sessions.c.username == person.username)
        .where(
            sessions.c.token_sha256 == digest,
            sessions.c.expires_at > now,
            person.disabled_at.is_(None),
        )
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    name, held = str(row.username), granted(row.role, row.grants)
    identity = Identity(
        "person", name, highest(held), frozenset(), f"person:{name}",
        grants=held, must_change=row.must_change, department=row.department,
        subjects=await _subjects(connection, name, now),
    )  # fmt: skip
    return identity, row.expires_at


async def _subjects(connection: AsyncConnection, name: str, now: datetime) -> frozenset[str]:
    """The data-subject fields that a person has been granted."""
    mine = (grants.c.requested_by == name) & (grants.c.kind == "person")
    valid = grants.c.approved & grants.c.revoked_at.is_(None) & (grants.c.ends_at > now)
    rows = (await connection.execute(select(grants.c.fields).where(mine, valid))).scalars()
    return frozenset(field for fields in rows for field in fields)


def granted(role: str | None, confined: Sequence[Mapping[str, str | None]]) -> tuple[Grant, ...]:
    """What an account's row grants: `role` in all of the city, and the others where they say."""
    everywhere = (Grant(role),) if role else ()
    return (*everywhere, *(Grant(**one) for one in confined))  # type: ignore[arg-type]


async def _find_screen(connection: AsyncConnection, digest: bytes, now: datetime) -> Found | None:
    screens = screen_tokens.c
    query = select(screens.screen_id, screens.name, screens.view_id, screens.expires_at).where(
        screens.token_sha256 == digest,
        screens.revoked_at.is_(None),
        or_(screens.expires_at.is_(None), screens.expires_at > now),
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    sight = None if row.view_id is None else await _sight(connection, row.view_id)
    key_id = f"screen:{row.screen_id}"
    return Identity("screen", row.name, "screen", frozenset(), key_id, sight), row.expires_at


async def _sight(connection: AsyncConnection, view_id: str) -> Restrictions | None:
    """What a screen may see: what its view shows, or all that the views of its playlist show."""
    shown = select(playlists.c.shown_id).where(playlists.c.view_id == view_id)
    query = select(views.c.domains, views.c.area_id).where(
        or_(views.c.view_id.in_(shown), and_(views.c.view_id == view_id, views.c.kind == "wall"))
    )
    rows = (await connection.execute(query)).all()
    every_domain = any(not row.domains for row in rows)
    every_area = any(row.area_id is None for row in rows)
    domains = (
        frozenset[str]() if every_domain else frozenset(d for row in rows for d in row.domains)
    )
    areas = frozenset[str]() if every_area else frozenset(row.area_id for row in rows)
    return Restrictions(domains, areas) if domains or areas else None


def token_hash(token: str) -> bytes:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()


def _retrieve(task: "asyncio.Task[Identity | None]") -> None:
    """Nobody waits for a renewal: the next request that finds nothing fresh sees its error."""
    if not task.cancelled():
        task.exception()
