"""A short run of what `make chaos` does at length: a few faults, every check."""

from pathlib import Path

import pytest

from deploy.local import parts
from tests.chaos.checker import check
from tests.chaos.evidence import load
from tests.chaos.run import running
from tests.chaos.schedule import Fault, Kind

MISSING = {name: reason for name, reason in parts.available().items() if reason}
# How soon it recovers is for `make chaos` to say: how busy a machine is proves nothing.
UNTIMED = {"slow"}
# The process that is hit has the broker's or the database's attention at that moment.
FAULTS = [
    Fault(1, Kind.KILL, "writer-1", 0.5),
    Fault(2, Kind.STALL, "gateway-1", 3.0, "kafka"),
    Fault(3, Kind.RESTART, "database", 0.0),
    Fault(4, Kind.KILL, "kafka", 0.0),
    Fault(5, Kind.ROLL, "ops_center", 0.0),
]


@pytest.mark.skipif(bool(MISSING), reason=f"NO REAL PARTS: {MISSING}")
@pytest.mark.timeout(600)
def test_promises_are_kept_under_fire(tmp_path: Path) -> None:
    with running(tmp_path, len(FAULTS)) as run:
        run.suffer(FAULTS, print)
        run.settle()
    found = load(tmp_path)
    assert [one["fault"] for one in found.journal("faults") if one["recovered"] is None] == []
    broken = [str(breach) for breach in check(found) if breach.kind not in UNTIMED]
    assert not broken, broken
    assert found.table("readings") and found.table("deliveries") and found.journal("screens")
