"""`observing`: what metrics, scrapes and traces of one request in a hundred cost, CPU per reading.

Value: CPU of the services per reading, whole city, metrics on, scraped every 5 s (Prometheus does
so every 15), traces to a collector that takes them. Denominator (`limit_is`): the same process a
moment before or after, with metrics that count nothing, no scrape, no traces. Pairs of short
rounds, on and off, off and on; `ratio` is the median of the pairs' ratios, `interval` holds the
true median in 95 of 100 runs (by order statistics: nothing is assumed of the noise), `verdict` is
what it tells of the bar. What the process uses when nothing arrives is taken off both. 20 readings
a POST: the smaller the requests, the more there is to count and to sample. The database is not
counted.
"""

import asyncio
import os
import statistics
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import comb

import httpx

from shared.clock import monotonic
from tests.bench import blinking, cities, cpu, load, report, rows
from tests.collector import collecting

CONNECTIONS = 8
SENSORS = 1000
POSTED = 20
RATIO = "0.01"
SCRAPE_SECONDS = 5.0
IDLE_SECONDS = 5.0
SWITCH_SECONDS = 10.0
BAR = 1.03
ACCEPTED = "yiwang_ingest_accepted_total"


def run(quick: bool) -> str:
    """Pairs of rounds; the client included on this machine."""
    count, pairs = (20_000, 10) if quick else (30_000, 30)
    machine = report.machine()
    with collecting() as collector:
        settings = {"TRACES_URL": collector.url, "TRACES_RATIO": RATIO}
        with cities.embedded("tests.bench.blinking", settings) as target:
            taken = _pairs(target, count, pairs)
        spans = len(collector)
    observed, bare = [pair[0] for pair in taken], [pair[1] for pair in taken]
    ratios = sorted(ours / limit for ours, limit in taken)
    low, high = interval(ratios)
    return report.line(
        "observing", "µs of CPU per reading", observed, bare,
        limit_is="the same process without metrics, scrapes and traces", bar=BAR,
        interval=[round(low, 3), round(high, 3)], verdict=verdict(low, high),
        quartiles=[round(at, 3) for at in statistics.quantiles(ratios, n=4)],
        posted=POSTED, spans=spans, sampled=float(RATIO), readings=count, **machine,
    )  # fmt: skip


def interval(ordered: Sequence[float], chance: float = 0.05) -> tuple[float, float]:
    """Holds the true median but in `chance` of the cases; the narrowest pair of order statistics
    that does. Pure."""
    number, below, rank = len(ordered), 0.0, 0
    while below + comb(number, rank) / 2**number <= chance / 2 and rank < number // 2:
        below += comb(number, rank) / 2**number
        rank += 1
    rank = max(rank, 1)
    return ordered[rank - 1], ordered[number - rank]


def verdict(low: float, high: float) -> str:
    """Of an interval and the bar. Pure."""
    if high <= BAR:
        return "below the bar"
    return "above the bar" if low > BAR else "not told apart from the bar"


def _pairs(target: cities.Target, count: int, pairs: int) -> list[tuple[float, float]]:
    """(observed, bare) µs of CPU per reading."""
    first, *sets = rows.rounds(count, 2 * pairs + 1, SENSORS)
    rows.register(target.url, target.api_key, first.sensors)
    _round(target, first, 0.0)
    idle = cpu.idle(_services(target), IDLE_SECONDS)["services"]
    scraper, taken = Scraper(f"{target.url}/metrics"), []
    for number in range(pairs):
        found: dict[bool, float] = {}
        for on in (number % 2 == 0, number % 2 == 1):
            _switch(target, on)
            before, data = _accepted(target), sets.pop(0)
            if on:
                with scraper.scraping():
                    found[on] = _round(target, data, idle)
            else:
                found[on] = _round(target, data, idle)
            assert _accepted(target) - before == (count if on else 0), "it did not blink"
        taken.append((found[True], found[False]))
    return taken


def _switch(target: cities.Target, on: bool) -> None:
    os.kill(target.roots["services"], blinking.ON if on else blinking.OFF)


def _round(target: cities.Target, data: rows.Rows, idle: float) -> float:
    """Microseconds of the services' CPU per reading, digested; `idle`: share of a core that is
    theirs when nothing arrives."""
    roots = _services(target)
    messages = [load.request("/v1/readings", target.api_key, body) for body in data.bodies(POSTED)]
    cpu.settle(roots)
    before, began = cpu.seconds(roots)["services"], monotonic()
    asyncio.run(load.send_all(target.port, messages, CONNECTIONS))
    cpu.settle(roots)
    spent = cpu.seconds(roots)["services"] - before - idle * (monotonic() - began)
    return spent / data.count * 1e6


def _services(target: cities.Target) -> dict[str, int]:
    return {"services": target.roots["services"]}


def _accepted(target: cities.Target) -> float:
    """What its metrics say it has accepted over HTTP."""
    answer = httpx.get(f"{target.url}/metrics", timeout=10).raise_for_status()
    lines = [line for line in answer.text.splitlines() if line.startswith(ACCEPTED)]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


class Scraper:
    """As Prometheus does, only oftener; the time between blocks does not count."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._left = SCRAPE_SECONDS

    @contextmanager
    def scraping(self) -> Iterator[None]:
        """For the time of a block."""
        over = threading.Event()
        thread = threading.Thread(target=self._scrape, args=(over,))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _scrape(self, over: threading.Event) -> None:
        began = monotonic()
        with httpx.Client() as client:
            while not over.wait(self._left):
                client.get(self._url).raise_for_status()
                self._left, began = SCRAPE_SECONDS, monotonic()
        self._left = max(0.0, self._left - (monotonic() - began))
