"""When a screen has seen a probe."""

import pytest

from tests.bench.screens import Probes


def three() -> tuple[Probes, list[float]]:
    probes = Probes()
    return probes, [probes.next(due) for due in (0.0, 1.0, 2.0)]


def test_a_conflated_probe_is_slow_not_missing() -> None:
    probes, values = three()
    assert probes.seen(0, values[2], now=2.5) == 3
    assert probes.latencies == pytest.approx([2.5, 1.5, 0.5])


def test_a_value_seen_again_adds_nothing() -> None:
    probes, values = three()
    seen = probes.seen(0, values[0], now=0.1)
    assert probes.seen(seen, values[0], now=9.0) == 1
    assert probes.latencies == pytest.approx([0.1])


def test_what_came_before_the_probes_is_none_of_them() -> None:
    probes, _ = three()
    for _ in range(200):
        probes.next(3.0)
    assert probes.seen(0, 19.0, now=9.0) == 0
    assert probes.latencies == []
