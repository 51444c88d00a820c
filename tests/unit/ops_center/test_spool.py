"""What an exporter leaves behind on its disk."""

import os
from pathlib import Path

from services.ops_center.exchange.spool import LEFT_SECONDS, Spool
from shared.clock import system_clock


def written(draft: Path, content: bytes, age_seconds: float = 0.0) -> Path:
    draft.write_bytes(content)
    then = system_clock().timestamp() - age_seconds
    os.utime(draft, (then, then))
    return draft


def test_what_a_killed_process_had_begun_goes_and_what_a_neighbour_writes_stays(
    tmp_path: Path,
) -> None:
    spool = Spool(tmp_path)
    dead = written(spool.draft(), b"half", LEFT_SECONDS + 60)
    alive = written(spool.draft(), b"half")
    spool.keep(written(spool.draft(), b"whole", 2 * LEFT_SECONDS), "part", b"", 1)
    Spool(tmp_path)
    assert not dead.exists()
    assert alive.exists()
    assert (tmp_path / "part").read_bytes() == b"whole"


def test_the_longest_not_asked_for_goes_first(tmp_path: Path) -> None:
    spool = Spool(tmp_path, most_bytes=10)
    for number, name in enumerate(("a", "b")):
        spool.keep(written(spool.draft(), b"1234", 100 - number), name, b"", 1)
    assert spool.found("a") is not None  # asked for: now the youngest
    spool.keep(written(spool.draft(), b"1234"), "c", b"", 1)
    assert spool.found("b") is None
    assert spool.found("a") is not None
