"""The whole product, a real browser, and a real receiver of webhooks."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from services.ops_center.pages import DIST
from tests.e2e.receiver import Receiver
from tests.product import Product

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--enable-unsafe-swiftshader", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
)  # fmt: skip
ACTION_MS = 90_000.0  # deadlines are for a machine that does much else at the same time
expect.set_options(timeout=ACTION_MS)


def find_browser() -> str | None:
    """Path of a Chromium, if this machine has one."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium; without one these tests cannot be run."""
    found = find_browser()
    if found is None:
        pytest.skip(f"NO BROWSER: none of {', '.join(BROWSERS)} is installed")
    return found


@pytest.fixture(scope="package")
def city(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product, with its pages built."""
    with running_city(tmp_path_factory.mktemp("city")) as product:
        yield product


@contextmanager
def running_city(folder: Path) -> Iterator[Product]:
    """A city of one's own: for tests that others' alarms would disturb."""
    assert (DIST / "console.html").exists(), "the pages are not built: run `make wall`"
    product = Product(folder, {"WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8"}).start()
    try:
        yield product
    finally:
        product.stop()


# Not longer than a module: while it lives, its loop keeps asynchronous tests from running.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A browser with its own, empty profile."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A person's own browser: nobody else's cookies."""
    made = new_context(browser)
    yield made
    made.close()


def new_context(browser: Browser) -> BrowserContext:
    """One more person."""
    made = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    made.set_default_timeout(ACTION_MS)
    return made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A server that collects what is posted to it."""
    with Receiver() as listening:
        yield listening
