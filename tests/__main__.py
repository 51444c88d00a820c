"""`python -m tests`: everything, in two lanes; `python -m tests PATHS`: these, one after the other;
`python -m tests check`: what takes seconds.

Starts the real parts once for all tests (a Kafka for each lane), and closes with what this machine
could not provide.
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree

from deploy.bootstrap import find_npm
from deploy.local import parts
from shared.errors import YiwangError

ROOT = Path(__file__).parents[1]
WALL = ROOT / "services" / "ops_center" / "wall"
KAFKA, DATABASE = "YIWANG_TEST_KAFKA_BOOTSTRAP", "YIWANG_TEST_DATABASE_URL"
LANES = 2
STYLE = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports", "--no-cache"),
)


def main() -> None:
    """Entry point: exit code 1 when anything failed."""
    if sys.argv[1:] == ["check"]:
        sys.exit(check())
    sys.exit(everything(sys.argv[1:]))


def check() -> int:
    """Style, types, structure, unit tests."""
    tools = Path(sys.executable).parent
    failed = [tool[0] for tool in STYLE if step(str(tools / tool[0]), *tool[1:])]
    if step(sys.executable, "-m", "pytest", "-q", "tests/unit", "tests/architecture"):
        failed.append("unit tests")
    if failed:
        print(f"FAILED: {', '.join(failed)}")
    return 1 if failed else 0


def everything(arguments: list[str]) -> int:
    """The wall's tests, then pytest on the real parts."""
    missing: list[str] = []
    failed = wall_tests(missing)
    lanes = 1 if arguments or KAFKA in os.environ else LANES
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="yiwang-parts-"))
        environment = compiled_once()
        for variable, names in {KAFKA: ["kafka"] * lanes, DATABASE: ["database"]}.items():
            if variable in environment:
                continue
            places = [Path(tempfile.mkdtemp(dir=folder)) for _ in names]
            urls = [start(*pair, stack, missing) for pair in zip(names, places, strict=True)]
            if None not in urls:
                environment[variable] = " ".join(map(str, urls))
        spread = ["-n", str(lanes), "--dist", "loadfile"] if lanes > 1 else []
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", f"--junitxml={report}", *spread]
        command += arguments or ["tests"]
        failed |= subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode != 0
        missing += skipped(report)
    for line in dict.fromkeys(missing):
        print(f"NOT TESTED HERE  {line}")
    return 1 if failed else 0


def compiled_once() -> dict[str, str]:
    """The environment in which hundreds of processes do not each compile what they import."""
    environment = dict(os.environ) | {"PYTHONPYCACHEPREFIX": str(Path(sys.prefix) / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def skipped(report: Path) -> list[str]:
    """Why tests were skipped, by pytest's report: each reason once, with how many it cost."""
    if not report.exists():  # it did not come so far
        return []
    found = ElementTree.parse(report).iter("skipped")
    reasons = Counter(one.get("message", "") for one in found)
    return [f"{reason} ({count} skipped)" for reason, count in sorted(reasons.items())]


def start(name: str, folder: Path, stack: ExitStack, missing: list[str]) -> str | None:
    """Address of a real Kafka or TimescaleDB started for this run; None if it cannot be had."""
    reason = parts.available()[name]
    if reason is None:
        print(f"starting a real {name}", flush=True)
        try:
            started = parts.start(folder, kafka=name == "kafka", database=name == "database")
        except YiwangError as error:
            reason = str(error)
        else:
            stack.callback(started.stop)
            return started.kafka_bootstrap or started.database_url
    what = {"kafka": "on a real Kafka", "database": "on TimescaleDB (plain PostgreSQL instead)"}
    missing.append(f"{what[name]}: {reason}")
    return None


def wall_tests(missing: list[str]) -> bool:
    """True when the front end's own tests failed."""
    if not (WALL / "node_modules").exists():
        missing.append("the wall's unit tests: no Node for Vite on this machine")
        return False
    npm, path = find_npm()
    return step(*npm, "test", cwd=WALL, path=path) or step(
        *npm, "run", "check", cwd=WALL, path=path
    )


def step(*command: str, cwd: Path = ROOT, path: str | None = None) -> bool:
    """Run and show; True when it failed. `path`: a folder to look for programs in first."""
    print(f"→ {' '.join(Path(part).name for part in command)}", flush=True)
    environment = dict(os.environ)
    if path is not None:
        environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
    return subprocess.run(command, cwd=cwd, env=environment, check=False).returncode != 0


if __name__ == "__main__":
    main()
