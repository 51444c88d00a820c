"""Detects what the database can do: nothing is assumed, nothing is configured."""

from enum import StrEnum

from sqlalchemy import Connection, text


class Edition(StrEnum):
    """`plain` PostgreSQL, `apache` TimescaleDB, or `community` TimescaleDB (licence timescale)."""

    PLAIN = "plain"
    APACHE = "apache"
    COMMUNITY = "community"


def detect(connection: Connection) -> Edition:
    """The edition of this server: what is installed, or could be by CREATE EXTENSION."""
    available = "SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'"
    preloaded = "SELECT current_setting('shared_preload_libraries') LIKE '%timescaledb%'"
    if connection.scalar(text(available)) is None or not connection.scalar(text(preloaded)):
        return Edition.PLAIN
    licence = connection.scalar(text("SELECT current_setting('timescaledb.license', true)"))
    return Edition.COMMUNITY if licence == "timescale" else Edition.APACHE
