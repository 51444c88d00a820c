"""TimescaleDB's community edition, which compresses: no package brings it, so a server is named."""

import psycopg
import pytest


def compresses(url: str) -> bool:
    """Whether the server has it."""
    with psycopg.connect(url) as connection:
        setting = "SELECT current_setting('timescaledb.license', true)"
        return connection.execute(setting).fetchone() == ("timescale",)


def needed(url: str) -> None:
    """Skip where it is not."""
    if not compresses(url):
        pytest.skip("NO COMMUNITY TIMESCALEDB: name a server that has it, YIWANG_TEST_DATABASE_URL")
