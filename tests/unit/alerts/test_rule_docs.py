"""docs/rules.md says what the model says, and its examples work."""

import re
from pathlib import Path

from services.alerts.rehearsal.command import rehearse
from services.alerts.rules import files
from services.alerts.rules.meanings import MEANINGS
from services.alerts.rules.reference import keys, tables

TEXT = (Path(__file__).parents[3] / "docs" / "rules.md").read_text()
MARK = "<!-- made by: python -m services.alerts.rules.reference -->\n"
YAML = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_the_reference_is_that_of_the_model() -> None:
    assert TEXT.partition(MARK)[2].strip() == tables().strip()


def test_every_key_is_explained() -> None:
    for name, known in keys().items():
        inherited = keys()["Condition"] - {"metric"} if name == "Rule" else set()
        assert set(MEANINGS[name]) == known - inherited, name


def test_the_first_rule_passes_its_test(tmp_path: Path) -> None:
    (tmp_path / "rules" / "tests").mkdir(parents=True)
    written = 0
    for block in YAML:
        name = re.match(r"# (rules/\S+)\n", block)
        if name is not None:
            (tmp_path / name[1]).write_text(block)
            written += 1
    assert written == 2
    report = rehearse([tmp_path / "rules"])
    assert (report.exit_code, report.played, report.untested) == (0, 1, set()), report.lines


def test_every_example_is_a_rule() -> None:
    examples = [block for block in YAML if block.startswith("- id:")]
    assert examples
    for block in examples:
        found, errors = files.parse(block, "docs/rules.md")
        assert errors == []
        assert len(found) == len(re.findall(r"^- id:", block, re.MULTILINE))
