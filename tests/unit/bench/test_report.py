"""The benchmarks' own arithmetic."""

import json

import pytest

from tests.bench import report


def test_percentiles_are_nearest_rank() -> None:
    values = [float(n) for n in range(1, 101)]
    assert report.percentile(values, 0.50) == 50
    assert report.percentile(values, 0.99) == 99
    assert report.percentile([7.0], 0.99) == 7
    with pytest.raises(ValueError, match="no values"):
        report.percentile([], 0.5)


def test_the_line_has_the_fields_that_readers_rely_on() -> None:
    line = json.loads(report.line("x", "rows/s", [50, 60, 40], [100, 100, 100], client="c"))
    assert line["value"] == 50
    assert line["limit"] == 100
    assert line["ratio"] == 0.5
    assert line["spread"] == 0.4
    assert line["client"] == "c"


def test_the_ratio_is_of_each_round_to_its_own_limit() -> None:
    line = json.loads(report.line("x", "rows/s", [50, 20, 90], [100, 20, 100]))
    assert line["ratio"] == 0.9


def test_medians_are_per_field() -> None:
    rounds = [{"a": 1.0, "b": 9.0}, {"a": 3.0, "b": 7.0}, {"a": 2.0, "b": 8.0}]
    assert report.medians(rounds) == {"a": 2.0, "b": 8.0}
