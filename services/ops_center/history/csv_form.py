"""CSV (RFC 4180) of a table, page by page: UTF-8, one header line with units, CRLF."""

import csv
import io
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC
from typing import Any

from services.ops_center.history.table import Column, Row, Table

# A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


async def csv_form(table: Table) -> AsyncGenerator[bytes, None]:
    """A text that a spreadsheet would run as a formula gets an apostrophe before it."""
    columns = table.flat_columns
    yield _lines([[_safe(column.header) for column in columns]])
    constants = [_safe(value) for value in table.constants.values()]
    async for rows in table.pages:
        yield _lines([[*constants, *_cells(row, table.columns)] for row in rows])


def _cells(row: Row, columns: Sequence[Column]) -> list[Any]:
    return [_cell(value, column) for value, column in zip(row, columns, strict=True)]


def _cell(value: Any, column: Column) -> Any:
    if value is None:
        return ""
    match column.kind:
        case "text":
            return _safe(value)
        case "moment" | "instant":
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case _:
            return value


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _lines(rows: Sequence[Sequence[Any]]) -> bytes:
    sink = io.StringIO(newline="")
    csv.writer(sink).writerows(rows)
    return sink.getvalue().encode()
