"""Repeats are looked up by their key, also in chunks that nobody has analysed yet."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.storage.delivery import Delivery, deliver
from services.ingest.storage.prepared import prepare
from services.ingest.storage.store import ReadingStore
from shared.contracts.reading import Batch, Reading, encode_batch
from shared.contracts.topics import READINGS
from shared.eventlog.log import Record
from shared.store.engine import connect
from tests.integration.storage import rows

HOUR = 3_600_000_000
START = 1_400_000_000_000_000
HOURS = 2_000  # some twelve chunks of a week
READ_ONE_BY_ONE = """
SELECT coalesce(sum(seq_tup_read), 0)::bigint FROM pg_stat_user_tables
WHERE relname = 'readings' OR relname LIKE '\\_hyper\\_%%chunk'
"""


def record(offset: int, value: float) -> Delivery:
    items = [Reading("s", "m", START + n * HOUR, value, "good", False, n) for n in range(HOURS)]
    log_value = encode_batch(Batch(items, START, "test"))
    return deliver(Record(READINGS, 0, offset, "", log_value, (), START))


async def test_no_row_is_read_but_by_its_key(engine: AsyncEngine, database_url: str) -> None:
    for offset, value in enumerate((1.0, 2.0)):  # the second time all of them conflict
        async with ReadingStore(database_url, "life").session() as session:
            outcome = await session.write(prepare([record(offset, value)], session.marks))
    assert len(outcome.conflicts) == HOURS
    connection: Any = await connect(database_url, autocommit=True)
    async with connection:
        assert await rows(connection, READ_ONE_BY_ONE) == [(0,)]
