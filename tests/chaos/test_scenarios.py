"""The broker is away: clients are told what to do, and nothing is lost."""

from pathlib import Path

import pytest

from deploy.local import parts
from tests.chaos.scenarios import play

MISSING = {name: reason for name, reason in parts.available().items() if reason}
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"NO REAL PARTS: {MISSING}")
UNTIMED = {"slow"}


@pytest.mark.timeout(900)
def test_a_broker_that_is_away_is_told_of_and_missed_by_nobody(tmp_path: Path) -> None:
    found, breaches = play("outage", tmp_path, 8.0)
    assert [str(breach) for breach in breaches if breach.kind not in UNTIMED] == []
    assert found["refused"] > 0
    assert found["caught_up"]
