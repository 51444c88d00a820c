"""What a wall that nobody looks after must survive. The page's clock is moved, nobody sleeps."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import websockets
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.e2e.conftest import new_context, running_city
from tests.e2e.screens import open_wall, steward, wall_is_live
from tests.e2e.wire import Wire
from tests.product import Product
from tests.waiting import until

WALLS = 60
_LOSE_CONTEXT = """() => document.querySelector("section.map canvas").getContext("webgl2")
  .getExtension("WEBGL_lose_context").loseContext()"""
_MARK = "() => { window.__before = true; }"
_FULL_HEAP = """() => Object.defineProperty(performance, "memory",
  { value: { usedJSHeapSize: 1.3e9 } })"""


@pytest.fixture(scope="module")
def city(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A calm one: in a flood of alarms a wall is not loaded anew."""
    assert chromium
    with running_city(tmp_path_factory.mktemp("calm")) as product:
        yield product


@pytest.fixture
def slow_context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser whose clock the test can move; it is 03:00 in the city."""
    made = new_context(browser)
    made.clock.install(time="2026-05-02T03:00:00+08:00")
    yield made
    made.close()


def marked(page: Page) -> Page:
    """Loading it anew takes the mark away."""
    page.evaluate(_MARK)
    return page


def reloaded(page: Page) -> bool:
    with suppress(Exception):  # while it loads, there is nothing to ask
        return page.evaluate("window.__before") is None
    return False


def move_until_reloaded(page: Page, ticks: str) -> None:
    """Time goes on by `ticks` until the page has been loaded anew and is live."""

    def moved() -> bool:
        if not reloaded(page):
            with suppress(Exception):
                page.clock.fast_forward(ticks)
        return reloaded(page)

    assert until(moved, 60)
    wall_is_live(page)


def test_a_lost_graphics_context_comes_back_by_itself(
    city: Product, slow_context: BrowserContext
) -> None:
    page = marked(open_wall(slow_context, city))
    page.locator("section.map canvas").wait_for()
    page.evaluate(_LOSE_CONTEXT)
    assert not reloaded(page)
    move_until_reloaded(page, "00:06")
    page.locator("section.map canvas").wait_for()


def test_a_page_whose_heap_has_grown_is_loaded_anew(
    city: Product, slow_context: BrowserContext
) -> None:
    page = marked(open_wall(slow_context, city))
    page.clock.fast_forward("01:10")
    assert not reloaded(page)
    page.evaluate(_FULL_HEAP)
    move_until_reloaded(page, "01:10")


def test_every_night_after_four_unless_it_is_young(
    city: Product, slow_context: BrowserContext
) -> None:
    page = marked(open_wall(slow_context, city))
    page.clock.fast_forward("02:30:00")  # 05:30, but loaded within two hours of its minute
    page.clock.fast_forward("01:10")
    assert not reloaded(page)
    page.clock.fast_forward("20:00:00")
    page.clock.fast_forward("03:40:00")
    move_until_reloaded(page, "01:10")


def test_a_new_build_is_loaded_within_minutes(city: Product, slow_context: BrowserContext) -> None:
    page = marked(open_wall(slow_context, city))
    page.clock.fast_forward("05:10")
    page.clock.fast_forward("01:10")
    assert not reloaded(page)

    def newer(route: Route) -> None:
        if route.request.resource_type != "fetch":
            route.continue_()
            return
        body = '<script type="module" src="/assets/wall-another.js"></script>'
        route.fulfill(status=200, content_type="text/html", body=body)

    page.route(lambda url: "/?token=" in url and "/v1/" not in url, newer)
    move_until_reloaded(page, "01:10")


def test_a_half_open_socket_is_noticed_within_fifteen_seconds_and_replaced(
    city: Product, slow_context: BrowserContext
) -> None:
    wire = Wire(city.port)
    try:
        page = slow_context.new_page()
        page.goto(f"http://127.0.0.1:{wire.port}/?token={city.credentials['screen_token']}")
        wall_is_live(page)
        page.locator("section.map canvas").wait_for()
        wire.freeze()

        def noticed() -> bool:
            page.clock.run_for(1000)
            return bool(page.evaluate("window.__wall.link.value") == "lost")

        before = page.evaluate("Date.now()")
        assert until(noticed, 60)
        assert page.evaluate("Date.now()") - before < 30_000  # 15 s, and what the test itself took
        expect(page.locator(".banner")).to_be_visible()
        wire.thaw()

        def back() -> bool:
            page.clock.run_for(1000)
            return bool(page.evaluate("window.__wall.link.value") == "live")

        assert until(back, 60)
        expect(page.locator(".banner")).to_have_count(0)
    finally:
        wire.close()


class Walls:
    """Sockets that come back as walls do: with their token, after a while."""

    def __init__(self, product: Product, count: int) -> None:
        self._address = product.url.replace("http", "ws", 1) + "/v1/live"
        self._address += f"?token={product.credentials['screen_token']}"
        self._count = count
        self._stop = threading.Event()
        self.live: set[int] = set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> "Walls":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(20)

    async def _run(self) -> None:
        tasks = [asyncio.ensure_future(self._wall(number)) for number in range(self._count)]
        await asyncio.to_thread(self._stop.wait)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _wall(self, number: int) -> None:
        resume = None
        while True:
            try:
                async with websockets.connect(self._address, max_size=None) as socket:
                    hello = {"type": "hello", "resume": resume, "filter": None}
                    await socket.send(json.dumps(hello))
                    async for message in socket:
                        frame = json.loads(message)
                        resume = frame.get("resume", resume)
                        if "resume" in frame:
                            self.live.add(number)
            except (OSError, websockets.WebSocketException):
                pass
            self.live.discard(number)
            await asyncio.sleep(0.2 + number / WALLS)


def test_sixty_walls_come_back_when_the_server_does(
    chromium: str, browser: Browser, tmp_path: Path
) -> None:
    product = Product(tmp_path / "city").start()
    context = new_context(browser)
    try:
        page = marked(open_wall(context, product))
        steward(product).register(product, "e2e-after")
        with Walls(product, WALLS - 1) as walls:
            assert until(lambda: len(walls.live) == WALLS - 1, 60)
            product.stop()
            assert until(lambda: page.evaluate("window.__wall.link.value") != "live", 30)
            assert until(lambda: not walls.live, 30)
            assert page.evaluate("window.__wall.picture.sensors.id.length") > 0  # never blank
            product.start()
            wall_is_live(page)
            assert until(lambda: len(walls.live) == WALLS - 1, 60)
        assert not reloaded(page)
    finally:
        context.close()
        product.stop()
