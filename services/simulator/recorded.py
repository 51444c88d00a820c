"""A recorded file on disk: rows as a stream, never the whole of it; locations beside it."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from services.simulator.mapping import BadMapping, Mapping
from services.simulator.records import Location
from shared.errors import Misconfigured


@contextmanager
def opened(path: Path, mapping: Mapping) -> Iterator[Iterator[list[str]]]:
    """The rows of a CSV file, plain or .gz. Raises `Misconfigured` if it cannot be read."""
    if not path.is_file():
        raise Misconfigured(
            f"{path} does not exist. This mapping is for: {mapping.source}. Put the file there."
        )
    with _text(path) as file:
        yield _rows(file, path, mapping.delimiter)


def header_of(rows: Iterator[list[str]], path: Path) -> list[str]:
    """The first row. Raises `Misconfigured` for an empty file."""
    header = next(rows, None)
    if not header:
        raise Misconfigured(f"{path} is empty")
    return header


def locations_beside(path: Path, mapping: Mapping) -> dict[str, Location]:
    """Places of sensors by id, from the file that the mapping names; none if it names none."""
    where = mapping.locations
    if where is None:
        return {}
    beside = path.parent / where.file
    prefix = mapping.sensor.prefix
    try:
        with _text(beside) as file:
            return {
                prefix + row[where.sensor]: Location(float(row[where.lon]), float(row[where.lat]))
                for row in csv.DictReader(file)
            }
    except OSError as error:
        raise Misconfigured(f"{beside}: {error.strerror} (locations.file)") from error
    except (KeyError, TypeError, ValueError) as error:
        raise BadMapping(
            f"{beside}: not the locations that the mapping describes: {error}"
        ) from error


def _text(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _rows(file: IO[str], path: Path, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(file, delimiter=delimiter)
    try:
        yield from reader
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise Misconfigured(f"{path}, near line {reader.line_num}: {error}") from error
