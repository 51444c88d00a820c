"""Tests that are played to a draft: `POST /v1/rules/test`."""

from typing import Any

import pytest

from tests.integration.test_alerts_http import House

RIVER: dict[str, Any] = {
    "id": "river",
    "title": {"zh": "河道", "en": "river"},
    "metric": "water.level",
    "above": 8,
    "deadband": 0.5,
    "for": "60s",
    "grade": 3,
    "priority": 2,
}
FLOOD = """
interval: 30s
tests:
- name: a flood
  series: {gauge-1 water.level: 7x2 8.6x4 7x2}
  expect:
  - {at: 2m30s, alerts: [{rule: river, subject: gauge-1}]}
- name: it is said to stay dry
  series: {gauge-1 water.level: 7x2 8.6x4}
  raised: []
"""


async def play(house: House, rule: Any, tests: str, who: str = "admin") -> tuple[int, Any]:
    status, answer = await house.call("POST", "/v1/rules/test", {"rule": rule, "tests": tests}, who)
    return status, answer


async def test_each_test_says_what_was_raised_and_what_was_expected_otherwise(
    house: House,
) -> None:
    status, answer = await play(house, RIVER, FLOOD)
    assert status == 200, answer
    assert (answer["passed"], answer["failed"]) == (1, 1)
    flood, dry = answer["items"]
    assert flood["passed"]
    assert flood["raised"] == [{"subject": "gauge-1", "start_seconds": 60, "end_seconds": 180}]
    assert not dry["passed"]
    assert dry["failures"][0]["line"] == 10
    assert dry["failures"][0]["difference"] == [
        "+ found     river  gauge-1  from 1m  still standing"
    ]


async def test_a_rule_may_be_yaml(house: House) -> None:
    yaml = (
        "{id: river, title: {zh: 河道, en: river}, metric: water.level, above: 8,"
        " grade: 3, priority: 2}"
    )
    status, answer = await play(house, yaml, "tests: [{name: a, series: {g water.level: '9'}}]")
    assert status == 200, answer
    assert answer["items"][0]["raised"] == [
        {"subject": "g", "start_seconds": 0, "end_seconds": None}
    ]


@pytest.mark.parametrize(
    ("rule", "tests", "code"),
    [
        (RIVER | {"above": "x"}, FLOOD, "invalid_rule"),
        (RIVER, "tests: [{name: a, series: {gauge: 7}}]", "invalid_tests"),
        (RIVER, "tests: [{name: a, series: {g water.level: 7x20001}}]", "too_large"),
        (RIVER, "{", "invalid_tests"),
    ],
)
async def test_what_is_wrong_is_said(house: House, rule: Any, tests: str, code: str) -> None:
    status, answer = await play(house, rule, tests)
    assert (status, answer["code"]) == (422, code)


async def test_only_administrators_test_rules(house: House) -> None:
    assert (await play(house, RIVER, FLOOD, "operator"))[0] == 403
