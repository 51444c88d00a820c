"""The dashboard is what Grafana's own types can hold, and asks for what exists."""

import json
import re
import subprocess
from shutil import which
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.observability.catalogue import declared
from deploy.observability.dashboard import CHARTS, FILE, dashboard
from tests.leaves import leaves


def unknown(written: dict[str, Any]) -> set[str]:
    """What Grafana's types drop: read by them and written again, a field that they lack is gone."""
    register_default_plugins()
    again = json.loads(JSONEncoder().encode(Dashboard.from_json(written)))
    return {path for path, _ in set(leaves(written)) - set(leaves(again))}


def test_the_file_is_what_the_list_of_charts_makes() -> None:
    assert FILE.read_text(encoding="utf-8") == dashboard()


def test_grafana_knows_every_field() -> None:
    written = json.loads(dashboard())
    assert unknown(written) == set()
    written["panels"][0]["options"]["legend"]["placment"] = "bottom"
    assert unknown(written) == {".panels[0].options.legend.placment"}


def test_no_two_panels_share_a_place() -> None:
    panels = json.loads(dashboard())["panels"]
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(CHARTS) == len({panel["title"] for panel in panels})


def test_every_query_asks_for_metrics_that_exist() -> None:
    known = {one.name for one in declared()}
    for chart in CHARTS:
        for legend, query in chart.queries.items():
            named = {re.sub("_bucket$", "", name) for name in re.findall(r"yiwang_[a-z_]+", query)}
            assert named <= known
            assert named or "process_" in query
            for label in re.findall(r"{{(\w+)}}", legend):
                assert label == "instance" or f"({label})" in query or f"{label}," in query


def test_prometheus_understands_every_query(tmp_path: Any) -> None:
    program = which("promtool")
    if program is None:
        pytest.skip("NO PROMTOOL: Debian's package `prometheus` is not installed")
    queries = [query for chart in CHARTS for query in chart.queries.values()]
    rules = [{"record": f"chart:{at}", "expr": query} for at, query in enumerate(queries)]
    file = tmp_path / "charts.yaml"
    file.write_text(json.dumps({"groups": [{"name": "charts", "rules": rules}]}))
    command = [program, "check", "rules", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
