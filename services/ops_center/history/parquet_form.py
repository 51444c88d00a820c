"""Apache Parquet of a table: row groups as the pages come, so that one of them is in memory.

Imports pyarrow, which is large: import this module only where it is needed.
"""

import asyncio
import io
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pyarrow
import pyarrow.parquet

from services.ops_center.history.table import Column, Kind, Row, Table

GROUP_ROWS = 65_536

_TYPES: dict[Kind, pyarrow.DataType] = {
    "text": pyarrow.string(),
    "number": pyarrow.float64(),
    "count": pyarrow.int64(),
    "moment": pyarrow.timestamp("us", tz="UTC"),
    "instant": pyarrow.timestamp("us", tz="UTC"),
}


class _Outbox(io.RawIOBase):
    """A file that is only ever written at its end; `take` gives what came since the last time."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, part: Any) -> int:
        """Append."""
        self._parts.append(bytes(part))
        self._size += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        """How much has been written."""
        return self._size

    def take(self) -> bytes:
        """What has been written since the last time."""
        taken = b"".join(self._parts)
        self._parts = []
        return taken


async def parquet_form(table: Table) -> AsyncGenerator[bytes, None]:
    """Snappy-compressed; units are metadata of the fields."""
    schema = pyarrow.schema([_field(column) for column in table.flat_columns])
    outbox, constants = _Outbox(), tuple(table.constants.values())
    waiting: list[Row] = []
    with pyarrow.parquet.ParquetWriter(outbox, schema) as writer:
        async for rows in table.pages:
            waiting.extend(rows)
            if len(waiting) >= GROUP_ROWS:
                await asyncio.to_thread(_write, writer, schema, constants, waiting)
                waiting = []
                yield outbox.take()
        await asyncio.to_thread(_write, writer, schema, constants, waiting)
    yield outbox.take()


def _field(column: Column) -> pyarrow.Field:
    metadata = {"unit": column.unit} if column.unit else None
    return pyarrow.field(column.name, _TYPES[column.kind], metadata=metadata)


def _write(
    writer: Any, schema: pyarrow.Schema, constants: Sequence[str], rows: Sequence[Row]
) -> None:
    if not rows:
        return
    columns: list[Sequence[Any]] = [[value] * len(rows) for value in constants]
    columns += zip(*rows, strict=True)
    arrays = [pyarrow.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
    writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
