"""Rules: what is accepted, what is refused, and where it says so."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.rule import Rule, load, parse

ROOT = Path(__file__).parents[3]
GOOD = """
- id: level
  title: {zh: 高, en: high}
  metric: water.level
  above: 8
  for: 60s
  grade: 2
  priority: 2
"""


def test_the_shipped_rules_are_right() -> None:
    rules, errors = load(ROOT / "rules")
    assert errors == []
    assert {rule.id for rule in rules} >= {"gas-leak", "water-level-high", "congestion"}


def test_a_good_rule_is_read() -> None:
    [rule], errors = parse(GOOD, "a.yaml")
    assert errors == []
    assert (rule.threshold, rule.for_seconds, rule.deadband) == (8.0, 60, 0.0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("above: 8", "above: high"), "above"),
        (("above: 8", "above: 8\n  below: 3"), "exactly one"),
        (("  above: 8\n", ""), "exactly one"),
        (("for: 60s", "for: soon"), "duration"),
        (("grade: 2", "grade: 5"), "grade"),
        (("grade: 2", "grade: 2\n  colour: red"), "colour"),
        (("id: level", "id: Level One"), "id"),
        (("metric: water.level", "metric: Water Level"), "metric"),
        (("above: 8", "above: .nan"), "above"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_line_and_stops_no_other(
    change: tuple[str, str], said: str
) -> None:
    text = GOOD.replace(*change) + GOOD.replace("id: level", "id: other")
    rules, [error] = parse(text, "a.yaml")
    assert [rule.id for rule in rules] == ["other"]
    assert (error.file, error.line) == ("a.yaml", 2)
    assert said in error.detail


def test_what_is_not_yaml_says_where() -> None:
    _, [error] = parse("- id: a\n- id: [\n", "b.yaml")
    assert error.file == "b.yaml"
    assert error.line >= 2


def test_an_id_is_used_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(GOOD)
    rules, errors = load(tmp_path)
    assert len(rules) == 1
    assert "twice" in errors[0].detail


@given(st.text(max_size=200))
def test_no_text_breaks_the_parser(text: str) -> None:
    rules, errors = parse(text, "fuzz.yaml")
    assert all(isinstance(rule, Rule) for rule in rules)
    assert all(error.file == "fuzz.yaml" for error in errors)
