"""`post_to_paint`: a POST is due → its value is painted on the wall, in a real Chromium; less is
better. Bar: p50 < 400 ms, p99 < 1 s, with the 250 ms tick.

Load: 2,000 readings/s in batches of 100 and a probe every 95.5 ms; 20 screens: the wall at
1920 × 1080 and 19 sockets that decode every frame; everything, the browser too, on this machine.
Painted: the task after the animation frame after the flush that brought the value into the
wall's picture; the wall has come to rest before the first probe. `limit`: the same probes on the
19 sockets in the same run, so that `ratio` is what the browser adds. `way_ms`: medians of each
part of the way.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from playwright.async_api import Browser, Page, async_playwright

from shared.clock import monotonic
from shared.pause import eventually
from tests.bench import cities, cpu, load, report, rows
from tests.bench.post_to_screen import BATCH, PROBE_SECONDS, offer, post, probe, reading
from tests.bench.screens import FIRST_VALUE, STEP, Probes, Screen
from tests.e2e.conftest import ARGUMENTS, BROWSERS, find_browser

SOCKETS = 19
BATCHES_PER_SECOND = 20
STEADY_SECONDS = 30.0
BAR_MS = {"p50_ms": 400, "p99_ms": 1000}

# Every change of one series: [value, when the flush had applied it, when it was painted].
_MARK = """(sensor) => {
  const board = window.__wall, seen = [];
  window.__painted = seen;
  const now = () => performance.timeOrigin + performance.now();
  let last = NaN;
  board.subscribe(() => {
    const { sensors, series } = board.picture;
    const value = series.value[sensors.series[sensors.indexOf.get(sensor)][0]];
    if (value === last) return;
    last = value;
    const applied = now();
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => seen.push([value, applied, now()]);
      channel.port2.postMessage(null);
    });
  });
}"""
_STEADY = """() => { let before = window.__late = performance.now();
  const look = (now) => { if (now - before > 200) window.__late = now; before = now;
    requestAnimationFrame(look); };
  requestAnimationFrame(look); }"""
_FRAMES = """() => { window.__frames = 0;
  const count = () => { window.__frames += 1; requestAnimationFrame(count); };
  requestAnimationFrame(count); }"""


@dataclass(frozen=True)
class Round:
    """Seconds per probe: until the value was painted, applied, and (per socket) received."""

    painted: list[float]
    applied: list[float]
    received: list[float]
    rate: float
    frames_per_second: float

    @property
    def p50_ms(self) -> float:
        """The median."""
        return report.percentile(self.painted, 0.5) * 1000


def reason_it_cannot_run() -> str | None:
    """None if there is a browser."""
    return None if chromium() else f"none of {', '.join(BROWSERS)} is installed"


def run(quick: bool) -> str:
    """Rounds on one city and one browser."""
    seconds, rounds = (10, 1) if quick else (20, 3)
    machine, sensors = report.machine(), rows.names()
    with cities.embedded() as target:
        rows.register(target.url, target.api_key, sensors)
        found, cores = asyncio.run(_rounds(target, sensors, seconds, rounds))
    painted = report.latencies_ms([one for each in found for one in each.painted])
    received = report.latencies_ms([one for each in found for one in each.received])
    return report.line(
        "post_to_paint",
        "ms (p50)",
        [each.p50_ms for each in found],
        [report.percentile(each.received, 0.5) * 1000 for each in found],
        limit_is=f"p50 of the same probes on {SOCKETS} sockets without a browser, in the same run",
        bar_ms=BAR_MS,
        within_bar=all(painted[name] < bar for name, bar in BAR_MS.items()),
        load=f"{BATCH * BATCHES_PER_SECOND} readings/s in batches of {BATCH}, a probe every"
        f" {PROBE_SECONDS * 1000:.1f} ms, Chromium and all clients on this machine",
        load_sent=round(min(each.rate for each in found)),
        client=f"{load.CLIENT}; headless Chromium, 1920 × 1080, software rendering",
        shape="embedded",
        measured=sum(len(each.painted) for each in found),
        **painted,
        limit_p99_ms=received["p99_ms"],
        way_ms=_way(found),
        frames_per_second=round(statistics.median(each.frames_per_second for each in found), 1),
        cores=cores,
        **machine,
    )


def _way(found: Sequence[Round]) -> dict[str, float]:
    """Medians, in ms, of the parts that follow one another."""
    received = statistics.median(one for each in found for one in each.received)
    applied = statistics.median(one for each in found for one in each.applied)
    painted = statistics.median(one for each in found for one in each.painted)
    parts = {
        "post_to_socket": received,
        "socket_to_picture": applied - received,
        "picture_to_paint": painted - applied,
    }
    return {name: round(value * 1000, 1) for name, value in parts.items()}


async def _rounds(
    target: cities.Target, sensors: Sequence[str], seconds: int, rounds: int
) -> tuple[list[Round], dict[str, float]]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=[*ARGUMENTS, f"--yiwang-bench={os.getpid()}"]
        )
        page = await _wall(browser, target)
        roots = {**target.roots, "browser": _browser_pid()}
        parts, found = [], []
        for number in range(rounds):
            cpu.settle(target.roots)
            # A probe sensor of its own: values begin anew with every round.
            own = [sensors[number], *sensors[rounds:]]
            before = cpu.seconds(roots) | {"client": time.process_time()}
            found.append(await _round(page, target, own, seconds))
            after = cpu.seconds(roots) | {"client": time.process_time()}
            parts.append({name: (after[name] - before[name]) / seconds for name in before})
        await browser.close()
    return found, report.medians(parts, 2)


async def _round(page: Page, target: cities.Target, sensors: Sequence[str], seconds: int) -> Round:
    port, key = target.port, target.api_key
    await post(port, key, reading(sensors[0], rows.now(), FIRST_VALUE - 1))
    await page.evaluate(_MARK, sensors[0])
    await page.evaluate(_FRAMES)
    probes = Probes()
    screens = [Screen(sensors[0], probes) for _ in range(SOCKETS)]
    address = target.wall.replace("http", "ws", 1) + "/v1/live"
    address += f"?token={target.credentials['screen_token']}"
    async with asyncio.TaskGroup() as group:
        watching = [group.create_task(screen.watch(address)) for screen in screens]
        async with asyncio.timeout(60):
            await asyncio.gather(*(screen.open.wait() for screen in screens))
        epoch, started = time.time() - monotonic(), monotonic()
        loading = group.create_task(offer(port, key, sensors[1:], seconds, BATCHES_PER_SECOND))
        await probe(port, key, sensors[0], probes, seconds)
        rate = await loading
        ended = monotonic()
        frames = await page.evaluate("window.__frames") / (ended - started)
        last = round(FIRST_VALUE + STEP * (len(probes.due) - 1), 2)
        assert await eventually(lambda: _has_painted(page, last), 15), (
            "the last probe is not painted"
        )
        marks = await page.evaluate("window.__painted")
        assert await eventually(lambda: _all_received(probes), 15)
        for task in watching:
            task.cancel()
    due = [epoch + moment for moment in probes.due]
    painted, applied = _latencies(due, marks)
    return Round(painted, applied, probes.latencies, rate, frames)


def _latencies(
    due: Sequence[float], marks: Sequence[Sequence[float]]
) -> tuple[list[float], list[float]]:
    """Of each probe, in seconds: until painted, until applied; its value or a newer one counts."""
    painted: list[float] = []
    applied: list[float] = []
    seen = 0
    for value, applied_ms, painted_ms in marks:
        until = min(len(due), max(seen, round((value - FIRST_VALUE) / STEP) + 1))
        for moment in due[seen:until]:
            applied.append(applied_ms / 1000 - moment)
            painted.append(painted_ms / 1000 - moment)
        seen = until
    return painted, applied


async def _has_painted(page: Page, value: float) -> bool:
    newest = await page.evaluate("window.__painted.at(-1)?.[0] ?? 0")
    return float(newest) >= value - STEP / 2


async def _all_received(probes: Probes) -> bool:
    return len(probes.latencies) >= len(probes.due) * SOCKETS


async def _wall(browser: Browser, target: cities.Target) -> Page:
    page = await browser.new_page(viewport={"width": 1920, "height": 1080}, locale="zh-CN")
    await page.goto(f"{target.wall}/?token={target.credentials['screen_token']}")

    async def live() -> bool:
        return bool(await page.evaluate("window.__wall?.link.value") == "live")

    assert await eventually(live, 60), "the wall is not live"
    await page.locator("section.map canvas").wait_for()
    await page.evaluate(_STEADY)
    steady = await eventually(lambda: _steady(page), STEADY_SECONDS)
    if not steady:
        print("the wall has not come to rest: this machine is busy", file=sys.stderr)
    return page


async def _steady(page: Page) -> bool:
    """Two seconds without a frame that came late: the map is drawn, everything is compiled."""
    return float(await page.evaluate("performance.now() - window.__late")) > 2_000


def chromium() -> str | None:
    """Path of a browser, if there is one."""
    return find_browser()


def _browser_pid() -> int:
    """Of the browser's first process."""
    mark = f"--yiwang-bench={os.getpid()}".encode()
    for folder in cpu.PROC.glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if mark in line and b"--type=" not in line:
            return int(folder.name)
    raise AssertionError("the browser is not running")
