"""What no rule can mean is refused: in plain words, at the line of the very key."""

import pytest

from services.alerts.rules.files import Found, parse, parse_one
from services.alerts.rules.rule import Rule

HEAD = """- id: r
  title: {zh: 高, en: high}
  metric: water.level
  grade: 3
  priority: 3
"""
WRONG: dict[str, tuple[str, int, str]] = {
    "two kinds": ("  above: 8\n  absent: 5m\n", 1, "exactly one"),
    "none": ("", 1, "exactly one"),
    "a ladder out of order": (
        "  levels:\n  - {above: 9, grade: 3, priority: 3}\n  - {above: 8, grade: 2, priority: 2}\n",
        6, "in order"),
    "a ladder both ways": (
        "  levels:\n  - {above: 9, grade: 3, priority: 3}\n  - {below: 8, grade: 2, priority: 2}\n",
        6, "one way"),
    "a level without a grade": ("  levels:\n  - above: 9\n    priority: 3\n", 7, "grade"),
    "a fall that rises": ("  rate:\n    over: 10m\n    below: 2\n", 6, "fall"),
    "a rate without time": ("  rate:\n    above: 2\n", 7, "over"),
    "a rate over nonsense": ("  rate:\n    above: 2\n    over: soon\n", 8, "duration"),
    "an absence with a delay": ("  absent: 5m\n  for: 1m\n", 7, "own duration"),
    "a deadband beside nothing": ("  absent: 5m\n  deadband: 1\n", 7, "deadband"),
    "a week of odd buckets": ("  week:\n    above: 2\n    bucket: 11h\n", 8, "whole number"),
    "a count over one sensor": ("  count:\n    of: {above: 8}\n    at_least: 3\n", 1, "count"),
    "a count without a bar": (
        "  groups: [{id: g, sensors: [a]}]\n  count:\n    of: {above: 8}\n", 7, "at_least"),
    "a count of counts": (
        "  groups: [{id: g, sensors: [a]}]\n  count:\n    at_least: 1\n"
        "    of: {count: {of: {above: 8}, at_least: 1}}\n", 7, "one sensor alone"),
    "a nested limit": ("  all:\n  - above: 8\n  - metric: rain\n    above: high\n", 9, "number"),
    "a nested slip of the pen": (
        "  all:\n  - above: 8\n  - metric: rain\n    abov: 3\n", 9, "'above' meant"),
    "a nested ladder": (
        "  all:\n  - levels: [{above: 9, grade: 3, priority: 3}]\n  - above: 3\n", 1, "levels"),
    "a sensor inside a rule on sensors": (
        "  all:\n  - {above: 8, sensor: a}\n  - above: 3\n", 1, "area or a group"),
    "areas unnamed": ("  subject: area\n  above: 8\n", 6, "names its 'areas'"),
    "a group unnamed": ("  above: 8\n  subject: group\n", 7, "names its 'groups'"),
    "a comparison with everybody": (
        "  compare: {with: up, above: 3}\n", 6, "names the 'sensors'"),
    "a comparison combined": (
        "  any:\n  - compare: {with: up, above: 3}\n  - above: 4\n", 1, "alone"),
    "a delay of many": (
        "  groups: [{id: g, sensors: [a]}]\n  count: {of: {above: 8}, at_least: 1}\n  for: 5m\n",
        8, "each one's condition"),
    "hours that are none": ("  above: 8\n  active:\n    hours: 25:00-06:00\n", 8, "hours"),
    "a day that is none": ("  above: 8\n  active: {days: [someday]}\n", 7, "mon"),
    "silence by the clock": ("  absent: 5m\n  active: {days: [mon]}\n", 7, "any hour"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_no_rule_can_mean_is_refused_at_its_line(name: str) -> None:
    text, line, said = WRONG[name]
    found, [error] = parse(HEAD + text + HEAD.replace("id: r", "id: good") + "  above: 3\n", "f")
    assert [one.rule.id for one in found] == ["good"]
    assert said in error.detail
    assert error.line == line, error.detail


def test_an_unknown_metric_is_refused_where_it_is_named() -> None:
    text = HEAD + "  all:\n  - above: 8\n  - metric: rain.depth\n    above: 3\n"
    _, [error] = parse(text, "f", frozenset({"water.level"}))
    assert (error.line, "rain.depth" in error.detail) == (8, True)
    assert parse(text, "f", frozenset({"water.level", "rain.depth"}))[1] == []


RIGHT = [
    "  levels: [{above: 8, grade: 3, priority: 3}, {above: 9, grade: 1, priority: 1}]\n",
    "  week: {by: ratio, above: 1.5}\n  for: 1h30m\n",
    "  groups: [{id: g, sensors: ['a*']}]\n  count: {of: {above: 8, for: 1m}, share: 0.5}\n",
    "  any: [{above: 8}, {not: {all: [{metric: n, below: 3}, {metric: o, absent: 5m}]}}]\n",
    "  sensors: [down]\n  compare: {with: [up, u*], by: ratio, above: 2}\n  for: 5m\n",
    "  above: 8\n  active: {hours: '22:00-06:00', days: [workday, sat]}\n  quality: good\n",
]


@pytest.mark.parametrize("text", RIGHT)
def test_a_rule_survives_being_written_down(text: str) -> None:
    found = parse_one(HEAD + text, "f")
    assert isinstance(found, Found)
    for by_alias in (True, False):
        written = found.rule.model_dump(mode="json", by_alias=by_alias)
        assert Rule.model_validate(written) == found.rule
