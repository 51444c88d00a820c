"""The state of traffic against the free flow."""

import pytest

from services.ops_center.vital_signs.traffic import Passage, flowing, service_of


@pytest.mark.parametrize(
    ("share", "service"),
    [(1.0, "A"), (0.86, "A"), (0.85, "B"), (0.68, "B"), (0.67, "C"), (0.51, "C"), (0.5, "D"),
     (0.41, "D"), (0.4, "E"), (0.31, "E"), (0.3, "F"), (0.0, "F")],
)  # fmt: skip
def test_levels_of_service(share: float, service: str) -> None:
    assert service_of(share) == service


def test_a_sensor_is_judged_by_its_own_free_flow() -> None:
    assert Passage("a", 30, 60).time_index == 2
    assert Passage("a", 30, 60).service == "D"
    assert Passage("b", 30, 33).service == "A"
    assert Passage("c", 70, 60).time_index == 1  # faster than free is free
    assert Passage("d", 0, 60).time_index == 60  # stands, but is finite


def test_an_area_weighs_its_roads_by_flow() -> None:
    found = flowing([Passage("a", 30, 60, 3000), Passage("b", 60, 60, 1000)])
    assert found is not None
    assert (found.time_index, found.service) == (1.75, "C")
    assert (list(found.sensors), found.congested) == ([1, 0, 0, 1, 0, 0], 0.5)


def test_an_unknown_flow_is_a_middling_one_and_without_any_all_count_the_same() -> None:
    known = [Passage("a", 30, 60, 100), Passage("b", 60, 60, 300)]
    found = flowing([*known, Passage("c", 20, 60)])
    assert found is not None
    assert found.time_index == pytest.approx((100 * 2 + 300 + 200 * 3) / 600)
    alike = flowing([Passage("a", 30, 60), Passage("b", 60, 60)])
    assert alike is not None
    assert alike.time_index == 1.5
    assert flowing([Passage("a", 30, 60, 0)]) is not None
    assert flowing([]) is None
