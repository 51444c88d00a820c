"""`observing`: what metrics, scrapes and traces of one request in a hundred cost, CPU per reading.

Value: CPU of the services per reading, whole city, metrics on, scraped every 5 s (Prometheus
does so every 15), traces to a collector that takes them. Denominator (`limit_is`): the same product
with metrics that count nothing, no scrape, no traces; both run all the time, rounds alternate after
one that warms both. 20 readings a POST: the smaller the requests, the more there is to count and to
sample. The database is not counted.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx

from tests.bench import cities, cpu, load, report, rows
from tests.collector import collecting

CONNECTIONS = 8
POSTED = 20
RATIO = "0.01"
SCRAPE_SECONDS = 5.0
MOST = 1.03  # times the denominator


def run(quick: bool) -> str:
    """Alternating rounds; clients included on this machine."""
    count, rounds = (20_000, 2) if quick else (60_000, 5)
    machine = report.machine()
    ours: list[float] = []
    bare: list[float] = []
    with ExitStack() as stack:
        collector = stack.enter_context(collecting())
        settings = {"TRACES_URL": collector.url, "TRACES_RATIO": RATIO}
        observed = stack.enter_context(cities.embedded(settings=settings))
        unobserved = stack.enter_context(cities.embedded("tests.bench.unobserved"))
        first, *sets = rows.rounds(count, rounds + 1)
        for target in (observed, unobserved):
            rows.register(target.url, target.api_key, first.sensors)
            _round(target, first)
        for data in sets:
            bare.append(_round(unobserved, data))
            with _scraping(observed):
                ours.append(_round(observed, data))
        traced = len(collector)
    return report.line(
        "observing", "µs of CPU per reading", ours, bare,
        limit_is="the same without metrics, scrapes and traces", bar=MOST, posted=POSTED,
        spans=traced, sampled=float(RATIO), readings=count, **machine,
    )  # fmt: skip


def _round(target: cities.Target, data: rows.Rows) -> float:
    """Microseconds of the services' CPU per reading, digested."""
    roots = {"services": target.roots["services"]}
    messages = [load.request("/v1/readings", target.api_key, body) for body in data.bodies(POSTED)]
    cpu.settle(roots)
    before = cpu.seconds(roots)
    asyncio.run(load.send_all(target.port, messages, CONNECTIONS))
    cpu.settle(roots)
    return cpu.per_item(before, cpu.seconds(roots), data.count)["services"]


@contextmanager
def _scraping(target: cities.Target) -> Iterator[None]:
    """As Prometheus does, only oftener."""
    over = threading.Event()

    def scrape() -> None:
        with httpx.Client() as client:
            while not over.wait(SCRAPE_SECONDS):
                client.get(f"{target.url}/metrics").raise_for_status()

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
