"""Two stories that must end well: `python -m tests.chaos.scenarios outage|rolling`.

outage: the broker is away for a minute. rolling: every replica of every service is replaced.
"""

import argparse
import json
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from shared.pause import until
from tests.chaos.checker import Breach, check
from tests.chaos.evidence import load
from tests.chaos.faults import Faults
from tests.chaos.run import POST_SECONDS, POSTERS, SENSORS_EACH, Run, running
from tests.chaos.schedule import SERVICES
from tests.chaos.watching import resident_bytes

LIVE_PER_SECOND = POSTERS * SENSORS_EACH / POST_SECONDS  # new readings
STEADY_BATCHES = 40
CAUGHT_UP_SECONDS = 1.0
DEADLINE_SECONDS = 300.0
Found = dict[str, Any]


def outage(run: Run, seconds: float) -> Found:
    """The broker is killed and away for `seconds`; then what piled up at the sources is sent."""
    _steady(run)
    gateways = [run.fleet.running[name].pid for name in run.fleet.replicas("gateway")]
    before = max(map(resident_bytes, gateways))
    for client in run.clients.values():
        client.tally.refusal_seconds.clear()
    run.fleet.kill_part("kafka")
    began, heaviest = time.monotonic(), before
    while time.monotonic() - began < seconds:
        heaviest = max(heaviest, *map(resident_bytes, gateways))
        time.sleep(0.5)
    refusals = [s for client in run.clients.values() for s in client.tally.refusal_seconds]
    run.fleet.start_part("kafka")
    return {
        "away_s": round(time.monotonic() - began, 1),
        "refused": len(refusals),
        "refused_after_s_median": statistics.median(refusals) if refusals else None,
        "refused_after_s_max": max(refusals, default=None),
        "gateway_mib_before": before >> 20,
        "gateway_mib_at_most": heaviest >> 20,
    } | _drain(run)


def _drain(run: Run) -> Found:
    """From the broker's return until the sources have nothing left to send."""
    back, stored = time.monotonic(), _stored(run)
    assert until(lambda: _stored(run) > stored, DEADLINE_SECONDS), "nothing is stored any more"
    first, stored = time.monotonic(), _stored(run)
    behind = max(poster.behind for poster in run.posters)
    caught_up = until(
        lambda: all(poster.behind < CAUGHT_UP_SECONDS for poster in run.posters), DEADLINE_SECONDS
    )
    seconds = time.monotonic() - first
    rate = (_stored(run) - stored) / seconds
    return {
        "first_stored_after_s": round(first - back, 1),
        "behind_s": round(behind, 1),
        "caught_up": caught_up,
        "drained_in_s": round(seconds, 1),
        "drained_per_s": round(rate),
        "live_per_s": round(LIVE_PER_SECOND),
        "times_live": round(rate / LIVE_PER_SECOND, 1),
    }


def rolling(run: Run, _seconds: float) -> Found:
    """Every replica is told to end, and its successor is ready before the next one's turn."""
    _steady(run)
    by, began = Faults(run.fleet, run.loop), time.monotonic()
    for service in SERVICES:
        for name in run.fleet.replicas(service):
            by.replace(name)
    tallies = [client.tally for client in run.clients.values()]
    return {
        "replaced": sum(len(run.fleet.replicas(service)) for service in SERVICES),
        "took_s": round(time.monotonic() - began, 1),
        "acknowledged": sum(tally.acknowledged for tally in tallies),
        "refused_for_now": sum(tally.refused for tally in tallies),
        "broken_connections": sum(tally.broken for tally in tallies),
        "failed": sum(len(tally.unplanned) + tally.gave_up for tally in tallies),
    }


STORIES: dict[str, Callable[[Run, float], Found]] = {"outage": outage, "rolling": rolling}


def play(name: str, folder: Path, seconds: float) -> tuple[Found, list[Breach]]:
    """What was found, and every promise that was not kept."""
    with running(folder, 0) as run:
        found = STORIES[name](run, seconds)
        run.settle()
    return {"chaos": name} | found, check(load(folder))


def _steady(run: Run) -> None:
    """Until the stream flows."""
    acknowledged = [client.tally for client in run.clients.values()]
    assert until(lambda: sum(t.acknowledged for t in acknowledged) > STEADY_BATCHES, 120)


def _stored(run: Run) -> int:
    with psycopg.connect(run.fleet.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM ingest.readings").fetchone()
    return row[0] if row else 0


def main() -> None:
    """Entry point: exit code 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.scenarios", description=__doc__)
    parser.add_argument("name", choices=STORIES)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the broker is away")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix=f"yiwang-chaos-{arguments.name}-"))
    print(f"evidence in {folder}", flush=True)
    found, breaches = play(arguments.name, folder, arguments.seconds)
    for breach in breaches:
        print(breach)
    print(json.dumps(found))
    sys.exit(1 if breaches else 0)


if __name__ == "__main__":
    main()
