"""A short run of what `make chaos` does at length: a few faults, every check."""

from pathlib import Path

import pytest

from deploy.local import parts
from tests.chaos.checker import check
from tests.chaos.evidence import load
from tests.chaos.run import running
from tests.chaos.scenarios import outage
from tests.chaos.schedule import Fault, Kind

MISSING = {name: reason for name, reason in parts.available().items() if reason}
# How soon it recovers is for `make chaos` to say: how busy a machine is proves nothing.
UNTIMED = {"slow"}
FAULTS = [
    Fault(1, Kind.KILL, "writer-1", 0.5),
    Fault(2, Kind.STALL, "alerts-1", 2.0, "kafka"),
    Fault(3, Kind.RESTART, "database", 0.0),
    Fault(4, Kind.ROLL, "gateway", 0.0),
]
AWAY_SECONDS = 6.0


@pytest.mark.skipif(bool(MISSING), reason=f"NO REAL PARTS: {MISSING}")
@pytest.mark.timeout(900)
def test_promises_are_kept_under_fire(tmp_path: Path) -> None:
    with running(tmp_path, len(FAULTS)) as run:
        run.suffer(FAULTS, print)
        away = outage(run, AWAY_SECONDS)
        run.settle()
    found = load(tmp_path)
    assert [one["fault"] for one in found.journal("faults") if one["recovered"] is None] == []
    broken = [str(breach) for breach in check(found) if breach.kind not in UNTIMED]
    assert not broken, broken
    assert found.table("readings") and found.table("deliveries") and found.journal("screens")
    assert away["refused"] > 0 and away["caught_up"], away
