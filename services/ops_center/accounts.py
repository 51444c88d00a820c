"""People's accounts and sessions, and the tokens of screens, in the database."""

import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ops_center.login import SESSION_HOURS, Account
from shared.clock import Clock, system_clock
from shared.store.audit import SYSTEM, Action, By, record
from shared.store.locks import Lock, hold
from shared.store.tables import accounts, ops_audit, screen_tokens, sessions
from shared.web.auth import SHOWN_OF_SCREENS, new_token
from shared.web.authenticator import token_hash

FIRST_USERNAME = "admin"
SHOWN = ("session_id", "created_at", "expires_at", "address", "agent", "via")


class Accounts:
    """`ops.accounts` and `ops.sessions`, as those who log in need them."""

    def __init__(self, engine: AsyncEngine, clock: Clock = system_clock) -> None:
        self._engine = engine
        self._clock = clock

    async def find(self, username: str) -> Account | None:
        """The account of a name that may log in: not disabled, its one-time password not over."""
        known = accounts.c
        query = select(known.username, known.password_hash, known.role, known.must_change).where(
            known.username == username,
            known.disabled_at.is_(None),
            known.password_until.is_(None) | (known.password_until > self._clock()),
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
            return None if row is None else Account(*row)

    async def open_session(
        self, username: str, now: datetime, by: By, agent: str = "", via: str = "password"
    ) -> str:
        """A new session's token; sessions that have expired are swept away."""
        token = new_token("yw_session")
        async with self._engine.begin() as connection:
            await connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
            opened = insert(sessions).values(
                token_sha256=token_hash(token),
                username=username,
                created_at=now,
                expires_at=now + timedelta(hours=SESSION_HOURS),
                address=by.address,
                agent=agent[:400],
                via=via,
            )
            made = await connection.execute(opened.returning(sessions.c.session_id))
            after = {"session_id": made.scalar_one(), "via": via}
            action = Action("session.opened", username, now, None, after)
            await record(connection, ops_audit, by, action)
        return token

    async def note_refused(self, username: str, now: datetime, by: By) -> None:
        """Record a wrong password, if there is such an account: an unknown name may well be a
        password that was typed into the wrong field."""
        async with self._engine.begin() as connection:
            known = select(accounts.c.username).where(accounts.c.username == username)
            if (await connection.execute(known)).first() is not None:
                await record(connection, ops_audit, by, Action("session.refused", username, now))

    async def close_session(self, token: str, by: By) -> None:
        """The token is worth nothing any more."""
        mine = sessions.c.token_sha256 == token_hash(token)
        await self._end(mine, by)

    async def close_one(self, username: str, session_id: UUID, by: By) -> bool:
        """End one session of somebody; False: there is none."""
        mine = (sessions.c.username == username) & (sessions.c.session_id == session_id)
        return await self._end(mine, by) > 0

    async def close_others(self, username: str, by: By, kept: str | None = None) -> int:
        """End every session of somebody but the one of the token `kept`; how many."""
        mine = sessions.c.username == username
        if kept is not None:
            mine &= sessions.c.token_sha256 != token_hash(kept)
        return await self._end(mine, by)

    async def sessions_of(self, username: str, now: datetime, token: str) -> list[dict[str, Any]]:
        """The sessions of somebody, newest first; `current`: the one of the token."""
        shown = [sessions.c[name] for name in SHOWN]
        query = select(*shown, (sessions.c.token_sha256 == token_hash(token)).label("current"))
        query = query.where(sessions.c.username == username, sessions.c.expires_at > now)
        async with self._engine.connect() as connection:
            found = await connection.execute(query.order_by(sessions.c.created_at.desc()))
            return [dict(row._mapping) for row in found]

    async def _end(self, which: ColumnElement[bool], by: By) -> int:
        now = self._clock()
        ending = delete(sessions).where(which)
        async with self._engine.begin() as connection:
            gone = await connection.execute(
                ending.returning(sessions.c.username, sessions.c.session_id)
            )
            ended = [
                Action("session.ended", name, now, {"session_id": session_id}, None)
                for name, session_id in gone
            ]
            await record(connection, ops_audit, by, *ended)
        return len(ended)


async def ensure_first_login(
    engine: AsyncEngine, password: str | None = None
) -> tuple[str, str] | None:
    """Make an administrator (with `password`, or a new one) where there is no account:
    (username, password), which is kept nowhere else, or None if there is one already."""
    async with engine.begin() as connection:
        await hold(connection, Lock.FIRST_LOGIN)
        if (await connection.execute(select(accounts.c.username).limit(1))).first() is not None:
            return None
        password = password or secrets.token_urlsafe(12)
        await connection.execute(
            insert(accounts).values(
                username=FIRST_USERNAME, password_hash=PasswordHasher().hash(password), role="admin"
            )
        )
        made = {"grants": [{"role": "admin", "area_id": None, "domain": None}]}
        action = Action("user.made", FIRST_USERNAME, system_clock(), None, made)
        await record(connection, ops_audit, SYSTEM, action)
        return FIRST_USERNAME, password


async def ensure_screen_token(engine: AsyncEngine, token: str | None = None) -> str | None:
    """Make a token for walls (`token`, or a new one) where there is none; returns it, or None if
    there is one already."""
    async with engine.begin() as connection:
        await hold(connection, Lock.FIRST_LOGIN)
        query = select(screen_tokens.c.name).limit(1)
        if (await connection.execute(query)).first() is not None:
            return None
        token = token or new_token("yw_screen")
        await connection.execute(
            insert(screen_tokens).values(
                token_sha256=token_hash(token), name="first", prefix=token[:SHOWN_OF_SCREENS]
            )
        )
        return token
