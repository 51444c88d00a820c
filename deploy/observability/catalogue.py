"""Every metric as its declaration says, without importing a service.

`python -m deploy.observability.catalogue` prints the table of docs/metrics.md.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
KINDS = ("Counter", "Gauge", "Histogram")
PAGE = ROOT / "docs" / "metrics.md"
_LIBRARY = "prometheus_client"


@dataclass(frozen=True)
class Declared:
    """One call of a metric's class. `file`: from the root."""

    file: str
    name: str
    kind: str
    help: str
    labels: tuple[str, ...]

    @property
    def row(self) -> str:
        """Of the table."""
        labels = ", ".join(f"`{label}`" for label in self.labels)
        return f"| `{self.name}` | {self.kind.lower()} | {labels} | {self.help} |"


def declared() -> list[Declared]:
    """All, by file and in the order of the file."""
    files = [path for top in ("shared", "services") for path in (ROOT / top).rglob("*.py")]
    return [one for path in sorted(files) if "node_modules" not in path.parts for one in _of(path)]


def table() -> str:
    """For people."""
    rows = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    return "\n".join([*rows, *(one.row for one in declared())])


def _of(path: Path) -> Iterator[Declared]:
    text = path.read_text(encoding="utf-8")
    if _LIBRARY not in text:
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
            name, said, *more = [ast.literal_eval(argument) for argument in node.args]
            labels = tuple(more[0]) if more else ()
            yield Declared(path.relative_to(ROOT).as_posix(), name, node.func.id, said, labels)


if __name__ == "__main__":
    print(table())
