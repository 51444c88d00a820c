"""Who was told what, hour by hour: one table per service, in its own schema. Written by
`shared.store.accesses` only."""

from sqlalchemy import BigInteger, Column, DateTime, Index, SmallInteger, Table, Text

from shared.store.tables.columns import metadata


def _accesses(schema: str) -> Table:
    return Table(
        "accesses",
        metadata,
        Column("hour", DateTime(timezone=True), primary_key=True),
        Column("key_id", Text, primary_key=True),  # of the key, else person:… or screen:…
        Column("dataset", Text, primary_key=True),
        Column("level", SmallInteger, primary_key=True),
        Column("actor", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("requests", BigInteger, nullable=False),
        Column("rows", BigInteger, nullable=False),
        Index("accesses_by_key", "key_id", "hour"),
        schema=schema,
    )


ACCESSES = {schema: _accesses(schema) for schema in ("ingest", "alerts", "ops")}
