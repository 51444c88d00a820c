"""The audit logs: one per service, in its own schema. Written by `shared.store.audit` only."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from shared.store.tables.columns import metadata, moment


def _chain(schema: str) -> Table:
    return Table(
        "audit",
        metadata,
        Column("seq", BigInteger, primary_key=True, autoincrement=False),  # 1, 2, 3 … without gaps
        moment("at"),
        Column("actor", Text, nullable=False),
        Column("kind", Text, nullable=False),  # person | key | link | system
        Column("address", Text, nullable=False),
        Column("request_id", Text, nullable=False),
        Column("action", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("change", Text, nullable=False),  # JSON, as it was hashed
        Column("previous", LargeBinary, nullable=False),  # hash of the row before
        Column("hash", LargeBinary, nullable=False),
        Index("audit_by_at", "at", "seq"),
        Index("audit_by_subject", "subject", "seq"),
        Index("audit_by_actor", "actor", "seq"),
        schema=schema,
    )


ingest_audit = _chain("ingest")
alerts_audit = _chain("alerts")
ops_audit = _chain("ops")
CHAINS = {"ingest": ingest_audit, "alerts": alerts_audit, "ops": ops_audit}
