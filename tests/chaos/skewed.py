"""`python -m tests.chaos.skewed FILE MODULE …`: a service whose wall clock can be moved as it runs.

FILE holds one double: seconds that the clock is ahead. `shared.clock` is the only module that reads
the wall clock, so moving it there moves it for the whole process; its monotonic clock goes on.
SIGUSR1 makes it print what each of its tasks waits for: the first question about one that hangs.
"""

import asyncio
import mmap
import runpy
import signal
import struct
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from shared import clock

AHEAD = struct.Struct("d")


def move(file: Path, seconds: float) -> None:
    """Set the clock of the process that watches `file`."""
    with file.open("r+b" if file.exists() else "w+b") as opened:
        opened.write(AHEAD.pack(seconds))


def moved(ahead: Callable[[], float]) -> Any:
    """A stand-in for `datetime.datetime` whose `now` is so many seconds ahead."""

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + timedelta(seconds=ahead())

        @classmethod
        def fromtimestamp(cls, timestamp: float, tz: tzinfo | None = None) -> Any:
            return datetime.fromtimestamp(timestamp, tz)

    return Moved


def waits(task: "asyncio.Task[Any]") -> str:
    """A task's name, and every place on the way down to what it awaits."""
    places: list[str] = []
    inner: Any = task.get_coro()
    while inner is not None:
        frames = (getattr(inner, f"{kind}_frame", None) for kind in ("cr", "gi", "ag"))
        frame = next((one for one in frames if one is not None), None)
        places.append(f"{frame.f_code.co_qualname}:{frame.f_lineno}" if frame else repr(inner))
        inner = getattr(inner, "cr_await", None) or getattr(inner, "gi_yieldfrom", None)
    return f"{task.get_name()}: {' → '.join(places)}"


def tell(*_: object) -> None:
    """Print it for all tasks."""
    for task in asyncio.all_tasks():
        print(f"WAITS {waits(task)}", file=sys.stderr, flush=True)


def main() -> None:
    """Entry point."""
    file, module, *arguments = sys.argv[1:]
    with Path(file).open("rb") as opened:
        seen = mmap.mmap(opened.fileno(), AHEAD.size, access=mmap.ACCESS_READ)
    clock.datetime = moved(lambda: float(AHEAD.unpack_from(seen)[0]))  # type: ignore[attr-defined]
    signal.signal(signal.SIGUSR1, tell)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
