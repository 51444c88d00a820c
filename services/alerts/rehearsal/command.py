"""`python -m services.alerts test RULES…`: plays the tests of rules, says what went otherwise."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.alerts.rehearsal import cases
from services.alerts.rehearsal.trial import play
from services.alerts.rules import files
from services.alerts.rules.numbered import Fault
from services.alerts.rules.rule import Rule

TESTS = "tests"  # the folder of test files, beside the files of rules
USAGE = "usage: python -m services.alerts test RULES…   (files of rules or of tests, or folders)"


@dataclass
class Report:
    """What was found. `untested`: rules that no test has seen raised."""

    lines: list[str] = field(default_factory=list)
    played: int = 0
    failed: int = 0
    wrong: int = 0
    untested: set[str] = field(default_factory=set)

    @property
    def exit_code(self) -> int:
        """0 when everything is as expected."""
        return 1 if self.failed or self.wrong or not self.played else 0


def main(arguments: Sequence[str]) -> int:
    """Print the report; the exit code: 1 when a test failed, a file is wrong, or none was found."""
    if not arguments or arguments[0].startswith("-"):
        print(USAGE)
        return 0 if arguments and arguments[0] in ("-h", "--help") else 2
    report = rehearse([Path(argument) for argument in arguments])
    for line in report.lines:
        print(line)
    if report.untested:
        print(f"no test has raised: {', '.join(sorted(report.untested))}")
    passed = report.played - report.failed
    verdict = "ok" if report.exit_code == 0 else "FAILED"
    print(f"{verdict}: {passed} of {report.played} tests passed, {report.wrong} errors")
    if not report.played and not report.wrong:
        print(f"no tests found: they are expected in {TESTS}/ beside the rules", file=sys.stderr)
    return report.exit_code


def rehearse(places: Sequence[Path]) -> Report:
    """Play the tests of these files of rules or of tests, or of all in these folders."""
    report = Report()
    seen_raised: set[str] = set()
    rules: set[str] = set()
    for rule_file in dict.fromkeys(_rule_files(places)):
        rules |= {rule.id for rule in _read_rules(rule_file, report)}
    for test_file in dict.fromkeys(_test_files(places)):
        seen_raised |= _play_file(test_file, report)
    report.untested = rules - seen_raised
    return report


def _rule_files(places: Sequence[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_dir() and place.name != TESTS:
            yield from sorted(place.glob("*.yaml"))
        elif not place.is_dir() and place.parent.name != TESTS:
            yield place


def _test_files(places: Sequence[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_dir():
            yield from sorted((place if place.name == TESTS else place / TESTS).glob("*.yaml"))
        elif place.parent.name == TESTS:
            yield place
        elif (place.parent / TESTS / place.name).exists():
            yield place.parent / TESTS / place.name


def _read_rules(path: Path, report: Report) -> list[Rule]:
    try:
        found, errors = files.parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        _note(report, f"{path}:1: not readable: {error}")
        return []
    for wrong in errors:
        _note(report, f"{wrong.file}:{wrong.line}: {wrong.detail}")
    return [one.rule for one in found]


def _play_file(path: Path, report: Report) -> set[str]:
    """Play one file of tests; the rules that were expected to be raised in it."""
    try:
        written = cases.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        _note(report, f"{path}:1: not readable: {error}")
        return set()
    if isinstance(written, Fault):
        _note(report, f"{path}:{written.line}: {written.detail}")
        return set()
    named = written.model.rules or (path.name,)
    base = path.parent if written.model.rules else path.parent.parent
    quiet = Report()  # what is wrong with rules was said when they were read
    rules = [rule for name in named for rule in _read_rules(base / name, quiet)]
    if not rules:
        report.lines += quiet.lines
        _note(report, f"{path}:1: no rules in {', '.join(named)}")
        return set()
    seen: set[str] = set()
    for case, failures in play(written, rules):
        report.played += 1
        report.failed += bool(failures)
        for failure in failures:
            report.lines.append(f"{path}:{failure.line}: {failure.case}: {failure.what}")
            report.lines += [f"    {line}" for line in failure.difference]
        seen |= {one.rule for moment in case.expect for one in moment.alerts}
        seen |= {one.rule for one in case.raised or ()}
    return seen


def _note(report: Report, line: str) -> None:
    if line not in report.lines:
        report.lines.append(line)
        report.wrong += 1
