"""`python -m services.alerts test`: the notation, the comparison, and the shipped rules."""

from pathlib import Path

import pytest

from services.alerts.rehearsal.command import main, rehearse
from services.alerts.rehearsal.series import parse

ROOT = Path(__file__).parents[3]
RULE = """- id: level
  title: {zh: 高, en: high}
  metric: water.level
  above: 8
  grade: 2
  priority: 2
"""
CASES = """tests:
- name: a flood
  interval: 1m
  series:
    rv-1 water.level: 5 9 5
  expect:
  - {at: 1m, alerts: [{rule: level, subject: rv-1, grade: 2}]}
  - {at: 2m, alerts: []}
  raised:
  - {rule: level, subject: rv-1, start: 1m, end: 2m}
"""


def folder(tmp_path: Path, cases: str = CASES, rules: str = RULE) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "a.yaml").write_text(rules)
    (tmp_path / "tests" / "a.yaml").write_text(cases)
    return tmp_path


def test_every_shipped_rule_has_a_test_and_passes_it() -> None:
    report = rehearse([ROOT / "rules"])
    assert report.exit_code == 0, "\n".join(report.lines)
    assert report.untested == set()


def test_the_notation() -> None:
    values = [None if one is None else one.value for one in parse("1 _x2 2x3 1+2x3 5-0.5x2 1e-3")]
    assert values == [1, None, None, 2, 2, 2, 1, 3, 5, 5, 4.5, 0.001]
    good, suspect, bad, stale = parse("8 8? 8! stale")
    assert good and suspect and bad and stale
    assert (good.quality, suspect.quality, bad.quality) == ("good", "suspect", "bad")
    assert stale.stale
    for wrong in ("eight", "8x", "x5", "_5", "8x-1", "nan", "1x999999"):
        with pytest.raises(ValueError, match=r"no value|more than"):
            parse(wrong)


def test_what_is_as_expected_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder(tmp_path))]) == 0
    assert "ok: 1 of 1 tests passed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "line", "difference"),
    [
        (("grade: 2}", "grade: 3}"), 7, ["- expected  level  rv-1  active  grade 3",
                                         "+ found     level  rv-1  active  grade 2"]),
        (("at: 2m, alerts: []", "at: 1m, alerts: []"), 8, ["+ found     level  rv-1  active  grade "
                                                           "2  priority 2  warning none"]),
        (("end: 2m", "end: null"), 9, ["- expected  level  rv-1  from 1m  still standing",
                                        "+ found     level  rv-1  from 1m  to 2m"]),
        (("5 9 5", "5 8x5"), 7, ["- expected  level  rv-1  active  grade 2"]),
    ],
)  # fmt: skip
def test_what_differs_is_shown_with_its_line(
    tmp_path: Path, change: tuple[str, str], line: int, difference: list[str]
) -> None:
    place = folder(tmp_path, CASES.replace(*change))
    report = rehearse([place])
    assert report.exit_code == 1
    assert report.lines[0].startswith(f"{place}/tests/a.yaml:{line}: a flood: ")
    assert [text.strip() for text in report.lines[1 : len(difference) + 1]] == difference


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (("5 9 5", "5 nine 5"), 5, "'nine' is no value"),
        (("rv-1 water.level: 5", "rv-1: 5"), 5, "a series is called"),
        (("at: 1m", "at: soon"), 7, "duration"),
        (("grade: 2}", "colour: 2}"), 7, "is not known here"),
        (("interval: 1m", "interval: 0"), 3, "greater than or equal to 1"),
        (("- name: a flood\n  interval", "- interval"), 2, "name: is missing"),
        (("tests:", "tests: 5\nother:"), 1, "is a list"),
        (("tests:", "- tests:"), 1, "mapping"),
    ],
)
def test_a_wrong_test_file_is_refused_with_its_line(
    tmp_path: Path, change: tuple[str, str], line: int, said: str
) -> None:
    place = folder(tmp_path, CASES.replace(*change))
    report = rehearse([place / "a.yaml"])
    assert report.exit_code == 1
    [text] = report.lines
    assert text.startswith(f"{place}/tests/a.yaml:{line}: ")
    assert said in text


def test_a_wrong_rule_fails_and_stops_no_other(tmp_path: Path) -> None:
    place = folder(tmp_path, rules=RULE + RULE.replace("above: 8", "").replace("level", "other", 1))
    report = rehearse([place])
    assert (report.played, report.failed, report.wrong, report.exit_code) == (1, 0, 1, 1)
    assert report.lines[0].startswith(f"{place}/a.yaml:7: other: ")


def test_no_tests_are_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text(RULE)
    assert main([str(tmp_path)]) == 1
    assert "no test has raised: level" in capsys.readouterr().out
    assert main([]) == 2
    assert main([str(tmp_path / "none.yaml")]) == 1
