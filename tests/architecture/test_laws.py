"""`docs/architecture.md` names the tests that hold each law: they exist."""

import re

from tests.architecture.test_security_doc import NAMED, ROOT, names_in

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
LAWS = re.findall(r"^\| (\d)\. .*$", PAGE, re.MULTILINE)
ROWS = [row for row in PAGE.splitlines() if re.match(r"\| \d\. ", row)]


def test_every_law_has_tests_that_try_to_break_it() -> None:
    assert [int(number) for number in LAWS] == list(range(1, 10))
    assert [row for row in ROWS if len(NAMED.findall(row)) < 2] == []


def test_every_named_test_exists() -> None:
    missing = [
        f"{path}::{test}"
        for path, test in NAMED.findall(PAGE)
        if not (ROOT / path).exists() or test not in names_in(ROOT / path)
    ]
    assert not missing


def test_every_link_between_the_documents_leads_somewhere() -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[\w-]*)?\)", page.read_text(encoding="utf-8")):
            if not target.startswith("/"):  # of the platform's own address
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_module_that_a_page_starts_exists() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        for module in re.findall(r"python -m ([\w.]+)", page.read_text(encoding="utf-8")):
            if module in ("pytest", "http.server"):
                continue
            path = ROOT / module.replace(".", "/")
            assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), (
                f"{page.name}: {module}"
            )
