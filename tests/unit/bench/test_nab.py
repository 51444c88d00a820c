import csv
import math
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.nab import corpus, scoring
from tests.bench.nab.scoring import PROFILES, Marked, Window

ROOT = Path(__file__).parents[3]
STANDARD = PROFILES["standard"]
FOUND = corpus.folder()
needs_nab = pytest.mark.skipif(
    FOUND is None, reason=f"the benchmark's files are not here ({corpus.VARIABLE})"
)


def scores(rows: int, **at: float) -> list[float]:
    return [at.get(f"row{row}", 0.0) for row in range(rows)]


@needs_nab
def test_other_detectors_score_as_published() -> None:
    assert FOUND is not None
    labels = corpus.windows(FOUND)
    assert labels is not None
    peers = {}
    for one in corpus.series(FOUND):
        for detector, its in corpus.peer_scores(FOUND, one.name).items():
            peers[one.name, detector] = corpus.marked(one, its, labels)
    with (FOUND / "expected_per_file.csv").open(newline="") as file:
        expected = list(csv.DictReader(file))
    assert len(expected) > 1_000
    for row in expected:
        found = scoring.tally(
            peers[row["file"], row["detector"]],
            float(row["threshold"]),
            PROFILES[row["profile"]],
        )
        assert found.raw == pytest.approx(float(row["raw_score"]), abs=1e-6), row
        counts = [found.tp, found.tn, found.fp, found.fn]
        assert counts == [int(row[name]) for name in ("tp", "tn", "fp", "fn")], row


def test_a_perfect_detector_scores_100_and_a_silent_one_0() -> None:
    windows = [Window(40, 59)]
    perfect = {"a/x": Marked(scores(100, row40=1.0), windows)}
    silent = {"a/x": Marked(scores(100), windows)}
    assert scoring.at(perfect, {"a/x": 0.5}, STANDARD) == pytest.approx(100)
    assert scoring.at(silent, {"a/x": 0.5}, STANDARD) == pytest.approx(0)


def test_only_the_earliest_detection_in_a_window_counts_and_each_outside_costs() -> None:
    windows = [Window(40, 59)]
    early = scoring.tally(Marked(scores(100, row45=1, row50=1), windows), 0.5, STANDARD)
    alone = scoring.tally(Marked(scores(100, row45=1), windows), 0.5, STANDARD)
    assert early.raw == alone.raw
    false = scoring.tally(Marked(scores(100, row20=1, row30=1), windows), 0.5, STANDARD)
    assert false.raw == pytest.approx(-1 - 2 * 0.11)
    assert (false.tp, false.tn, false.fp, false.fn) == (0, 63, 2, 20)


def test_what_follows_a_window_costs_less_than_what_is_far_from_it() -> None:
    def cost(row: int) -> float:
        return scoring.tally(Marked(scores(200, **{f"row{row}": 1}), windows), 0.5, STANDARD).raw

    windows = [Window(40, 59)]
    assert -1 > cost(61) > cost(70) > cost(150) == pytest.approx(-1.11)


def test_rows_of_probation_never_count() -> None:
    assert Marked(scores(100), []).probation == 15
    assert Marked([0.0] * 100_000, []).probation == 750
    early = scoring.tally(Marked(scores(100, row3=1), [Window(0, 20)]), 0.5, STANDARD)
    assert early.raw == -1


def test_the_curve_is_what_each_threshold_is_worth() -> None:
    windows = [Window(40, 59), Window(70, 79)]
    marked = Marked(scores(100, row30=0.4, row44=0.6, row50=0.9, row75=0.5, row90=0.7), windows)
    for name, profile in PROFILES.items():
        curve = scoring.curve([marked], profile)
        assert len(curve) == 7, name
        for threshold, raw in curve:
            assert raw == pytest.approx(scoring.tally(marked, threshold, profile).raw)


def test_a_category_is_scored_at_the_threshold_of_the_others() -> None:
    window = [Window(40, 59)]
    files = {
        "a/x": Marked(scores(100, row40=0.9), window),
        "b/y": Marked(scores(100, row40=0.5, row20=0.4), window),
    }
    value, thresholds = scoring.left_out(files, STANDARD)
    assert thresholds == {"a": 0.5, "b": 0.9}
    assert value == pytest.approx(50)


def test_a_folder_of_series_is_scored_row_by_row_in_its_order(tmp_path: Path) -> None:
    rows = ["2024-01-01 00:00:00,1.50", "2024-01-01 00:10:00,x", "2024-01-01 00:05:00,2"]
    (tmp_path / "data" / "any").mkdir(parents=True)
    text = "\n".join(["timestamp,value", *rows]) + "\n"
    (tmp_path / "data" / "any" / "one.csv").write_text(text)
    command = [sys.executable, "-m", "tests.bench.nab"]
    command += ["--data", str(tmp_path), "--out", str(tmp_path / "o")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with (tmp_path / "o" / "any" / "one.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert [f"{row['timestamp']},{row['value']}" for row in written] == rows
    assert all(0 <= float(row["anomaly_score"]) <= 1 for row in written)


@needs_nab
def test_labels_begin_and_end_at_rows_of_their_file() -> None:
    assert FOUND is not None
    labels = corpus.windows(FOUND)
    assert labels is not None
    for one in corpus.series(FOUND):
        marked = corpus.marked(one, [0.0] * len(one.times), labels)
        assert all(0 <= w.first < w.last < len(one.times) for w in marked.windows)
        assert not any(math.isnan(value) for value in one.values)
