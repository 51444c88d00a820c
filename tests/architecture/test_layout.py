"""The house rules that a machine can hold: sizes, clocks, words that do not belong."""

import ast
import re
import statistics
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP_LEVEL = {
    ".ci", ".dockerignore", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md",
    "deploy", "docs", "examples",
    "pyproject.toml", "requirements.lock", "rules", "services", "shared", "tests",
}  # fmt: skip
SERVICES = ("ingest", "alerts", "ops_center", "simulator", "watch")
CODE = (".py", ".ts", ".tsx", ".css")
VAGUE = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common)$")


def tracked() -> list[Path]:
    """Every file under version control, and the new ones."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.splitlines() if (ROOT / name).is_file()]


FILES = tracked()
PYTHON = [path for path in FILES if path.suffix == ".py"]


def functions(path: Path) -> list[tuple[str, int]]:
    """Name and number of lines of every function, without its docstring."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            found.append((node.name, (node.end_lineno or 0) - body[0].lineno + 1))
    return found


def test_every_file_has_its_place() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in FILES} <= TOP_LEVEL
    folders = {p.relative_to(ROOT).parts[1] for p in PYTHON if p.is_relative_to(ROOT / "services")}
    assert {name for name in folders if not name.endswith(".py")} == set(SERVICES)


@pytest.mark.parametrize("path", [p for p in FILES if p.suffix in CODE], ids=str)
def test_no_file_is_longer_than_300_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


def test_functions_are_short() -> None:
    sizes = [(size, f"{path}:{name}") for path in PYTHON for name, size in functions(path)]
    assert not [place for size, place in sizes if size > 60]
    assert statistics.median(size for size, _ in sizes) <= 10


def test_names_say_what_a_thing_is() -> None:
    assert not [path for path in PYTHON if VAGUE.search(path.stem)]


@pytest.mark.parametrize("path", [p for p in PYTHON if "tests" not in p.parts], ids=str)
def test_only_the_clock_reads_the_wall_clock(path: Path) -> None:
    if path.relative_to(ROOT).as_posix() in ("shared/clock.py", "deploy/bootstrap.py"):
        return
    assert not re.search(r"datetime\.(now|utcnow|today)\(|time\.time\(", path.read_text())


def test_every_fixed_number_of_an_advisory_lock_is_in_one_list() -> None:
    derived = ("shared/store/audit.py", "services/alerts/paging/desk.py")
    named = re.compile(r"pg_\w*advisory\w*lock")  # from the list, or from a name of theirs
    for path in (each for each in PYTHON if "tests" not in each.parts):
        if path.relative_to(ROOT).as_posix() in (*derived, "shared/store/locks.py"):
            continue
        source = path.read_text()
        assert not named.search(source) or "int(Lock." in source, path


def test_no_lock_file_names_a_registry() -> None:
    locks = [p for p in FILES if p.name in ("requirements.lock", "package-lock.json")]
    assert len(locks) == 2
    for lock in locks:
        assert '"resolved": "http' not in lock.read_text()
        assert "index-url" not in lock.read_text()


def test_migrations_make_what_the_code_believes_in(database_url: str) -> None:
    import sqlalchemy
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from shared.store.tables import metadata

    schemas = {table.schema for table in metadata.sorted_tables}
    engine = sqlalchemy.create_engine(
        database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    )
    with engine.connect() as connection:
        options = {
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name in schemas,
            "include_object": lambda _o, name, kind, _r, _c: (
                kind != "index" or name != "readings_observed_at_idx"
            ),
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_readme_lists_every_setting() -> None:
    from shared.settings import table

    assert table() in (ROOT / "README.md").read_text()
