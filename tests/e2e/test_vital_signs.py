"""A sensor out of its range costs points, on the wall and in the console, which say why."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import running_city
from tests.e2e.screens import open_console, open_wall, post_reading, steward
from tests.product import Product

SENSOR = "e2e-vital"
WEST = "441202"
ON_SCREEN_MS = 90_000.0  # the pages ask twice a minute


@pytest.fixture(scope="module")
def city(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """One of its own: the pages name the eight sensors that cost most, whoever else's they are."""
    assert chromium
    with running_city(tmp_path_factory.mktemp("vital")) as product:
        yield product


def test_a_sensor_out_of_range_is_explained_on_wall_and_console(
    city: Product, context: BrowserContext
) -> None:
    steward(city).register(city, SENSOR)
    post_reading(city, SENSOR, 15.0)
    console = open_console(context, city)
    console.get_by_test_id("tab-vitals").click()
    the_console_says_why(console)
    wall = open_wall(context, city)
    heading = wall.locator(".sign button").filter(has_text="市政公用")
    expect(heading).to_be_visible(timeout=ON_SCREEN_MS)
    heading.click()
    cost = wall.locator(".costs li").filter(has_text=SENSOR)
    expect(cost).to_contain_text("15.0 %LEL")
    expect(cost).to_contain_text("高出 5.00 %LEL")
    cost.locator("button").click()
    expect(wall.locator(".detail .where")).to_contain_text(SENSOR)


def the_console_says_why(console: Page) -> None:
    cell = console.get_by_test_id(f"vital-{WEST}.utilities")
    expect(cell).to_be_visible(timeout=ON_SCREEN_MS)
    cell.click()
    expect(console.get_by_test_id("vital-why")).to_be_visible()
    cost = console.get_by_test_id("vital-costs").locator("tr").filter(has_text=SENSOR)
    expect(cost).to_contain_text("高出 5.00 %LEL", timeout=ON_SCREEN_MS)
    expect(console.get_by_test_id("vital-index")).not_to_have_text("—")
    expect(console).to_have_url(f"{console.url.partition('#')[0]}#/vitals/{WEST}.utilities")
    cost.get_by_role("link").click()
    expect(console.get_by_test_id("sensor-page")).to_have_attribute("data-id", SENSOR)
