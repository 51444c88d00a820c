"""Metrics, alerts, runbook and dashboard agree; promtool finds nothing."""

import re
import subprocess
from collections import Counter
from shutil import which
from typing import Any

import pytest
import yaml

from deploy.observability.catalogue import PAGE, ROOT, declared, table

FOLDER = ROOT / "deploy" / "observability"
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
METRICS = {one.name: one for one in declared()}
MEASURES = ("_seconds", "_bytes", "_records")
# Numbers of the things that the name names, and flags.
COUNTED = (
    "_clients", "_replays", "_items", "_dropped", "_refusals", "_stalled", "_ready", "_refusing",
    "_receiving", "_failing",
)  # fmt: skip
NAME = re.compile(r"yiwang_[a-z_]+")


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def metric_of(series: str) -> str:
    """A histogram's series have endings of their own."""
    return re.sub(r"_(bucket|sum|count)$", "", series)


def promtool(*arguments: str) -> None:
    program = which("promtool")
    if program is None:
        pytest.skip("NO PROMTOOL: Debian's package `prometheus` is not installed")
    command = [program, *arguments]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_is_declared_once_where_metrics_are() -> None:
    assert len(METRICS) > 50
    assert not [
        name for name, times in Counter(one.name for one in declared()).items() if times > 1
    ]
    assert not [one.file for one in declared() if not one.file.endswith("/metrics.py")]


def test_every_metric_has_a_unit_and_says_what_it_is() -> None:
    for one in declared():
        endings = ("_total",) if one.kind == "Counter" else (*MEASURES, *COUNTED)
        assert one.name.startswith("yiwang_")
        assert one.name.endswith(endings), one
        assert len(one.help.split()) > 2, one
        assert "quantile" not in one.labels  # of a summary alone
        assert not {"job", "instance"} & set(one.labels)  # Prometheus' own


def test_the_page_of_metrics_is_what_is_declared() -> None:
    assert table() in PAGE.read_text(encoding="utf-8")


def test_every_alert_has_its_section_of_the_runbook_and_the_other_way_round() -> None:
    sections = re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE)
    assert sections == [rule["alert"] for rule in rules()]
    for part in RUNBOOK.split("\n## ")[1:]:
        assert "**Means**" in part
        assert "**Mend" in part or "**Look**" in part, part


def test_every_alert_says_how_urgent_it_is_in_both_languages() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert re.search(r"[\u4e00-\u9fff]", rule["annotations"]["summary"])
        assert rule["annotations"]["summary_en"].isascii()


def test_alerts_ask_for_metrics_that_exist_and_labels_that_they_have() -> None:
    for rule in rules():
        said = rule["expr"] + " ".join(rule["annotations"].values())
        named = [METRICS[metric_of(name)] for name in NAME.findall(rule["expr"])]
        labels = {label for one in named for label in one.labels} | {"instance", "job"}
        assert named or "up{" in rule["expr"]
        assert set(re.findall(r"\$labels\.(\w+)", said)) <= labels, rule["alert"]
        assert set(re.findall(r'(\w+)!?=~?"', rule["expr"])) <= labels, rule["alert"]


def test_every_alert_is_tried_quiet_and_firing() -> None:
    tests = yaml.safe_load((FOLDER / "alerts_test.yaml").read_text())["tests"]
    assert [test["name"] for test in tests] == [rule["alert"] for rule in rules()]
    for test in tests:
        assert [len(case["exp_samples"]) for case in test["promql_expr_test"]] == [0, 1]
        assert all(f'"{test["name"]}"' in case["expr"] for case in test["promql_expr_test"])


def test_prometheus_takes_rules_and_configuration() -> None:
    promtool("check", "rules", "alerts.yaml")
    promtool("check", "config", "prometheus.yaml")


def test_prometheus_judges_the_alerts_as_their_tests_say() -> None:
    promtool("test", "rules", "alerts_test.yaml")
