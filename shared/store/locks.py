"""PostgreSQL's advisory locks that processes of any service hold, every number once: nobody waits
for somebody who does something else. Taken before rows are locked, and the audit log's last."""

from enum import IntEnum, unique
from typing import Any

import psycopg
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection


@unique
class Lock(IntEnum):
    """What only one does at a time. Numbers stay: processes of the last version know them too."""

    SCHEMA = 441_200  # starting processes migrate one after the other
    FIRST_KEY = 441_201  # starting processes make one first key
    RELAY = 441_202  # replicas that relay incidents must not overtake each other
    QUARANTINE_BOUND = 441_203
    QUARANTINE_NEWS = 441_204
    ROLLUPS = 441_205  # of several writers' processes one refreshes
    RETENTION = 441_206
    KEY_NAMES = 441_207  # two administrators do not give one name twice
    FIRST_LOGIN = 441_208  # starting processes make one login, and one screen
    SCREENS = 441_209  # names stay unique and playlists flat, whoever writes at the same time
    REGISTRY = 441_210  # seeds, and imports of areas
    ADMINISTRATORS = 441_216  # two administrators do not take the last one's role at once
    RULES = 441_200_010
    WARNINGS = 0xCAB  # public ones
    NEIGHBOURS = 0xCAC  # what they are told
    INCIDENTS = 0x1C1DE  # changes of several at once
    ON_CALL = 0x0CCA11


async def hold(connection: AsyncConnection, lock: Lock) -> None:
    """Wait until nobody else holds it; from then on it is ours until the transaction ends."""
    await connection.execute(select(func.pg_advisory_xact_lock(int(lock))))


async def try_hold(connection: AsyncConnection, lock: Lock) -> bool:
    """`hold` without waiting; False: somebody else holds it."""
    found = await connection.execute(select(func.pg_try_advisory_xact_lock(int(lock))))
    return bool(found.scalar_one())


async def take_seat(connection: psycopg.AsyncConnection[Any], lock: int) -> bool:
    """`try_hold` for a raw connection, as long as that lives. `lock`: a `Lock`, or a number of the
    caller's own that is made of a name."""
    cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (int(lock),))
    row = await cursor.fetchone()
    return row is not None and bool(row[0])
