"""`python -m tests.bench.unobserved`: `python -m services` that counts and measures nothing.

What metrics cost can only be told against a product without them, which there is not; so the
library's ways to count are made to do nothing before it starts.
"""

import runpy

from prometheus_client import Counter, Gauge, Histogram


def silence() -> None:
    """From now on no metric of this process counts anything."""

    def nothing(*_: object, **__: object) -> None:
        pass

    for kind, ways in (
        (Counter, ["inc"]),
        (Gauge, ["set", "inc", "dec"]),
        (Histogram, ["observe"]),
    ):
        for way in ways:
            setattr(kind, way, nothing)
        kind.labels = lambda self, *_, **__: self  # type: ignore[method-assign]


if __name__ == "__main__":
    silence()
    runpy.run_module("services", run_name="__main__", alter_sys=True)
