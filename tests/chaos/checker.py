"""Compares what was promised with what is there. Pure; shares no code with the services.

`python -m tests.chaos.checker FOLDER` repeats the verdict on a folder that a run has left.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.chaos import memory
from tests.chaos.evidence import Evidence, Row, load

RAISED_ABOVE, CLEARED_AT = 20.0, 15.0  # of the run's one rule: fleet.RULES
METRIC = "gas.concentration"
RECOVERY_P95_SECONDS = 10.0
SHOWN = 5
Key = tuple[str, str, int]  # sensor, metric, epoch microseconds


@dataclass(frozen=True)
class Breach:
    """A promise that was not kept. `kind`: lost, doubled, invented, diverged, set aside, untold,
    disordered, unshown, heavy, slow, refused."""

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind.upper()}: {self.what}"


def check(evidence: Evidence) -> list[Breach]:
    """Every promise that was not kept."""
    return [
        *check_readings(evidence),
        *check_quarantine(evidence),
        *check_receipts(evidence),
        *check_alerts(evidence),
        *check_steps(evidence),
        *check_ledger(evidence),
        *check_screens(evidence),
        *check_clients(evidence),
        *check_recoveries(evidence),
        *(Breach("heavy", line) for line in memory.too_heavy(evidence.journal("memory"))),
    ]


def promised(evidence: Evidence) -> tuple[dict[Key, float], set[tuple[Key, float]]]:
    """(what must be stored, what must be set aside), from the acknowledged posts alone."""
    stored: dict[Key, float] = {}
    aside: set[tuple[Key, float]] = set()
    for post in evidence.journal("posts"):
        for index, (item, kind) in enumerate(zip(post["items"], post["kinds"], strict=True)):
            if index in post["rejected"]:
                continue
            key = key_of(item)
            if kind == "c":
                aside.add((key, float(item["value"])))
            else:
                stored.setdefault(key, float(item["value"]))
    return stored, aside


def key_of(item: Row) -> Key:
    """What a reading is known by."""
    moment = datetime.fromisoformat(item["observed_at"])
    us = round(moment.timestamp() * 1_000_000)
    return item["sensor_id"], item["metric"], us


def check_readings(evidence: Evidence) -> Iterator[Breach]:
    """Each promised reading once, with its value, and no other."""
    wanted, _ = promised(evidence)
    rows = [(row["sensor"], row["metric"], row["us"]) for row in evidence.table("readings")]
    values = {key: row["value"] for key, row in zip(rows, evidence.table("readings"), strict=True)}
    yield from _some("lost", "reading was acknowledged and is not stored", wanted.keys() - values)
    yield from _some(
        "invented", "reading is stored and was not sent", values.keys() - wanted.keys()
    )
    twice = [key for key, count in Counter(rows).items() if count > 1]
    yield from _some("doubled", "reading is stored twice", twice)
    other = [key for key in wanted.keys() & values.keys() if wanted[key] != values[key]]
    yield from _some("diverged", "reading is stored with another value", other)


def check_quarantine(evidence: Evidence) -> Iterator[Breach]:
    """Each conflict is set aside, and nothing else."""
    _, wanted = promised(evidence)
    found = {
        (key_of(row["item"]), float(row["item"]["value"]))
        for row in evidence.table("quarantine")
        if row["code"] == "conflict"
    }
    yield from _some("lost", "conflict is not in quarantine", wanted - found)
    yield from _some("set aside", "reading was no conflict", found - wanted)
    others = [
        f"{r['code']} {r['item']}" for r in evidence.table("quarantine") if r["code"] != "conflict"
    ]
    yield from _some("set aside", "item is in quarantine for no reason of ours", others)


def check_receipts(evidence: Evidence) -> Iterator[Breach]:
    """Each says stored, and which of its items were set aside."""
    for one in evidence.journal("receipts"):
        if one["status"] != "stored" or sorted(one["quarantined"]) != sorted(one["expected"]):
            yield Breach("lost", f"a receipt says {one['status']}, aside {one['quarantined']},"
                                 f" not {one['expected']}: {one['receipt']}")  # fmt: skip


def check_alerts(evidence: Evidence) -> Iterator[Breach]:
    """The alerts that follow from what is stored: each once, active or over as it should be."""
    wanted = dict(_alerts(evidence.table("readings")))
    rows = [((row["subject"], row["us"]), row["state"]) for row in evidence.table("alerts")]
    found = dict(rows)
    yield from _some("lost", "alert was not raised", wanted.keys() - found.keys())
    yield from _some("invented", "alert has no reading behind it", found.keys() - wanted.keys())
    twice = [key for key, count in Counter(key for key, _ in rows).items() if count > 1]
    yield from _some("doubled", "alert was raised twice", twice)
    both = wanted.keys() & found.keys()
    wrong = [f"{key}: {found[key]}" for key in both if (found[key] == "cleared") != wanted[key]]
    yield from _some("diverged", "alert is not in the state that its readings lead to", wrong)


def _alerts(rows: Iterable[Row]) -> Iterator[tuple[tuple[str, int], bool]]:
    """((sensor, start), whether it has cleared) of readings in the order of their time."""
    series: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for row in rows:
        if row["metric"] == METRIC:
            series[row["sensor"]].append((row["us"], row["value"]))
    for sensor, readings in series.items():
        start: int | None = None
        for us, value in sorted(readings):
            if start is None and value > RAISED_ABOVE:
                start = us
            elif start is not None and value <= CLEARED_AT:
                yield (sensor, start), True
                start = None
        if start is not None:
            yield (sensor, start), False


def check_steps(evidence: Evidence) -> Iterator[Breach]:
    """An incident is where its last step has led; its steps are numbered without a gap."""
    steps: dict[str, list[int]] = defaultdict(list)
    for row in evidence.table("timeline"):
        steps[row["incident"]].append(row["version"])
    for incident in evidence.table("incidents"):
        versions = sorted(steps.pop(incident["id"], []))
        if versions != list(range(1, incident["version"] + 1)):
            yield Breach("diverged", f"incident {incident['id']} has the steps {versions}, not"
                                     f" 1 … {incident['version']}")  # fmt: skip
    yield from _some("diverged", "step has no incident", steps)
    yield from _some(
        "untold", "step never left the outbox", [r["id"] for r in evidence.table("outbox")]
    )


def check_ledger(evidence: Evidence) -> Iterator[Breach]:
    """Every step has one delivery, each delivered at least once, in the incident's order."""
    ledger: dict[str, list[Row]] = defaultdict(list)
    for row in evidence.table("deliveries"):
        ledger[row["event"]].append(row)
    quiet = {row["id"] for row in evidence.table("incidents") if row["historical"]}
    steps = [row for row in evidence.table("timeline") if row["incident"] not in quiet]
    untold = [f"{s['type']} of {s['incident']}" for s in steps if s["event"] not in ledger]
    yield from _some("untold", "step is not in the ledger", untold)
    twice = [event for event, rows in ledger.items() if len(rows) > 1]
    yield from _some("doubled", "step is in the ledger twice", twice)
    left = [row for rows in ledger.values() for row in rows if row["state"] != "delivered"]
    yield from _some("untold", "delivery has not ended", [f"{r['state']} {r['id']}" for r in left])
    yield from _arrivals(evidence, {row["id"] for rows in ledger.values() for row in rows})


def _arrivals(evidence: Evidence, known: set[str]) -> Iterator[Breach]:
    first: dict[str, Row] = {}
    for hook in evidence.journal("hooks"):
        first.setdefault(hook["id"], hook)
    yield from _some("untold", "delivery has not arrived", known - first.keys())
    yield from _some("invented", "webhook is not in the ledger", first.keys() - known)
    newest: dict[str, int] = {}
    for hook in first.values():
        if hook["version"] < newest.get(hook["incident"], 0):
            yield Breach("disordered", f"{hook['incident']}: {hook['version']} came late")
        newest[hook["incident"]] = hook["version"]


def check_screens(evidence: Evidence) -> Iterator[Breach]:
    """Each screen shows the newest reading of every series and every open incident."""
    latest: dict[tuple[str, str], tuple[int, float]] = {}
    for row in evidence.table("readings"):
        key = (row["sensor"], row["metric"])
        latest[key] = max(latest.get(key, (0, 0.0)), (row["us"], row["value"]))
    wanted = {key: (us // 1000, value) for key, (us, value) in latest.items()}
    incidents = {
        row["id"]: [row["version"], row["state"], row["alert_state"]]
        for row in evidence.table("incidents")
        if row["state"] != "closed"
    }
    for screen in evidence.journal("screens"):
        shown = {(s, m): (at, value) for s, m, value, at in screen["series"]}
        name = screen["name"]
        yield from _unequal(name, "series", wanted, shown)
        yield from _unequal(name, "incidents", incidents, screen["incidents"])


def _unequal(
    screen: str, what: str, wanted: dict[Any, Any], shown: dict[Any, Any]
) -> Iterator[Breach]:
    wrong = [
        f"{key}: shown {shown.get(key)}, is {wanted.get(key)}"
        for key in sorted(wanted.keys() | shown.keys())
        if wanted.get(key) != shown.get(key)
    ]
    yield from _some("unshown", f"of the {what} of screen {screen} differ from the database", wrong)


def check_clients(evidence: Evidence) -> Iterator[Breach]:
    """No answer but 202, 429 and 503, and those with Retry-After."""
    for client in evidence.journal("clients"):
        yield from _some(
            "refused", f"answers to {client['name']} were not planned", client["unplanned"]
        )
        if client["without_retry_after"]:
            yield Breach("refused", f"{client['name']}: without Retry-After")
        if client["gave_up"]:
            yield Breach("refused", f"{client['name']} gave {client['gave_up']} batches up")
    yield from _some("died", "process ended by itself",
        [name for client in evidence.journal("clients") for name in client.get("died", ())],
    )  # fmt: skip


def check_recoveries(evidence: Evidence) -> Iterator[Breach]:
    """Everything works again after each fault, and soon after most."""
    found = [one["recovered"] for one in evidence.journal("faults")]
    never = [one["fault"] for one in evidence.journal("faults") if one["recovered"] is None]
    yield from _some("slow", "fault was not recovered from", never)
    seconds = sorted(one for one in found if one is not None)
    if seconds and percentile(seconds, 0.95) > RECOVERY_P95_SECONDS:
        slow = f"p95 of recovery is {percentile(seconds, 0.95):.1f} s"
        yield Breach("slow", f"{slow}, more than {RECOVERY_P95_SECONDS:g} s")


def percentile(ordered: list[float], share: float) -> float:
    """Nearest rank, of values in order."""
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def _some(kind: str, what: str, found: Iterable[Any]) -> Iterator[Breach]:
    """One breach for any number of the same kind, with the first few of them."""
    names = sorted(str(one) for one in found)
    if names:
        more = f" … and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        yield Breach(kind, f"{len(names)} × {what}: {'; '.join(names[:SHOWN])}{more}")


def main() -> None:
    """Exit code 1 if a promise was not kept."""
    breaches = check(load(Path(sys.argv[1])))
    for breach in breaches:
        print(breach)
    sys.exit(1 if breaches else 0)


if __name__ == "__main__":
    main()
