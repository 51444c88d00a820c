"""`soak`: an hour of the wall in minutes; how fast its heap grows, in MB per hour; less is better.
Bar: < 1 MB/h.

The real page in a real Chromium with 20,000 sensors and 2,000 updates/s (`soak.js` stands in for
the socket) and incidents that come and go; its clock and timers run up to twenty times as fast, so
that every tick, flush and beat of the hour happens. The heap is measured after a garbage collection
every three minutes of the page's time; the slope is the least-squares line's, after ten minutes.
"""

import asyncio
import statistics
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from playwright.async_api import Page, async_playwright

from shared.clock import monotonic
from shared.pause import eventually
from tests.bench import cities, report
from tests.bench.post_to_paint import chromium
from tests.e2e.conftest import ARGUMENTS

BAR_MB_PER_HOUR = 1.0
WARM_MINUTES, MINUTES, SAMPLE_MINUTES = 10, 60, 3
TICK_SECONDS = 0.25
PATIENCE_SECONDS = 600.0
_SOCKET = Path(__file__).with_suffix(".js")


def run(quick: bool) -> str:
    """One city, one page."""
    machine = report.machine()
    minutes = 20 if quick else MINUTES
    started = monotonic()
    with cities.embedded() as target:
        samples, ticks = asyncio.run(_soak(target, minutes))
    slope = slope_per_hour(samples)
    return report.line(
        "soak",
        "MB/h of heap",
        [slope],
        [BAR_MB_PER_HOUR],
        limit_is="the bar; not measured",
        within_bar=slope < BAR_MB_PER_HOUR,
        load="20,000 sensors, 2,000 updates/s, an incident every 5 s, closed after a minute",
        client="headless Chromium, 1920 × 1080, its clock twenty times as fast",
        simulated_minutes=WARM_MINUTES + minutes,
        ticks=ticks,
        heap_mb={"first": round(samples[0][1], 2), "last": round(samples[-1][1], 2),
                 "median": round(statistics.median(one for _, one in samples), 2)},
        acceleration=round((WARM_MINUTES + minutes) * 60 / (monotonic() - started), 1),
        **machine,
    )  # fmt: skip


def slope_per_hour(samples: Sequence[tuple[float, float]]) -> float:
    """Of (minute, MB): the least-squares line's slope, in MB per hour."""
    minutes, sizes = zip(*samples, strict=True)
    return statistics.linear_regression(minutes, sizes).slope * 60


async def _soak(target: cities.Target, minutes: int) -> tuple[list[tuple[float, float]], int]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=[*ARGUMENTS])
        page = await browser.new_page(viewport={"width": 1920, "height": 1080}, locale="zh-CN")
        await page.add_init_script(path=_SOCKET)
        await page.goto(f"{target.wall}/?token={target.credentials['screen_token']}")
        await page.locator("section.map canvas").wait_for()
        samples: list[tuple[float, float]] = []
        for minute in range(WARM_MINUTES, WARM_MINUTES + minutes + 1, SAMPLE_MINUTES):
            reached = await eventually(partial(_has_run, page, minute), PATIENCE_SECONDS)
            assert reached, f"the page stands still at {await _minute(page):.1f} min"
            samples.append((await _minute(page), await _heap_mb(page)))
        ticks = int(await page.evaluate("window.__ticks"))
        shown = int(await page.evaluate("window.__wall.picture.sensors.id.length"))
        await browser.close()
    assert shown == 20_000, "the page has lost the picture"
    return samples, ticks


async def _minute(page: Page) -> float:
    """Of the page's time, by what it has been sent."""
    return float(await page.evaluate("window.__ticks ?? 0")) * TICK_SECONDS / 60


async def _has_run(page: Page, minute: int) -> bool:
    return await _minute(page) >= minute


async def _heap_mb(page: Page) -> float:
    devtools = await page.context.new_cdp_session(page)
    try:
        for _ in range(2):  # the first frees what the second can then see as garbage
            await devtools.send("HeapProfiler.collectGarbage")
        used = await devtools.send("Runtime.getHeapUsage")
    finally:
        await devtools.detach()
    return float(used["usedSize"]) / 1e6
