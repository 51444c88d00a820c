"""Files in the layout of the Numenta Anomaly Benchmark: series, labels, other detectors' scores.

`data/<category>/<file>.csv` (timestamp, value), and where they are known `windows.json`,
`peer_scores/<category>/<file>.csv.gz`, `expected_per_file.csv`. Rows keep the file's order: some
timestamps are double, one steps back.
"""

import csv
import gzip
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.nab.scoring import Marked, Window

VARIABLE = "YIWANG_NAB"
USUAL = Path(__file__).parents[4] / "shared" / "data" / "nab"


@dataclass(frozen=True, slots=True)
class Series:
    """One file. `times`, `texts`: both columns as written. `name`: category and file, as in
    `windows.json`."""

    name: str
    times: Sequence[str]
    texts: Sequence[str]

    @property
    def values(self) -> list[float]:
        """The numbers; NaN where none can be read."""
        return [_number(text) for text in self.texts]

    def seconds(self) -> list[float]:
        """The timestamps as seconds; NAB's have no zone: read as UTC."""
        return [moment(text).timestamp() for text in self.times]


def folder() -> Path | None:
    """Where the benchmark's files are: `YIWANG_NAB`, or beside the repository; None: nowhere."""
    found = Path(os.environ.get(VARIABLE, USUAL))
    return found if (found / "data").is_dir() else None


def moment(text: str) -> datetime:
    """A timestamp of the data or of the labels. ValueError when it is none."""
    return datetime.fromisoformat(text.strip()).replace(tzinfo=UTC)


def series(root: Path) -> Iterator[Series]:
    """Every file below `root/data`, by name."""
    for path in sorted((root / "data").rglob("*.csv")):
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        name = path.relative_to(root / "data").as_posix()
        yield Series(name, [row["timestamp"] for row in rows], [row["value"] for row in rows])


def windows(root: Path) -> dict[str, list[tuple[str, str]]] | None:
    """The labels, as written; None where there are none."""
    path = root / "windows.json"
    if not path.exists():
        return None
    return {
        name: [(start, end) for start, end in found]
        for name, found in json.loads(path.read_text()).items()
    }


def marked(
    one: Series, scores: Sequence[float], labels: Mapping[str, Sequence[tuple[str, str]]]
) -> Marked:
    """Scores beside the labels: a window is from its limits' first rows. ValueError where a limit
    is no row of the file."""
    rows: dict[datetime, int] = {}
    for row, text in enumerate(one.times):
        rows.setdefault(moment(text), row)
    found = []
    for start, end in labels.get(one.name, ()):
        missing = [text for text in (start, end) if moment(text) not in rows]
        if missing:
            raise ValueError(f"{one.name}: no row at {', '.join(missing)}")
        found.append(Window(rows[moment(start)], rows[moment(end)]))
    return Marked(scores, found)


def peer_scores(root: Path, name: str) -> dict[str, list[float]]:
    """Other detectors' raw scores of one file."""
    with gzip.open(root / "peer_scores" / f"{name}.gz", "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        detector: [float(row[detector]) for row in rows]
        for detector in rows[0]
        if detector != "timestamp"
    }


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
