from random import Random

from tests.bench.observing import interval, verdict


def test_an_interval_holds_the_true_median_in_19_of_20_runs() -> None:
    random, held = Random(7), 0
    for _ in range(2000):
        ordered = sorted(random.lognormvariate(0, 0.05) for _ in range(20))  # its median is 1
        low, high = interval(ordered)
        held += low <= 1 <= high
    assert 0.95 <= held / 2000 <= 0.97


def test_few_rounds_tell_no_more_than_their_extremes() -> None:
    assert interval([1.0, 2.0, 3.0]) == (1.0, 3.0)


def test_a_verdict_is_given_only_where_the_interval_leaves_no_doubt() -> None:
    assert verdict(0.99, 1.02) == "below the bar"
    assert verdict(1.04, 1.09) == "above the bar"
    assert verdict(1.01, 1.05) == "not told apart from the bar"
