"""Whose CPU time it was."""

from tests.bench import cpu


def stat(parent: int, *ticks: int) -> str:
    fields = " ".join(str(number) for number in range(9))
    return f"42 (a (strange) name) S {parent} {fields} {' '.join(map(str, ticks))} 20 0 1 0"


def test_ended_children_count() -> None:
    assert cpu.parse(stat(7, 10, 20, 3, 4)) == (7, 37)


def test_a_process_counts_for_its_nearest_ancestor_with_a_name() -> None:
    known = {1: (0, 1000), 10: (1, 5), 11: (10, 7), 20: (10, 100), 21: (20, 30), 99: (1, 500)}
    assert cpu.attribute(known, {"services": 10, "database": 20}) == {
        "services": 12,
        "database": 130,
    }


def test_a_part_that_is_gone_is_left_out() -> None:
    assert cpu.attribute({1: (0, 5)}, {"services": 10}) == {}


def test_cost_is_per_item() -> None:
    assert cpu.per_item({"services": 1.0}, {"services": 3.0}, 1_000_000) == {"services": 2.0}
