"""A river that will pass its limit, in a browser: the warning, its band, what moved with it."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.screens import log_in, steward, wait_live
from tests.e2e.test_accessible import axe, violations
from tests.product import Product
from tests.waiting import until

__all__ = ["axe"]
GAUGE, RAIN = "foreseen-gauge", "foreseen-rain"
STEP = timedelta(minutes=5)
DAY = 288
SECONDS = 90.0
RULE = {
    "id": "gauge-foreseen", "title": {"zh": "水位预计超警戒", "en": "River expected high"},
    "metric": "water.level", "sensors": [GAUGE], "forecast": {"above": 8, "within": "2h"},
    "clear_for": "30m",
}  # fmt: skip


def daily(row: int) -> float:
    return 4.5 + 1.5 * math.sin(2 * math.pi * row / DAY) + 0.8 * row / DAY


LAST = next(row for row in range(5 * DAY) if daily(row) > 8) - 3


def level(row: int) -> float:
    """Lower than on other days would be, until two hours ago; then it rises to just below 8."""
    rest = 0.02 * math.sin(row * row)
    return daily(row) - 0.6 + 0.6 / (1 + math.exp((LAST - 18 - row) / 3)) + rest


def rain(row: int) -> float:
    """It has come half an hour earlier than the river has risen."""
    return 40 / (1 + math.exp((LAST - 24 - row) / 3)) + 0.5 * math.sin(row * row + 1) + 0.5


def post(
    city: Product, sensor_id: str, metric: str, value: Callable[[int], float], first: int
) -> None:
    now = datetime.now(UTC)
    readings = [
        {"sensor_id": sensor_id, "metric": metric, "value": round(value(row), 3),
         "observed_at": (now - STEP * (LAST - row)).isoformat()}
        for row in range(first, LAST + 1)
    ]  # fmt: skip
    with city.client() as source:
        answer = source.post("/v1/readings", json=readings)
    assert answer.status_code == 202 and answer.json()["accepted"] == len(readings), answer.text


def foreseen_river(city: Product) -> str:
    """Days of a gauge, a day and a half of the rain near by. The incident of the warning."""
    admin = steward(city).client
    with city.client() as source:
        for sensor_id, metric, lon in (
            (GAUGE, "water.level", 112.47),
            (RAIN, "weather.rain", 112.48),
        ):
            body = {"name": f"示范 {sensor_id}", "metrics": [metric],
                    "location": {"lon": lon, "lat": 23.06}}  # fmt: skip
            source.put(f"/v1/sensors/{sensor_id}", json=body).raise_for_status()
    admin.post("/v1/rules", json=RULE).raise_for_status()
    post(city, RAIN, "weather.rain", rain, LAST - 430)
    post(city, GAUGE, "water.level", level, 0)
    found: list[dict[str, Any]] = []

    def warned() -> bool:
        items = admin.get("/v1/incidents", params={"limit": 500}).json()["items"]
        found[:] = [one for one in items if one["rule_id"] == RULE["id"]]
        return bool(found)

    assert until(warned, SECONDS)
    query = {"sensor_id": GAUGE, "metric": "water.level"}
    assert until(
        lambda: admin.get("/v1/forecast", params=query).json()["state"] == "ready", SECONDS
    )
    return str(found[0]["id"])


def shown(page: Page, incident: str) -> None:
    """The incident's page with everything on it."""
    page.get_by_test_id("detail").wait_for()
    expect(page.get_by_test_id("detail")).to_have_attribute("data-id", incident)
    expect(page.get_by_test_id("related")).to_be_visible()


def test_an_early_warning_says_when_draws_its_band_and_shows_what_moved_with_it(
    city: Product, context: BrowserContext, axe: str
) -> None:
    incident = foreseen_river(city)
    page = context.new_page()
    page.add_init_script("localStorage.setItem('yiwang.console.map', 'off')")
    page.goto(f"{city.url}/console#incidents/{incident}")
    log_in(page, **city.credentials["admin"])
    wait_live(page)
    shown(page, incident)
    expect(page.get_by_test_id("why-foreseen")).to_contain_text("将高于 8")
    expect(page.get_by_test_id("forecast")).to_have_attribute("data-state", "ready")
    expect(page.get_by_test_id("companion")).to_contain_text([f"示范 {RAIN}"])
    assert violations(page, axe) == []
    page.goto(f"{city.url}/console?lang=en&theme=light#incidents/{incident}")
    shown(page, incident)
    expect(page.get_by_test_id("why-foreseen")).to_contain_text("will cross 8 at")
    assert violations(page, axe) == []
    page.goto(f"{city.url}/console?lang=zh#sensors/{GAUGE}")
    expect(page.get_by_test_id("forecast")).to_contain_text("预测")
    page.goto(f"{city.url}/console?lang=zh#rules/{RULE['id']}")
    expect(page.get_by_test_id("rule-kind")).to_have_value("will_rise")
    assert violations(page, axe) == []
