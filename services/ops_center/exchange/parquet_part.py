"""Readings as Apache Parquet: the same bytes for the same readings.

Imports pyarrow, which is large: import this module only where it is needed.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy
import pyarrow
import pyarrow.parquet

from services.ops_center.exchange.columns import Stretch
from services.ops_center.exchange.shape import Shape
from services.ops_center.history.table import QUALITIES

GROUP_ROWS = 131_072  # of a row group, and of what is in memory at once

_TEXT = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())  # plain text to other readers
_KINDS = {
    "text": _TEXT,
    "number": pyarrow.float64(),
    "instant": pyarrow.timestamp("us", tz="UTC"),
}
_REPEATED = ["sensor_id", "metric", "unit", "quality", "lon", "lat"]
_QUALITIES = pyarrow.array(QUALITIES)


def write(file: Path, stretches: Iterable[Stretch], shape: Shape) -> int:
    """Write the whole part; how many rows it has. Blocks."""
    rows = 0
    with pyarrow.parquet.ParquetWriter(
        file, _schema(shape), compression="zstd", compression_level=1,
        use_dictionary=[name for name in _REPEATED if name in shape.names],
        column_encoding={name: encoding for name, encoding in
                         (("observed_at", "DELTA_BINARY_PACKED"), ("value", "PLAIN"))
                         if name in shape.names},
    ) as writer:  # fmt: skip
        for group in groups(stretches, GROUP_ROWS):
            table = table_of(group, shape)
            writer.write_table(table, row_group_size=table.num_rows)
            rows += table.num_rows
    return rows


def groups(stretches: Iterable[Stretch], most: int) -> Iterator[list[Stretch]]:
    """Stretches of together about `most` readings."""
    waiting: list[Stretch] = []
    rows = 0
    for stretch in stretches:
        waiting.append(stretch)
        rows += len(stretch.at)
        if rows >= most:
            yield waiting
            waiting, rows = [], 0
    if waiting:
        yield waiting


def table_of(group: Sequence[Stretch], shape: Shape) -> pyarrow.Table:
    """Some stretches, one after the other."""
    counts = [len(one.at) for one in group]
    place = pyarrow.array(numpy.repeat(numpy.arange(len(group), dtype=numpy.int32), counts))
    return pyarrow.table(
        [_column(name, group, shape, place) for name in shape.names], schema=_schema(shape)
    )


def _column(
    name: str, group: Sequence[Stretch], shape: Shape, place: pyarrow.Array
) -> pyarrow.Array:
    match name:
        case "observed_at":
            at = numpy.concatenate([one.at for one in group])
            step = shape.step_us
            return pyarrow.array(at if step is None else at // step * step).cast(_KINDS["instant"])
        case "value":
            return pyarrow.array(numpy.concatenate([one.value for one in group]))
        case "quality":
            number = numpy.concatenate([one.quality for one in group]).astype(numpy.int32)
            return pyarrow.DictionaryArray.from_arrays(pyarrow.array(number), _QUALITIES)
    told: list[Any] = [one.series.told[name] for one in group]
    if shape.kind(name) == "number":
        return pyarrow.array(told, pyarrow.float64()).take(place)
    return pyarrow.array(told, pyarrow.string()).dictionary_encode().take(place)


def _schema(shape: Shape) -> pyarrow.Schema:
    return pyarrow.schema([pyarrow.field(c.name, _KINDS[c.kind],
                                         metadata={"unit": c.unit} if c.unit else None)
                           for c in shape.columns])  # fmt: skip
