"""`docs/security.md` names the tests that hold each measure: they exist."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def names_in(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_named_test_exists() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) > 35
    missing = [
        f"{p}::{t}" for p, t in named if not (ROOT / p).exists() or t not in names_in(ROOT / p)
    ]
    assert not missing


def test_every_threat_has_a_test() -> None:
    table = PAGE.partition("| threat |")[2].partition("\n\n")[0]
    rows = [line for line in table.splitlines()[2:] if line.startswith("|")]
    assert len(rows) > 20
    assert [row for row in rows if not NAMED.search(row)] == []


def test_every_setting_that_is_named_exists() -> None:
    from shared.settings import Settings

    known = {f"YIWANG_{name.upper()}" for name in Settings.model_fields}
    known |= {f"{name}_FILE" for name in known} | {"YIWANG_X", "YIWANG_X_FILE"}
    named = set(re.findall(r"YIWANG_[A-Z_]+[A-Z]", PAGE)) - {"YIWANG_FUZZ_EXAMPLES"}
    assert named <= known
