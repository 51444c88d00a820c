"""`rule_engine`: readings judged per second of one core, against decoding the same and no more.

100 rules on 20 metrics: per metric three plain thresholds (one a ladder, one with delays), one
about silence, and one of rate, stuck value, last week, or two metrics together. 2,000 sensors.
"""

import gc
import random
import statistics
import time
from collections.abc import Iterator
from typing import Any

from services.alerts.judging.partition import Judgement
from services.alerts.judging.rulebook import Book, Watch
from services.alerts.rules.rule import Rule
from shared.contracts.reading import Batch, Reading, decode_batch, encode_batch
from tests.bench import report

METRICS = [f"bench.m{number:02}" for number in range(20)]
SENSORS = 2_000
PER_RECORD = 500
START_US = 1_780_000_000 * 1_000_000
INTERVAL_US = 60 * 1_000_000
ODD = 0.002  # of the readings are beyond a limit
OTHERS = 9_900


def run(quick: bool) -> str:
    """The line of `rule_engine`."""
    before = report.machine()
    records = list(_records(10 if quick else 60))
    few, many = _book(0), _book(OTHERS)
    rounds = 3 if quick else 7
    limits, ours, grown = [], [], []
    for _ in range(rounds):
        limits.append(_rate(records, None))
        ours.append(_rate(records, few))
        grown.append(_growth(records, few, many))
    return report.line(
        "rule_engine",
        "readings/s per core",
        ours,
        limits,
        compared="decoding the same records",
        rules=len(few.rules),
        growth_with_9900_other_rules=round(statistics.median(grown), 3),
        **before,
    )


def _rate(records: list[bytes], book: Book | None) -> float:
    """Readings per second of processor time. The first tenth is not counted: it is where series
    begin."""
    warm = max(1, len(records) // 10)
    judge = _Judge(book) if book is not None else None
    for record in records[:warm]:
        _take(record, judge)
    gc.collect()
    began = time.process_time()
    heard = sum(_take(record, judge) for record in records[warm:])
    return heard / (time.process_time() - began)


def _growth(records: list[bytes], few: Book, many: Book) -> float:
    """How much dearer a reading is with many rules than with few: record by record in turn, so
    that what disturbs the one disturbs the other."""
    judges, spent = (_Judge(few), _Judge(many)), [0.0, 0.0]
    warm = max(1, len(records) // 10)
    for number, record in enumerate(records):
        for place in (0, 1) if number % 2 else (1, 0):
            batch = decode_batch(record)
            began = time.process_time()
            judges[place].hear(batch)
            spent[place] += (time.process_time() - began) * (number >= warm)
    return spent[1] / spent[0] - 1


class _Judge:
    """As the engine does: watchers are looked up once per series, and ticks follow records."""

    def __init__(self, book: Book) -> None:
        self.judgement = Judgement(book)
        self.known: dict[tuple[str, str], tuple[Watch, ...]] = {}
        self._book = book

    def hear(self, batch: Batch) -> None:
        judgement, known, metrics = self.judgement, self.known, self._book.metrics
        for reading in batch.items:
            if reading.metric not in metrics:
                continue
            series = (reading.sensor_id, reading.metric)
            watchers = known.get(series)
            if watchers is None:
                watchers = known[series] = self._book.watchers(*series, frozenset())
            judgement.hear(reading, watchers, batch.accepted_us)
        judgement.tick(batch.accepted_us)
        judgement.written()


def _take(record: bytes, judge: _Judge | None) -> int:
    batch = decode_batch(record)
    if judge is not None:
        judge.hear(batch)
    return len(batch.items)


def _records(rounds: int) -> Iterator[bytes]:
    """Every sensor once per round, each with its metric; values wander, some are odd."""
    chance = random.Random(4)
    values = [chance.uniform(20, 60) for _ in range(SENSORS)]
    for number in range(rounds):
        items = []
        for sensor in range(SENSORS):
            values[sensor] = min(70.0, max(10.0, values[sensor] + chance.gauss(0, 1)))
            value = 95.0 if chance.random() < ODD else values[sensor]
            at_us = START_US + number * INTERVAL_US + sensor * 20_000
            items.append(Reading(f"s-{sensor:05}", METRICS[sensor % 20], at_us, value))
        for first in range(0, SENSORS, PER_RECORD):
            part = items[first : first + PER_RECORD]
            yield encode_batch(Batch(part, part[-1].observed_us, "bench"))


def _book(others: int) -> Book:
    """The 100 rules, and so many on metrics that nobody posts."""
    rules = [rule for metric in METRICS for rule in _rules_on(metric)]
    rules += [_rule(f"other-{n}", f"other.m{n % 500}", {"above": 90}) for n in range(others)]
    return Book(rules)


def _rules_on(metric: str) -> list[Rule]:
    number = METRICS.index(metric)
    ladder = [
        {"above": 80 + 5 * step, "grade": 4 - step, "priority": 4 - step} for step in range(3)
    ]
    special: list[dict[str, Any]] = [
        {"rate": {"above": 30, "over": "10m"}},
        {"stuck": {"for": "2h", "within": 0.001}},
        {"week": {"by": "ratio", "above": 3}},
        {"all": [{"above": 75}, {"not": {"metric": METRICS[number - 1], "above": 75}}]},
    ]
    asked: list[dict[str, Any]] = [
        {"levels": ladder, "deadband": 2},
        {"above": 75, "for": "5m", "clear_for": "10m", "min_samples": 3},
        {"below": 5, "deadband": 1},
        {"absent": "15m"},
        special[number % len(special)],
    ]
    return [_rule(f"m{number}-{place}", metric, one) for place, one in enumerate(asked)]


def _rule(name: str, metric: str, asked: dict[str, Any]) -> Rule:
    title = {"zh": "测", "en": "bench"}
    fields = {"id": name, "title": title, "metric": metric, "grade": 4, "priority": 4}
    return Rule.model_validate(fields | asked)
