"""People's accounts and sessions, and the tokens of screens, in the database."""

import secrets
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from sqlalchemy import delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ops_center.login import SESSION_HOURS, Account
from shared.store.tables import accounts, screen_tokens, sessions
from shared.web.auth import SHOWN_OF_SCREENS, new_token
from shared.web.authenticator import token_hash

FIRST_USERNAME = "admin"
_LOCK = 441_202  # two starting processes make one login


class Accounts:
    """`ops.accounts` and `ops.sessions`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, username: str) -> Account | None:
        """The account of a name."""
        query = select(accounts.c.username, accounts.c.password_hash, accounts.c.role).where(
            accounts.c.username == username
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
            return None if row is None else Account(*row)

    async def open_session(self, username: str, now: datetime) -> str:
        """A new session's token; sessions that have expired are swept away."""
        token = new_token("yw_session")
        async with self._engine.begin() as connection:
            await connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
            await connection.execute(
                insert(sessions).values(
                    token_sha256=token_hash(token),
                    username=username,
                    created_at=now,
                    expires_at=now + timedelta(hours=SESSION_HOURS),
                )
            )
        return token

    async def close_session(self, token: str) -> None:
        """The token is worth nothing any more."""
        async with self._engine.begin() as connection:
            await connection.execute(
                delete(sessions).where(sessions.c.token_sha256 == token_hash(token))
            )


async def ensure_first_login(
    engine: AsyncEngine, password: str | None = None
) -> tuple[str, str] | None:
    """Make an administrator (with `password`, or a new one) where there is no account:
    (username, password), which is kept nowhere else, or None if there is one already."""
    async with engine.begin() as connection:
        await _lock(connection)
        if (await connection.execute(select(accounts.c.username).limit(1))).first() is not None:
            return None
        password = password or secrets.token_urlsafe(12)
        await connection.execute(
            insert(accounts).values(
                username=FIRST_USERNAME, password_hash=PasswordHasher().hash(password), role="admin"
            )
        )
        return FIRST_USERNAME, password


async def ensure_screen_token(engine: AsyncEngine, token: str | None = None) -> str | None:
    """Make a token for walls (`token`, or a new one) where there is none; returns it, or None if
    there is one already."""
    async with engine.begin() as connection:
        await _lock(connection)
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


async def _lock(connection: AsyncConnection) -> None:
    await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
