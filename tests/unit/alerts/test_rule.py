"""Rules: what is accepted, what is refused, and where it says so."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.rules.files import load, parse
from services.alerts.rules.rule import Rule

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
    [found], errors = parse(GOOD, "a.yaml")
    rule = found.rule
    assert errors == []
    assert (rule.threshold, rule.for_seconds, rule.deadband) == (8.0, 60, 0.0)


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (("above: 8", "above: high"), 5, "above"),
        (("above: 8", "above: true"), 5, "above"),
        (("above: 8", "above: .nan"), 5, "above"),
        (("above: 8", "above: 8\n  below: 3"), 2, "exactly one"),
        (("  above: 8\n", ""), 2, "exactly one"),
        (("above: 8", "above: 8\n  above: 9"), 6, "twice"),
        (("for: 60s", "for: soon"), 6, "duration"),
        (("for: 60s", "for: -5"), 6, "for"),
        (("for: 60s", "deadline: 0s"), 6, "deadline"),
        (("grade: 2", "grade: 5"), 7, "grade"),
        (("grade: 2", "grade: 2\n  colour: red"), 8, "colour"),
        (("grade: 2", "grade: 2\n  warning: pink"), 8, "warning"),
        (("grade: 2", "grade: 2\n  group_by: [weather]"), 8, "group_by"),
        (("grade: 2", "grade: 2\n  enabled: maybe"), 8, "enabled"),
        (("id: level", "id: Level One"), 2, "id"),
        (("title: {zh: 高, en: high}", "title: {zh: 高}"), 3, "title.en"),
        (("metric: water.level", "metric: Water Level"), 4, "metric"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_line_and_stops_no_other(
    change: tuple[str, str], line: int, said: str
) -> None:
    text = GOOD.replace(*change) + GOOD.replace("id: level", "id: other")
    found, [error] = parse(text, "a.yaml")
    assert [one.rule.id for one in found] == ["other"]
    assert (error.file, error.line) == ("a.yaml", line)
    assert said in error.detail


def test_what_is_not_yaml_says_where() -> None:
    _, [error] = parse("- id: a\n- id: [\n", "b.yaml")
    assert error.file == "b.yaml"
    assert error.line >= 2


def test_an_id_is_used_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text("\n" + GOOD)
    rules, [error] = load(tmp_path)
    assert len(rules) == 1
    assert (error.file, error.line) == ("b.yaml", 3)
    assert "first in a.yaml:2" in error.detail


def test_a_file_that_cannot_be_read_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "b.yaml").mkdir()
    (tmp_path / "c.yaml").write_text("a rule")
    (tmp_path / "d.yaml").write_text("- 5\n- [1]")
    (tmp_path / "e.yaml").write_text(GOOD)
    rules, errors = load(tmp_path)
    assert [rule.id for rule in rules] == ["level"]
    assert [error.file for error in errors] == ["a.yaml", "b.yaml", "c.yaml", "d.yaml", "d.yaml"]


def test_what_is_shared_by_an_anchor_is_read() -> None:
    text = GOOD.replace("- id: level", "- &base\n  id: level") + "- <<: *base\n  id: other\n"
    found, errors = parse(text, "a.yaml")
    assert errors == []
    assert [(one.rule.id, one.rule.threshold) for one in found] == [("level", 8), ("other", 8)]


def test_sensors_and_areas_narrow_a_rule() -> None:
    [found], _ = parse(GOOD + "  sensors: ['en-*']\n  areas: ['441202']\n", "a.yaml")
    rule = found.rule
    assert rule.concerns("en-1", {"441200", "441202"})
    assert not rule.concerns("tr-1", {"441200", "441202"})
    assert not rule.concerns("en-1", {"441200", "441203"})
    assert not rule.concerns("en-1", frozenset())


@given(st.text(max_size=200))
def test_no_text_breaks_the_parser(text: str) -> None:
    found, errors = parse(text, "fuzz.yaml")
    assert all(isinstance(one.rule, Rule) for one in found)
    assert all(error.file == "fuzz.yaml" for error in errors)
