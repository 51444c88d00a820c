"""What the versions share: running a script of `sql/`."""

from pathlib import Path

from alembic import op

_FOLDER = Path(__file__).parent / "sql"


def run_script(name: str) -> None:
    """Run every statement of `sql/<name>` in the version's transaction."""
    op.execute((_FOLDER / name).read_text(encoding="utf-8"))
