"""The checker finds what it is there for: a whole run's evidence, tampered with in one place."""

import ast
import copy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import checker, memory
from tests.chaos.checker import check, key_of
from tests.chaos.evidence import Evidence

MOMENT = "2026-05-01T08:00:{:02}.250000+08:00"
INCIDENT, STEPS = "i-1", ["incident.opened", "incident.cleared"]


def item(second: int, value: float, sensor: str = "a") -> dict[str, Any]:
    return {
        "sensor_id": sensor, "metric": "gas.concentration", "value": value,
        "observed_at": MOMENT.format(second),
    }  # fmt: skip


def row(one: dict[str, Any]) -> dict[str, Any]:
    sensor, metric, us = key_of(one)
    return {"sensor": sensor, "metric": metric, "us": us, "value": one["value"]}


@pytest.fixture
def good() -> Evidence:
    """Two batches of three readings: an alert that is raised and cleared; a repeat, a conflict."""
    first = [item(0, 5.0), item(1, 40.0), {**item(1, 1.0), "metric": "no.such"}]
    second = [item(1, 40.0), item(1, 41.0), item(2, 5.0)]
    stored = [row(first[0]), row(first[1]), row(second[2])]
    posts = [
        {"receipt": "r1", "items": first, "kinds": "nnw", "rejected": [2], "accepted": 2},
        {"receipt": "r2", "items": second, "kinds": "rcn", "rejected": [], "accepted": 3},
    ]
    timeline = [
        {"event": f"e-{n}", "incident": INCIDENT, "version": n, "type": kind}
        for n, kind in enumerate(STEPS, 1)
    ]
    deliveries = [
        {"id": f"d-{n}", "event": f"e-{n}", "incident": INCIDENT, "type": kind,
         "state": "delivered", "attempts": 1}
        for n, kind in enumerate(STEPS, 1)
    ]  # fmt: skip
    hooks = [
        {"id": f"d-{n}", "type": kind, "incident": INCIDENT, "version": n}
        for n, kind in enumerate(STEPS, 1)
    ]
    shown = ["a", "gas.concentration", 5.0, stored[2]["us"] // 1000]
    screen = {
        "name": "1", "series": [shown], "incidents": {INCIDENT: [2, "open", "cleared"]},
    }  # fmt: skip
    return Evidence(
        tables={
            "readings": stored,
            "quarantine": [{"code": "conflict", "item": second[1]}],
            "incidents": [{"id": INCIDENT, "version": 2, "state": "open", "alert_state": "cleared",
                           "subjects": ["a"], "historical": False, "kind": "alert"}],
            "timeline": timeline,
            "alerts": [{"rule": "gas", "subject": "a", "state": "cleared", "us": stored[1]["us"]}],
            "deliveries": deliveries,
            "outbox": [],
        },
        journals={
            "posts": posts, "hooks": hooks, "screens": [screen],
            "receipts": [
                {"receipt": "r2", "status": "stored", "quarantined": [1], "expected": [1]}
            ],
            "faults": [{"fault": "1", "kind": "kill", "recovered": 2.0}],
            "clients": [{"name": "p", "unplanned": [], "without_retry_after": 0, "gave_up": 0}],
            "memory": [],
        },
    )  # fmt: skip


def test_kept_promises_are_no_breach(good: Evidence) -> None:
    assert check(good) == []


def drop(table: str, at: int) -> Callable[[Evidence], None]:
    return lambda evidence: evidence.tables[table].__delitem__(at)


def again(table: str, at: int) -> Callable[[Evidence], None]:
    return lambda evidence: evidence.tables[table].append(copy.deepcopy(evidence.tables[table][at]))


def change(table: str, at: int, **values: Any) -> Callable[[Evidence], None]:
    return lambda evidence: evidence.tables[table][at].update(values)


def forge(journal: str, at: int, **values: Any) -> Callable[[Evidence], None]:
    return lambda evidence: evidence.journals[journal][at].update(values)


def forget(journal: str, at: int) -> Callable[[Evidence], None]:
    return lambda evidence: evidence.journals[journal].__delitem__(at)


@pytest.mark.parametrize(
    ("kind", "tamper"),
    [
        ("lost", drop("readings", 0)),
        ("doubled", again("readings", 0)),
        ("diverged", change("readings", 0, value=5.1)),
        ("invented", forget("posts", 0)),
        ("lost", drop("quarantine", 0)),
        ("set aside", change("quarantine", 0, item=item(2, 5.0))),
        ("set aside", change("quarantine", 0, code="poison")),
        ("lost", forge("receipts", 0, status="pending")),
        ("lost", forge("receipts", 0, quarantined=[])),
        ("lost", drop("alerts", 0)),
        ("doubled", again("alerts", 0)),
        ("invented", change("alerts", 0, us=1)),
        ("diverged", change("alerts", 0, state="active")),
        ("diverged", drop("timeline", 0)),
        ("diverged", change("incidents", 0, version=3)),
        ("untold", lambda evidence: evidence.tables["outbox"].append({"id": 1})),
        ("untold", drop("deliveries", 1)),
        ("doubled", again("deliveries", 1)),
        ("untold", change("deliveries", 1, state="queued")),
        ("untold", forget("hooks", 1)),
        ("invented", forge("hooks", 1, id="d-9")),
        ("disordered", lambda evidence: evidence.journals["hooks"].reverse()),
        ("unshown", forge("screens", 0, series=[])),
        ("unshown", forge("screens", 0, series=[["a", "gas.concentration", 4.0, 1]])),
        ("unshown", forge("screens", 0, incidents={INCIDENT: [1, "open", "active"]})),
        ("unshown", forge("screens", 0, incidents={})),
        ("refused", forge("clients", 0, unplanned=["500 oh"])),
        ("refused", forge("clients", 0, without_retry_after=1)),
        ("refused", forge("clients", 0, gave_up=1)),
        ("died", forge("clients", 0, died=["writer-1 (1)"])),
        ("slow", forge("faults", 0, recovered=None)),
        ("slow", forge("faults", 0, recovered=10.5)),
    ],
)
def test_a_broken_promise_is_found(
    good: Evidence, kind: str, tamper: Callable[[Evidence], None]
) -> None:
    tamper(good)
    assert kind in {breach.kind for breach in check(good)}


def test_a_webhook_that_comes_twice_is_fine(good: Evidence) -> None:
    good.journals["hooks"].append(good.journals["hooks"][0])
    assert check(good) == []


def weights(start: int, grown: int, seconds: int = 200) -> list[dict[str, Any]]:
    """A process that takes more and more, evenly; MiB."""
    return [
        {"at": float(at), "name": "writer-1", "pid": 7,
         "bytes": (start + grown * at // seconds) << 20}
        for at in range(0, seconds, 2)
    ]  # fmt: skip


def test_a_process_that_grows_is_found(good: Evidence) -> None:
    good.journals["memory"] = weights(100, 200)
    assert [breach.kind for breach in check(good)] == ["heavy"]


def test_a_process_that_is_warm_and_stays_so_is_fine() -> None:
    assert memory.too_heavy(weights(100, 10)) == []
    assert memory.too_heavy(weights(100, 200, seconds=60)) == []  # too young to be judged


def test_the_checker_shares_no_code_with_the_services() -> None:
    for module in (checker, memory):
        names = set()
        for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text())):
            if isinstance(node, ast.ImportFrom):
                names.add(node.module or "")
            elif isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
        ours = {name for name in names if name.split(".")[0] not in sys.stdlib_module_names}
        assert ours <= {"tests.chaos", "tests.chaos.evidence"}
