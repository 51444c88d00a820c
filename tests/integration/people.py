"""Everybody who may ask: a token for each role, for a screen, and for keys."""

import hashlib
from datetime import UTC, datetime

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.store.tables import accounts, api_keys, screen_tokens, sessions

ROLES = ("viewer", "operator", "dispatcher", "admin")
LATER = datetime(2099, 1, 1, tzinfo=UTC)


async def actors(engine: AsyncEngine) -> dict[str, str]:
    """Who → token: the roles, `screen`, `key` (may post), `mender` (may mend), `nobody`."""
    if await _known(engine):
        return _tokens()
    async with engine.begin() as connection:
        for role in ROLES:
            person = {"username": role, "password_hash": "", "role": role}
            await connection.execute(insert(accounts).values(person))
            session = {"token_sha256": _hash(f"t-{role}"), "username": role, "expires_at": LATER}
            await connection.execute(insert(sessions).values(session))
        screen = {"token_sha256": _hash("t-screen"), "name": "wall"}
        await connection.execute(insert(screen_tokens).values(screen))
        for name, scope in (("key", "post"), ("mender", "mend")):
            key = {"key_id": f"id-{name}", "name": name, "prefix": name, "scopes": [scope]}
            await connection.execute(
                insert(api_keys).values(token_sha256=_hash(f"t-{name}"), **key)
            )
    return _tokens()


def _tokens() -> dict[str, str]:
    return {who: f"t-{who}" for who in (*ROLES, "screen", "key", "mender", "nobody")}


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def _known(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        found = await connection.execute(accounts.select().where(accounts.c.username == "admin"))
        return found.first() is not None
