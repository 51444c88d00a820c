"""Connections to the database: a SQLAlchemy engine for queries, raw psycopg for COPY."""

from typing import Any

import psycopg
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.errors import Unavailable

# By default TimescaleDB lets a transaction open at most 100,000 rows of compressed chunks, at which
# a backfill would fail for ever. Without TimescaleDB nobody asks for the value.
_OPEN_COMPRESSED = "SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0"


def make_engine(database_url: str, pool_size: int = 8) -> AsyncEngine:
    """An asynchronous engine on psycopg; a dead pooled connection is noticed before use."""
    return create_async_engine(
        _dialect_url(database_url), pool_size=pool_size, max_overflow=4, pool_pre_ping=True
    )


async def connect(
    database_url: str, *, autocommit: bool = False
) -> psycopg.AsyncConnection[tuple[Any, ...]]:
    """A raw connection of the caller's own, which may change as many compressed rows as it must.
    Raises `Unavailable` when nobody answers."""
    try:
        connection = await psycopg.AsyncConnection.connect(
            libpq_url(database_url), autocommit=True, connect_timeout=5
        )
        await connection.execute(_OPEN_COMPRESSED)
        await connection.set_autocommit(autocommit)
        return connection
    except psycopg.OperationalError as error:
        raise Unavailable(f"database: {error}") from error


def libpq_url(database_url: str) -> str:
    """The address as libpq wants it: without SQLAlchemy's driver name."""
    return database_url.replace("postgresql+psycopg://", "postgresql://", 1)


def _dialect_url(database_url: str) -> str:
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    return url.render_as_string(hide_password=False)
