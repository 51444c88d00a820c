"""`make audit`: known vulnerabilities of what the two lock files name, as the registries know them.

Not part of any gate: it would fail commits that have not changed. Exit code 0: none known; 1: some
(of the wall's packages: high or critical); 3: a registry could not be asked.
"""

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pip._internal.models.index import PyPI

from deploy.bootstrap import LOCK, WALL, find_npm

GRAVE = ("high", "critical")
ASKED_AT_ONCE, SECONDS = 6, 20.0
FOUND, NOT_ASKED = 1, 3


@dataclass(frozen=True)
class Report:
    """Of one lock file. `not_asked`: why nobody could be, if so; `grave`: lines that fail the
    audit; `mild`: lines to read; `unjudged`: packages that nobody could be asked about."""

    what: str
    packages: int = 0
    grave: Sequence[str] = ()
    mild: Sequence[str] = ()
    unjudged: Sequence[str] = ()
    not_asked: str = ""

    def lines(self) -> list[str]:
        """For a person."""
        if self.not_asked:
            return [f"{self.what}: NOT AUDITED: {self.not_asked}"]
        count = (
            f"{len(self.grave)} grave, {len(self.mild)} mild" if self.grave or self.mild else "none"
        )
        rest = [f"{len(self.unjudged)} NOT AUDITED: {', '.join(self.unjudged)}"]
        return [f"{self.what}: {self.packages} packages, known vulnerabilities: {count}",
                *(f"  {line}" for line in (*self.grave, *self.mild,
                                           *(rest if self.unjudged else ())))]  # fmt: skip


def main() -> None:
    """Entry point."""
    reports = [python_packages(), wall_packages()]
    for report in reports:
        print("\n".join(report.lines()), flush=True)
    if any(report.grave for report in reports):
        sys.exit(FOUND)
    if any(report.not_asked or report.unjudged for report in reports):
        sys.exit(NOT_ASKED)


def python_packages() -> Report:
    """pip-audit on `requirements.lock`; it resolves and installs nothing. Where an index tells of
    no single release, what it tells of each project's newest one."""
    auditor = Path(sys.executable).parent / "pip-audit"
    command = [str(auditor), "--requirement", str(LOCK), "--require-hashes", "--disable-pip",
               "--format", "json", "--progress-spinner", "off"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = of_pip_audit(done.stdout, done.stderr)
    if not report.not_asked:
        return report
    locked = re.findall(r"^([\w.-]+)==([^\s;\\]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        told = list(pool.map(_project, [name for name, _ in locked]))
    newest = of_projects(locked, told)
    return newest if newest.packages else report


def wall_packages() -> Report:
    """npm audit on `package-lock.json`."""
    npm, path = find_npm()
    places = [path] if path else []
    environment = os.environ | {"PATH": os.pathsep.join([*places, os.environ.get("PATH", "")])}
    command = [*npm, "audit", "--json", "--package-lock-only"]
    done = subprocess.run(
        command, cwd=WALL, env=environment, capture_output=True, text=True, check=False
    )
    return of_npm_audit(done.stdout, done.stderr)


def of_pip_audit(said: str, complained: str) -> Report:
    """Its JSON. It knows no severities: all are grave."""
    known = _json(said)
    if "dependencies" not in known:
        return Report("Python", not_asked=_last_line(complained))
    packages = known["dependencies"]
    skipped = [f"{one['name']}: {one['skip_reason']}" for one in packages if "skip_reason" in one]
    if packages and len(skipped) == len(packages):
        return Report("Python", not_asked=skipped[0])
    grave = [
        _flaw(one["name"], one["version"], flaw["id"], flaw["fix_versions"])
        for one in packages
        for flaw in one.get("vulns", ())
    ]
    return Report("Python", len(packages), grave, skipped)


def of_projects(locked: Sequence[tuple[str, str]], told: Sequence[dict[str, Any]]) -> Report:
    """Projects' JSON (the index's API of that name): it names the flaws of the newest release
    alone, so that of a package that is locked below it nothing is known."""
    grave, unjudged = [], []
    for (name, version), project in zip(locked, told, strict=True):
        if "vulnerabilities" not in project or project["info"]["version"] != version:
            unjudged.append(f"{name} {version}")
            continue
        for flaw in project["vulnerabilities"]:
            grave.append(_flaw(name, version, flaw["id"], flaw.get("fixed_in") or ()))
    return Report("Python", len(locked) - len(unjudged), grave, unjudged=unjudged)


def of_npm_audit(said: str, complained: str) -> Report:
    """Its JSON, version 2."""
    known = _json(said)
    if "vulnerabilities" not in known:
        why = known.get("message") or known.get("error", {}).get("summary") or ""
        return Report("The wall's", not_asked=why or _last_line(complained))
    lines: dict[bool, list[str]] = {True: [], False: []}
    for name, flaw in sorted(known["vulnerabilities"].items()):
        line = f"{name} {flaw['range']}: {flaw['severity']}"
        lines[flaw["severity"] in GRAVE].append(line)
    total = known["metadata"]["dependencies"]["total"]
    return Report("The wall's", total, lines[True], lines[False])


def _flaw(name: str, version: str, flaw: str, mended_in: Sequence[str]) -> str:
    return f"{name} {version}: {flaw}, mended in {', '.join(mended_in) or 'no release'}"


def _project(name: str) -> dict[str, Any]:
    """What the index says of a project; empty if it does not answer."""
    try:
        with urllib.request.urlopen(f"{PyPI.pypi_url}/{name}/json", timeout=SECONDS) as answer:
            return _json(answer.read().decode())
    except (OSError, UnicodeDecodeError):
        return {}


def _json(said: str) -> dict[str, Any]:
    try:
        known = json.loads(said)
    except ValueError:
        return {}
    return known if isinstance(known, dict) else {}


def _last_line(complained: str) -> str:
    return (complained.strip().splitlines() or ["the registry does not answer"])[-1][:300]


if __name__ == "__main__":
    main()
