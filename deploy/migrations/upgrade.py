"""Brings a database to the newest schema. `python -m deploy.migrations.upgrade URL`."""

import sys
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.engine import make_url

from shared.errors import Unavailable
from shared.store.locks import Lock


def upgrade(database_url: str, revision: str = "head") -> None:
    """Idempotent. Up to `revision`. Raises `Unavailable` when the database does not answer."""
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    engine = sqlalchemy.create_engine(url)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": int(Lock.SCHEMA)})
            connection.commit()
            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", str(Path(__file__).parent))
            config.set_main_option("path_separator", "os")
            command.upgrade(config, revision)
            connection.commit()
    except sqlalchemy.exc.OperationalError as error:
        raise Unavailable(f"database: {error.orig}") from error
    finally:
        engine.dispose()


if __name__ == "__main__":
    upgrade(sys.argv[1])
