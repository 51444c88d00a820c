"""The real Prometheus on loopback, watching processes that run."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

import httpx
import pytest
import yaml

from shared.store.embedded import free_port
from tests.waiting import until

ROOT = Path(__file__).parents[1]
RULES = ROOT / "deploy" / "observability" / "alerts.yaml"


class Prometheus:
    """Asked over HTTP."""

    def __init__(self, url: str) -> None:
        self._url = url

    def answers(self) -> bool:
        """Whether it is ready."""
        try:
            return httpx.get(f"{self._url}/-/ready", timeout=2).is_success
        except httpx.HTTPError:
            return False

    def rules(self) -> list[dict[str, Any]]:
        """Each rule, as it was last judged."""
        groups = httpx.get(f"{self._url}/api/v1/rules", timeout=5).json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def firing(self) -> set[str]:
        """Names of the alerts that fire."""
        return {rule["name"] for rule in self.rules() if rule["state"] == "firing"}

    def value(self, query: str) -> float | None:
        """Of a query that answers one sample at most."""
        answer = httpx.get(f"{self._url}/api/v1/query", params={"query": query}, timeout=5)
        result = answer.json()["data"]["result"]
        return float(result[0]["value"][1]) if result else None


@contextmanager
def prometheus(folder: Path, targets: Sequence[str]) -> Iterator[Prometheus]:
    """One that looks at `targets` (host:port) each second, by the alerts that are shipped: only
    the time that they wait (`for`) is cut short."""
    program = which("prometheus")
    if program is None:
        pytest.skip("NO PROMETHEUS: Debian's package `prometheus` is not installed")
    _configure(folder, targets)
    port = free_port()
    command = [
        program,
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "prometheus.log").open("ab") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink, start_new_session=True)
    try:
        started = Prometheus(f"http://127.0.0.1:{port}")
        assert until(started.answers, 30), (folder / "prometheus.log").read_text()[-2000:]
        yield started
    finally:
        process.terminate()
        process.wait(90)


def _configure(folder: Path, targets: Sequence[str]) -> None:
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            if rule["alert"] != "YiwangBackupNone":
                rule["for"] = "1s"
    (folder / "alerts.yaml").write_text(yaml.safe_dump(rules, allow_unicode=True))
    every = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    job = {"job_name": "yiwang", "static_configs": [{"targets": list(targets)}]}
    whole = {"global": every, "rule_files": ["alerts.yaml"], "scrape_configs": [job]}
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(whole))
