"""`browser`: script on the main thread per flush of the wall, 20,000 sensors, 2,000 updates/s.

The built wall in Chromium (no GPU: SwiftShader, in its own process), fed at 4 Hz with 500 series a
frame, one in 50 of them a change of state. Counted is all script of the page between two seconds
(decoding, the picture, the map, the figures and charts redrawn once a second), divided by the
frames of that second; the median over the seconds. The bar is 8 ms. Denominator (`limit_is`): the
same frames decoded by an empty page, the least that any client must do; rounds alternate.
`heap_mb_per_hour`: growth of the heap after a collection, from the first minute's end to the last.
"""

import json
import random
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, WebSocketRoute, sync_playwright

from shared.clock import monotonic
from tests.bench import report
from tests.e2e.conftest import ARGUMENTS, find_browser
from tests.e2e.scenes import NOW_MS, City
from tests.e2e.studio import ORIGIN, studio

SENSORS = 20_000
UPDATES = 2_000
TICKS = 4
CHANGING = 50  # one in so many updates changes the sensor's state
BAR_MS = 8.0
SETTLE_SECONDS = 8
LIMIT_IS = "script of an empty page that decodes the same frames"
BARE_PAGE = """() => {
  const socket = new WebSocket("ws://wall.test/v1/live");
  socket.onopen = () => socket.send("{}");
  socket.onmessage = (message) => { window.last = JSON.parse(message.data); };
}"""


@dataclass(frozen=True)
class Round:
    """Script per frame in ms, second by second; heap in MB before and after."""

    per_frame: list[float]
    heap: tuple[float, float]
    seconds: float

    @property
    def median_ms(self) -> float:
        """Of the seconds."""
        return statistics.median(self.per_frame)


def run(quick: bool) -> str:
    """Alternating rounds."""
    seconds, rounds = (10, 1) if quick else (40, 3)
    machine, frames = report.machine(), _frames(seconds + SETTLE_SECONDS)
    ours: list[Round] = []
    limits: list[Round] = []
    with _browser() as browser:
        for _ in range(rounds):
            limits.append(_round(_bare(browser), frames, seconds))
            ours.append(_round(_wall(browser), frames, seconds))
    growth = [(each.heap[1] - each.heap[0]) / each.seconds * 3600 for each in ours]
    return report.line(
        "browser",
        "ms of script per flush (median)",
        [each.median_ms for each in ours],
        [each.median_ms for each in limits],
        limit_is=LIMIT_IS,
        bar=BAR_MS,
        worst_second=round(max(max(each.per_frame) for each in ours), 1),
        heap_mb=round(statistics.median(each.heap[1] for each in ours), 1),
        heap_mb_per_hour=round(statistics.median(growth), 1),
        load=f"{SENSORS} sensors, {UPDATES} updates/s in {TICKS} frames, 1 in {CHANGING} a change",
        **machine,
    )


def _round(page: "tuple[Page, _Feed]", frames: list[str], seconds: int) -> Round:
    shown, feed = page
    session = shown.context.new_cdp_session(shown)
    session.send("Performance.enable")
    due = monotonic()
    for number in range(SETTLE_SECONDS * TICKS):
        due = _send(shown, feed, frames[number], due)
    before, samples, script = _heap(session), [], _script(session)
    started = monotonic()
    for second in range(seconds):
        for tick in range(TICKS):
            due = _send(shown, feed, frames[(SETTLE_SECONDS + second) * TICKS + tick], due)
        now = _script(session)
        samples.append(1000 * (now - script) / TICKS)
        script = now
    taken = monotonic() - started
    after = _heap(session)
    shown.context.close()
    return Round(samples, (before, after), taken)


def _send(page: Page, feed: "_Feed", frame: str, due: float) -> float:
    """At its time; the page's events are served meanwhile. When the next one is due."""
    feed.send(frame)
    page.wait_for_timeout(max(0.0, 1000 * (due + 1 / TICKS - monotonic())))
    return due + 1 / TICKS


class _Feed:
    """The page's socket."""

    def __init__(self, socket: WebSocketRoute | None = None) -> None:
        self.socket = socket

    def take(self, socket: WebSocketRoute) -> None:
        """It has been opened."""
        self.socket = socket

    def send(self, text: str) -> None:
        """One frame."""
        assert self.socket is not None
        self.socket.send(text)


def _wall(browser: Browser) -> tuple[Page, _Feed]:
    city = crowded()
    shown = studio(browser, city, 1920, 1080, frozen=False)
    shown.open("")
    return shown.page, _Feed(shown.socket)


def _bare(browser: Browser) -> tuple[Page, _Feed]:
    page = browser.new_context().new_page()
    feed = _Feed()
    page.route("**/*", lambda route: route.fulfill(body="<title>bare</title>"))
    page.route_web_socket(lambda _: True, feed.take)
    page.goto(f"{ORIGIN}/")
    page.evaluate(BARE_PAGE)
    while feed.socket is None:
        page.wait_for_timeout(20)
    return page, feed


def crowded() -> City:
    """The recorded city with as many sensors as a large one, each with one series that speaks."""
    city, dice = City(), random.Random(1)
    sensors = city.snapshot["sensors"]
    known = len(sensors["id"])
    picks = [dice.randrange(known) for _ in range(SENSORS)]
    city.snapshot["sensors"] = {
        "id": [f"s{number}" for number in range(SENSORS)],
        "name": [sensors["name"][pick] for pick in picks],
        "lon": [sensors["lon"][pick] + dice.gauss(0, 0.02) for pick in picks],
        "lat": [sensors["lat"][pick] + dice.gauss(0, 0.02) for pick in picks],
        "area_id": [sensors["area_id"][pick] for pick in picks],
    }
    metrics = [one["metric"] for one in city.snapshot["metrics"]]
    city.snapshot["series"] = {
        "sensor": list(range(SENSORS)),
        "metric": [metrics[number % len(metrics)] for number in range(SENSORS)],
        "value": [round(dice.uniform(1, 60), 2) for _ in range(SENSORS)],
        "observed_at": [NOW_MS - 60_000] * SENSORS,
        "state": ["normal"] * SENSORS,
    }
    return city


def _frames(seconds: int) -> list[str]:
    dice = random.Random(2)
    made = []
    for number in range(seconds * TICKS):
        series = dice.sample(range(SENSORS), UPDATES // TICKS)
        frame: dict[str, Any] = {
            "type": "delta",
            "series": series,
            "value": [round(dice.uniform(1, 60), 2) for _ in series],
            "observed_at": [NOW_MS - 50_000 + 250 * number] * len(series),
            "state": [_state(dice, place) for place in range(len(series))],
            "resume": "r",
        }
        made.append(json.dumps(frame))
    return made


def _state(dice: random.Random, place: int) -> str:
    return dice.choice(("stale", "bad", "p4", "p3")) if place % CHANGING == 0 else "normal"


@contextmanager
def _browser() -> Iterator[Browser]:
    path = find_browser()
    assert path is not None, "no Chromium is installed"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield running
        running.close()


def _script(session: CDPSession) -> float:
    return _metrics(session)["ScriptDuration"]


def _heap(session: CDPSession) -> float:
    """MB in use after a collection."""
    session.send("HeapProfiler.collectGarbage")
    return _metrics(session)["JSHeapUsedSize"] / 1e6


def _metrics(session: CDPSession) -> dict[str, float]:
    found = session.send("Performance.getMetrics")["metrics"]
    return {each["name"]: each["value"] for each in found}
