"""A connection to the database; when it is lost, `Unavailable` says: repeat."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import Unavailable


@asynccontextmanager
async def reachable(
    opening: AbstractAsyncContextManager[AsyncConnection],
) -> AsyncIterator[AsyncConnection]:
    """What `engine.begin()` or `engine.connect()` gives. Raises `Unavailable`."""
    try:
        async with opening as connection:
            yield connection
    except (OperationalError, InterfaceError) as error:
        raise Unavailable(f"database: {error.orig}") from error
    except PoolTimeout as error:
        raise Unavailable(f"database: {error}") from error
