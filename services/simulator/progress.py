"""How far a replay has come: what was counted, and the row that a resumed one may start from."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.simulator.records import Answer, Reading, receipt_line
from shared.errors import Misconfigured


@dataclass
class Outcome:
    """What the receiver made of the batches. `rejected`: by code."""

    batches: int = 0
    sent: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    def count(self, answer: Answer) -> None:
        """Count an answered batch."""
        self.batches += 1
        self.sent += answer.accepted + len(answer.rejected)
        self.accepted += answer.accepted
        self.rejected.update(item.code for item in answer.rejected)


class Watermark:
    """The number of rows of which everything is acknowledged.

    Lanes acknowledge out of order; the rows of the oldest batch still open hold it back.
    """

    def __init__(self, rows: int = 0) -> None:
        self._open: Counter[int] = Counter()
        self._read = rows

    def read(self, rows: int) -> None:
        """So many rows have been read."""
        self._read = rows

    def begin(self, row: int) -> None:
        """A batch was begun with a reading of this row (the first is 1)."""
        self._open[row] += 1

    def end(self, row: int) -> None:
        """A batch begun with this row is acknowledged."""
        self._open[row] -= 1
        if not self._open[row]:
            del self._open[row]

    @property
    def rows(self) -> int:
        """Rows that need not be read again."""
        return min(self._open) - 1 if self._open else self._read


class ResumeFile:
    """Remembers the watermark of a replay of `data` across runs. `path` None: does not."""

    def __init__(self, path: Path | None, data: Path) -> None:
        self._path = path
        self._data = data.name
        self._kept = -1

    def load(self) -> int:
        """Rows to skip. Raises `Misconfigured` if the file is of another replay."""
        if self._path is None or not self._path.exists():
            return 0
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
            rows, data = int(known["rows"]), known["file"]
        except (ValueError, KeyError, TypeError) as error:
            raise Misconfigured(f"{self._path} is no resume file: {error!r}") from error
        if data != self._data:
            raise Misconfigured(f"{self._path} belongs to a replay of {data}, not {self._data}")
        return rows

    def keep(self, rows: int) -> None:
        """Write the watermark down."""
        if self._path is None or rows == self._kept:
            return
        partial = self._path.with_name(self._path.name + ".partial")
        partial.write_text(json.dumps({"file": self._data, "rows": rows}), encoding="utf-8")
        partial.replace(self._path)
        self._kept = rows


class Receipts:
    """Appends every acknowledged batch to a file, one JSON line each. `path` None: does not."""

    def __init__(self, path: Path | None) -> None:
        self._file = None if path is None else path.open("ab")

    def note(self, batch: Sequence[Reading], answer: Answer) -> None:
        """Write down, after the acknowledgement, what was accepted."""
        if self._file is not None and answer.receipt is not None:
            self._file.write(receipt_line(batch, answer))
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
