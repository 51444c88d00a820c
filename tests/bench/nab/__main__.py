"""`python -m tests.bench.nab [--data DIR] [--out DIR]`: the detectors on the Numenta benchmark.

Scores every series of a folder in NAB's layout, writes one CSV per series, and where labels are
beside it prints one JSON line. First the score with each category left out when the threshold is
chosen (what to expect of series nobody has seen), then those at the best single threshold.
"""

import argparse
import csv
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from services.alerts.detect.ensemble import Detector
from tests.bench import report
from tests.bench.nab import corpus
from tests.bench.nab.scoring import PROFILES, Marked, best, left_out

BAR_LEFT_OUT, BAR_BEST = 70.0, 78.2  # the second: ARTime, the best published, on this half
BAR_MICROSECONDS, BAR_BYTES = 50.0, 10_000
PEER = "ARTime"


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.nab", description=__doc__)
    parser.add_argument("--data", type=Path, default=corpus.folder(), help="default: YIWANG_NAB")
    parser.add_argument("--out", type=Path, help="folder for the scores")
    given = parser.parse_args()
    if given.data is None or not (given.data / "data").is_dir():
        sys.exit(f"NOT MEASURED HERE  nab: no folder 'data' in {given.data}")
    machine = report.machine()
    labels = corpus.windows(given.data)
    scored: dict[str, Marked] = {}
    spent, rows, largest = 0.0, 0, 0
    for one in corpus.series(given.data):
        scores, seconds, size = score(one)
        spent, rows, largest = spent + seconds, rows + len(scores), max(largest, size)
        if given.out is not None:
            write(given.out / one.name, one, scores)
        if labels is not None:
            scored[one.name] = corpus.marked(one, scores, labels)
    cost = {
        "us_per_reading": round(spent / max(rows, 1) * 1e6, 1),
        "us_limit": BAR_MICROSECONDS,
        "state_bytes": largest,
        "state_limit": BAR_BYTES,
        "series": len(scored) if labels is not None else None,
        "readings": rows,
    }
    print(line(summary(scored) if scored else {}, cost | machine | peer(given.data, scored)))


def score(one: corpus.Series) -> tuple[list[float], float, int]:
    """(anomaly scores row by row, processor seconds, bytes of the state at the end)."""
    detector = Detector()
    readings = list(zip((int(at * 1e6) for at in one.seconds()), one.values, strict=True))
    began = time.process_time()
    scores = [detector.update(at_us, value).score for at_us, value in readings]
    return scores, time.process_time() - began, len(msgspec.msgpack.encode(detector))


def write(path: Path, one: corpus.Series, scores: Sequence[float]) -> None:
    """The series with its scores, row for row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("timestamp", "value", "anomaly_score"))
        writer.writerows(zip(one.times, one.texts, scores, strict=True))


def summary(scored: Mapping[str, Marked]) -> dict[str, Any]:
    """Normalised scores: with each category left out, and at the best single thresholds."""
    standard, by_category = left_out(scored, PROFILES["standard"])
    found: dict[str, Any] = {"left_out": round(standard, 2)}
    for name, profile in PROFILES.items():
        value, threshold = best(scored, profile)
        found[name] = round(value, 2)
        found.setdefault("threshold", round(threshold, 4))
    return found | {"left_out_thresholds": sorted({round(t, 4) for t in by_category.values()})}


def peer(root: Path, scored: Mapping[str, Marked]) -> dict[str, Any]:
    """The best published detector on the same series, where its scores are there."""
    if not scored or not (root / "peer_scores").is_dir():
        return {}
    its = {
        name: Marked(corpus.peer_scores(root, name)[PEER], ours.windows)
        for name, ours in scored.items()
    }
    return {PEER: summary(its)}


def line(found: Mapping[str, Any], more: Mapping[str, Any]) -> str:
    """One JSON line, like every benchmark's."""
    head: dict[str, Any] = {"bench": "nab", "value": found.get("left_out")}
    if found:
        head |= {
            "unit": "NAB standard score, category left out",
            "limit": BAR_LEFT_OUT,
            "ratio": round(found["left_out"] / BAR_LEFT_OUT, 3),
            "best_limit": BAR_BEST,
        }
    return json.dumps(head | dict(found) | dict(more), ensure_ascii=False)


if __name__ == "__main__":
    main()
