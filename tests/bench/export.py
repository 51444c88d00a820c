"""`export`: 50 M stored readings into Parquet, part by part, by an exporter of its own process.

Value: rows/s per CPU second of the exporter (its one core); `rows_per_second`: by the wall clock;
`peak_mib`: its resident memory at the most. The ratio is to `psql`'s `\\copy (select …) to` a text
file of the same rows (psycopg, the same statement of COPY, one connection), by the wall clock,
on the same database in the same run.
"""

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from deploy.migrations.upgrade import upgrade
from services.ops_center.exchange.maker import Maker, Order
from services.ops_center.exchange.repository import Export
from services.ops_center.exchange.slices import cut, width_seconds
from services.ops_center.exchange.spool import Spool
from services.ops_center.history.question import Selection
from services.ops_center.history.span import Span
from shared.clock import monotonic, system_clock
from shared.disclosure.clearance import Clearance
from shared.disclosure.files import declaration
from shared.disclosure.level import Level
from shared.store.engine import libpq_url, make_engine
from tests.bench import archive, report, rows
from tests.bench.history import server
from tests.conftest import drop_database, scratch_database

BAR_ROWS, BAR_MIB = 500_000, 300
LIMIT_IS = "text COPY of the same rows into a file (what psql's \\copy does), by the wall clock"
_TEXT = """
COPY (SELECT sensor_id, metric, observed_at, value, quality FROM ingest.readings
      WHERE observed_at >= %(start)s AND observed_at < %(end)s) TO STDOUT
"""
INTERVAL_SECONDS = 60  # of `archive.fill`


def run(quick: bool) -> str:
    """Fill, copy, export, and drop the database again."""
    machine = report.machine()
    with server() as where:
        name, url = scratch_database(where)
        try:
            upgrade(url)
            filled = archive.fill(url, 2_000_000 if quick else 50_000_000)
            limit = _copied(url, filled.start, filled.end)
            ours = _exported(url, filled)
            kind = rows.kind(url)
        finally:
            drop_database(where, name)
    assert ours["rows"] == limit["rows"] == filled.rows
    rate = ours["rows"] / ours["seconds"]
    per_cpu = ours["rows"] / ours["cpu_seconds"]
    line = {"bench": "export", "value": round(per_cpu), "unit": "rows per CPU second"}
    line |= {"limit": round(limit["rows"] / limit["seconds"]), "limit_is": LIMIT_IS}
    line |= {"ratio": round(rate * limit["seconds"] / limit["rows"], 3)}
    line |= {"rows_per_second": round(rate), "bar": BAR_ROWS, "bar_mib": BAR_MIB}
    line |= {"bytes_per_row": round(ours["bytes"] / ours["rows"], 2), **ours, "table": kind}
    return json.dumps(line | machine, ensure_ascii=False)


def _copied(url: str, start: datetime, end: datetime) -> dict[str, Any]:
    begun = monotonic()
    with (
        psycopg.connect(libpq_url(url)) as connection,
        tempfile.TemporaryFile() as sink,
        connection.cursor() as cursor,
    ):
        with cursor.copy(_TEXT, {"start": start, "end": end}) as copy:
            for block in copy:
                sink.write(block)
        return {"rows": cursor.rowcount, "seconds": monotonic() - begun}


def _exported(url: str, filled: archive.Filled) -> dict[str, Any]:
    """In a process of its own, so that its CPU time and its memory are the exporter's alone."""
    width = width_seconds(filled.series / INTERVAL_SECONDS)
    asked = [url, filled.start.isoformat(), filled.end.isoformat(), str(width)]
    command = [sys.executable, "-m", "tests.bench.export", *asked]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


async def _export(url: str, span: Span, width: int) -> dict[str, Any]:
    engine, made = make_engine(url, 2), []
    maker = Maker(engine, declaration())
    now, everything = system_clock(), Selection()
    export = Export(
        uuid4(), "bench", "bench", "readings", "parquet", everything, span.start, span.end, None,
        now, now,
    )  # fmt: skip
    begun, before = monotonic(), _cpu_seconds()
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as folder:
        spool = Spool(Path(folder), most_bytes=64 * 1024**2)
        for number, piece in enumerate(cut(span, width)):
            order = Order(export, piece.start, piece.end, Clearance(Level.CORE))
            draft = spool.draft()
            one = await maker.make(order, draft)
            spool.keep(draft, str(number), one.sha256, one.rows)
            made.append(one)
    seconds, spent = monotonic() - begun, _cpu_seconds() - before
    await engine.dispose()
    return {
        "rows": sum(one.rows for one in made),
        "bytes": sum(one.size for one in made),
        "parts": len(made),
        "seconds": round(seconds, 2),
        "cpu_seconds": round(spent, 2),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """The exporter: URL, start, end, width of the parts in seconds."""
    url, start, end, width = sys.argv[1:]
    span = Span(datetime.fromisoformat(start), datetime.fromisoformat(end))
    print(json.dumps(asyncio.run(_export(url, span, int(width)))))


if __name__ == "__main__":
    main()
