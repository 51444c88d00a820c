"""What a run writes down as it goes: JSON lines, each on the disk before anybody relies on it."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


class Journal:
    """One file; several threads may write."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._sink = file.open("a", encoding="utf-8", buffering=1)

    def write(self, entry: Mapping[str, Any]) -> None:
        """One line, with the time."""
        line = json.dumps({"at": round(time.time(), 3), **entry}, ensure_ascii=False)
        with self._lock:
            if not self._sink.closed:
                self._sink.write(f"{line}\n")

    def close(self) -> None:
        """Nothing more is written."""
        with self._lock:
            self._sink.close()


def read(file: Path) -> Iterator[dict[str, Any]]:
    """The lines of a journal; none where there is none."""
    if not file.exists():
        return
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
