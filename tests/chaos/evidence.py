"""What a run has left behind, as files: journals, and the database's tables read by SQL of our own.

Shares no code with the services. What the checker says can be repeated from the folder alone.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.chaos.journal import read

Row = dict[str, Any]

QUERIES = {
    "readings": """
        SELECT sensor_id AS sensor, metric, value,
               (extract(epoch FROM observed_at) * 1000000)::bigint AS us
        FROM ingest.readings ORDER BY 1, 2, 4""",
    "quarantine": "SELECT code, item FROM ingest.quarantine ORDER BY id",
    "incidents": """
        SELECT id::text, version, state, alert_state, subjects, historical, kind
        FROM alerts.incidents ORDER BY 1""",
    "timeline": """
        SELECT event_id::text AS event, incident_id::text AS incident, version, type
        FROM alerts.timeline ORDER BY 2, 3""",
    "alerts": """
        SELECT rule_id AS rule, subject, state,
               (extract(epoch FROM started_at) * 1000000)::bigint AS us
        FROM alerts.alerts ORDER BY 2, 4""",
    "deliveries": """
        SELECT delivery_id::text AS id, event_id::text AS event, incident_id::text AS incident,
               type, state, jsonb_array_length(attempts) AS attempts
        FROM alerts.deliveries WHERE purpose = 'integration' ORDER BY created_at, 1""",
    "outbox": "SELECT id FROM alerts.outbox",
}
JOURNALS = ("posts", "hooks", "screens", "receipts", "faults", "memory", "clients")


@dataclass
class Evidence:
    """All of it. `tables`: by the names of `QUERIES`, `journals`: of `JOURNALS`."""

    tables: dict[str, list[Row]] = field(default_factory=dict)
    journals: dict[str, list[Row]] = field(default_factory=dict)

    def table(self, name: str) -> list[Row]:
        """Rows, none where it is missing."""
        return self.tables.get(name, [])

    def journal(self, name: str) -> list[Row]:
        """Lines, none where it is missing."""
        return self.journals.get(name, [])


def collect(database_url: str, folder: Path) -> None:
    """The tables as JSON lines below `folder`."""
    with psycopg.connect(database_url) as connection:
        # One moment for all: what still moves must not look like a difference.
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for name, query in QUERIES.items():
            cursor = connection.execute(query.encode())
            columns = [column.name for column in cursor.description or ()]
            _save(
                folder / f"table-{name}.jsonl", (dict(zip(columns, r, strict=True)) for r in cursor)
            )


def load(folder: Path) -> Evidence:
    """What lies in a folder."""
    return Evidence(
        {name: list(read(folder / f"table-{name}.jsonl")) for name in QUERIES},
        {name: list(read(folder / f"{name}.jsonl")) for name in JOURNALS},
    )


def _save(file: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with file.open("w", encoding="utf-8") as sink:
        for row in rows:
            sink.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
