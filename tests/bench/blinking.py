"""`python -m tests.bench.blinking`: `python -m services` that can stop observing itself, and begin
again: SIGUSR1, SIGUSR2.

What metrics and traces cost can only be told against a product without them, which there is not;
and against another process one tells that process's luck (its memory, its caches) as well. So one
process is both: the library's ways to count are made to do nothing, and put back.
"""

import runpy
import signal
from collections.abc import Callable
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

from shared import tracing

WAYS: tuple[tuple[type, str], ...] = (
    (Counter, "inc"), (Gauge, "set"), (Gauge, "inc"), (Gauge, "dec"), (Histogram, "observe"),
    (Counter, "labels"), (Gauge, "labels"), (Histogram, "labels"),
)  # fmt: skip
OFF, ON = signal.SIGUSR1, signal.SIGUSR2


def main() -> None:
    """Entry point."""
    real = {(kind, way): getattr(kind, way) for kind, way in WAYS}
    traced: list[tracing.Tracing | None] = [None]

    def off(*_: object) -> None:
        if tracing.current() is not None:
            traced[0] = tracing.current()
        tracing.use(None)
        for kind, way in WAYS:
            setattr(kind, way, _itself if way == "labels" else _nothing)

    def on(*_: object) -> None:
        tracing.use(traced[0])
        for (kind, way), function in real.items():
            setattr(kind, way, function)

    signal.signal(OFF, off)
    signal.signal(ON, on)
    runpy.run_module("services", run_name="__main__", alter_sys=True)


def _itself(metric: Any, *_: object, **__: object) -> Any:
    return metric


_nothing: Callable[..., None] = lambda *_, **__: None  # noqa: E731


if __name__ == "__main__":
    main()
