"""API keys of posting services."""

from uuid import uuid4

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.keys.key import POSTING_SCOPES
from shared.store.locks import Lock, hold
from shared.store.tables import api_keys
from shared.web.auth import new_token
from shared.web.authenticator import token_hash


async def ensure_first_key(engine: AsyncEngine, token: str | None = None) -> str | None:
    """Make the first key (`token`, or a new one), with every posting scope, where no key exists.

    Returns its token, which is kept nowhere else, or None if there is a key already.
    """
    async with engine.begin() as connection:
        await hold(connection, Lock.FIRST_KEY)
        if (await connection.execute(select(api_keys.c.key_id).limit(1))).first() is not None:
            return None
        token = token or new_token("yw_key")
        await connection.execute(
            insert(api_keys).values(
                key_id=uuid4().hex,
                name="first",
                prefix=token[:11],
                token_sha256=token_hash(token),
                scopes=list(POSTING_SCOPES),
            )
        )
        return token
