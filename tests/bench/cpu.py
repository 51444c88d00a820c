"""CPU time by part of a city, from /proc: what another user of the machine cannot blur.

Linux only; elsewhere every answer is empty.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg

from shared.clock import monotonic
from shared.pause import LOOK_SECONDS, until

PROC = Path("/proc")
IDLE_SHARE = 0.45  # of one core: what the services use when nothing arrives, and some room
WINDOW_SECONDS = 0.5

Known = Mapping[int, tuple[int, int]]  # pid → (parent, clock ticks)


def seconds(roots: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds so far of each named process and its descendants, ended ones included."""
    ticks = attribute(dict(_processes()), roots)
    return {name: spent / os.sysconf("SC_CLK_TCK") for name, spent in ticks.items()}


def attribute(known: Known, roots: Mapping[str, int]) -> dict[str, int]:
    """Ticks by name; a process counts for its nearest ancestor that has a name. Pure."""
    names = {pid: name for name, pid in roots.items()}
    totals = {name: 0 for name, pid in roots.items() if pid in known}
    for pid, (_, ticks) in known.items():
        at = pid
        while at in known and at not in names:
            at = known[at][0]
        if at in names and names[at] in totals:
            totals[names[at]] += ticks
    return totals


def parse(stat: str) -> tuple[int, int]:
    """(parent, ticks in user and kernel mode, children that were waited for included). Pure."""
    fields = stat.rpartition(")")[2].split()
    return int(fields[1]), sum(int(field) for field in fields[11:15])


def per_item(
    before: Mapping[str, float], after: Mapping[str, float], items: int
) -> dict[str, float]:
    """Microseconds of CPU per item and part. Pure."""
    return {name: round((after[name] - before[name]) / items * 1e6, 1) for name in before}


def settle(roots: Mapping[str, int], limit: float = 30.0) -> float:
    """Wait until the parts have digested what they were given; how many seconds that took.

    A limit measured beside a backlog would be too low, and the ratio too good. On a machine that
    others keep busy a starved part looks idle too: read `load_before`.
    """
    started = monotonic()
    until(lambda: _idle(roots), limit)
    return max(0.0, monotonic() - started - WINDOW_SECONDS)


def idle(roots: Mapping[str, int], seconds_long: float) -> dict[str, float]:
    """Share of a core that each part uses when nothing arrives."""
    before, began = seconds(roots), monotonic()
    until(lambda: monotonic() - began >= seconds_long, 2 * seconds_long)
    passed = monotonic() - began
    return {name: (after - before[name]) / passed for name, after in seconds(roots).items()}


def postmaster(database_url: str) -> dict[str, int]:
    """{"database": pid} if the server runs on this machine."""
    with psycopg.connect(database_url) as connection:
        pid = connection.info.backend_pid
        try:
            if b"postgres" not in (PROC / str(pid) / "cmdline").read_bytes():
                return {}
            return {"database": parse((PROC / str(pid) / "stat").read_text())[0]}
        except OSError:
            return {}


def _idle(roots: Mapping[str, int]) -> bool:
    before, started = sum(seconds(roots).values()), monotonic()
    until(lambda: monotonic() - started >= WINDOW_SECONDS - LOOK_SECONDS, WINDOW_SECONDS)
    spent = sum(seconds(roots).values()) - before
    return spent <= IDLE_SHARE * (monotonic() - started)


def _processes() -> Iterator[tuple[int, tuple[int, int]]]:
    for folder in PROC.glob("[0-9]*"):
        try:
            yield int(folder.name), parse((folder / "stat").read_text())
        except OSError:  # it has just ended
            continue
