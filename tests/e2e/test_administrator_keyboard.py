"""An administrator's first ten minutes with the keyboard alone: no click, no focus by script.

Each journey counts its key presses (typed text aside): a way that takes too many is no way.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.receiver import Receiver
from tests.e2e.screens import METRIC, post_reading, post_with, steward, wait_live
from tests.product import Product
from tests.waiting import until

SECONDS = 30.0
MOST_PRESSES = 60


class Keyboard:
    """Hands on a keyboard, and nothing else. What has the focus can be seen at every step."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.presses = 0

    def press(self, *keys: str) -> None:
        """One after the other."""
        for key in keys:
            self.page.keyboard.press(key)
            self.presses += 1
        assert self.presses <= MOST_PRESSES, "nobody would go on"

    def type(self, text: str) -> None:
        """Into what has the focus."""
        self.page.keyboard.type(text)

    def go(self, key: str, wanted: Locator) -> None:
        """The same key until something has the focus, which must be seen to have it."""
        wanted.wait_for()
        while not has_focus(wanted):
            self.press(key)
        ring = wanted.evaluate("(node) => getComputedStyle(node).outlineStyle")
        assert ring != "none", "where the focus is must be seen"

    def tab(self, test_id: str) -> None:
        """Tab to a control."""
        self.go("Tab", self.page.get_by_test_id(test_id))

    def fill(self, test_id: str, text: str) -> None:
        """Tab to a field and type, in place of what it holds."""
        self.tab(test_id)
        self.page.keyboard.press("Control+a")
        self.type(text)

    def pick(self, test_id: str, value: str) -> None:
        """Tab to a choice, then arrows."""
        self.tab(test_id)
        select = self.page.get_by_test_id(test_id)
        values = select.locator("option").evaluate_all("(all) => all.map((one) => one.value)")
        way = values.index(value) - values.index(select.input_value())
        self.press(*["ArrowDown" if way > 0 else "ArrowUp"] * abs(way))
        expect(select).to_have_value(value)

    def tick(self, group: str, value: str) -> None:
        """Tab to a group of boxes, arrows to one of them, space."""
        boxes = self.page.get_by_test_id(group).locator("input")
        boxes.first.wait_for()
        while not any(has_focus(box) for box in boxes.all()):
            self.press("Tab")
        self.go("ArrowDown", self.page.get_by_test_id(f"{group}-{value}"))
        self.press("Space")
        expect(self.page.get_by_test_id(f"{group}-{value}")).to_be_checked()


def has_focus(wanted: Locator) -> bool:
    found: bool = wanted.evaluate("(node) => node === document.activeElement")
    return found


@pytest.fixture
def keyboard(city: Product, context: BrowserContext) -> Keyboard:
    """Logged in as the administrator, by keyboard too."""
    page = context.new_page()
    page.add_init_script("localStorage.setItem('yiwang.console.map', 'off')")
    page.goto(f"{city.url}/console")
    hands = Keyboard(page)
    expect(page.get_by_test_id("login-username")).to_be_focused()
    hands.type(city.credentials["admin"]["username"])
    hands.fill("login-password", city.credentials["admin"]["password"])
    hands.press("Enter")
    wait_live(page)
    hands.presses = 0
    return hands


def open_page(keyboard: Keyboard, key: str, page: str) -> None:
    """By its key; the focus is in the page then, not in the bar above it."""
    keyboard.press(key)
    expect(keyboard.page.get_by_test_id(f"tab-{page}")).to_have_attribute("aria-current", "page")
    expect(keyboard.page.locator("main")).to_be_focused()


def begin(keyboard: Keyboard, dialog: str, first: str) -> None:
    """`N`: the page's own form, with the focus in its first field."""
    keyboard.page.locator("[data-new]").wait_for()
    keyboard.press("n")
    expect(keyboard.page.get_by_test_id(dialog)).to_be_visible()
    expect(keyboard.page.get_by_test_id(first)).to_be_focused()


def test_the_keys_are_told_and_the_bar_can_be_skipped(keyboard: Keyboard) -> None:
    page = keyboard.page
    expect(page.locator("main")).to_be_focused()  # after logging in, Tab goes on in the page
    page.reload()
    wait_live(page)
    keyboard.press("Tab")
    skip = page.locator(".skip")
    expect(skip).to_be_focused()
    keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    keyboard.press("?")
    helping = page.get_by_test_id("help-dialog")
    for what in ("页面上新建", "表格下一行", "⇧ 5", "Ctrl+Enter"):
        expect(helping).to_contain_text(what)
    keyboard.press("Escape")
    expect(helping).to_have_count(0)


def test_a_sensor_is_added(city: Product, keyboard: Keyboard) -> None:
    open_page(keyboard, "3", "sensors")
    begin(keyboard, "sensor-dialog", "sensor-id")
    keyboard.type("keys-gauge")
    keyboard.fill("sensor-name", "键盘水位")
    keyboard.tick("sensor-metrics", "water.level")
    keyboard.fill("sensor-place-lon", "112.47")
    keyboard.fill("sensor-place-lat", "23.06")
    keyboard.press("Control+Enter")
    expect(keyboard.page.get_by_test_id("sensor-page")).to_have_attribute("data-id", "keys-gauge")
    kept = steward(city).client.get("/v1/sensors/keys-gauge").json()
    assert (kept["name"], kept["metrics"]) == ("键盘水位", ["water.level"])
    assert kept["location"] == {"lon": 112.47, "lat": 23.06}


def test_a_rule_is_tested_previewed_and_put_in_force(city: Product, keyboard: Keyboard) -> None:
    admin = steward(city)
    admin.register(city, "keys-rule-1")
    post_reading(city, "keys-rule-1", 3.0)
    open_page(keyboard, "Shift+1", "rules")
    begin(keyboard, "rule-dialog", "rule-zh")
    keyboard.type("键盘燃气")
    keyboard.fill("rule-id", "keys-trace")
    keyboard.pick("rule-metric", METRIC)
    keyboard.fill("rule-limit", "2")
    keyboard.fill("rule-hold", "0")
    keyboard.fill("rule-sensors", "keys-rule-*")
    keyboard.tab("trial-samples")
    keyboard.press("Enter")
    trial = keyboard.page.get_by_test_id("rule-trial")
    expect(trial).to_have_attribute("data-passed", "true")
    keyboard.tab("preview-run")
    keyboard.press("Enter")
    expect(keyboard.page.get_by_test_id("rule-preview")).to_have_attribute("data-alerts", "1")
    assert admin.client.get("/v1/rules/keys-trace").status_code == 404, "nothing is in force yet"
    keyboard.press("Control+Enter")
    expect(keyboard.page.get_by_test_id("rule-keys-trace")).to_be_visible()
    rule = admin.client.get("/v1/rules/keys-trace").json()
    assert rule["document"]["above"] == 2
    admin.client.delete("/v1/rules/keys-trace", params={"version": rule["version"]})


def test_an_endpoint_gets_a_test_delivery(keyboard: Keyboard, receiver: Receiver) -> None:
    page = keyboard.page
    open_page(keyboard, "Shift+2", "push")
    begin(keyboard, "endpoint-form", "endpoint-url")
    keyboard.type(receiver.url)
    keyboard.press("Control+Enter")
    expect(page.get_by_test_id("once-secret")).to_contain_text("whsec_")
    keyboard.tab("once-kept")
    keyboard.press("Enter")
    expect(page.get_by_test_id("once")).to_have_count(0)
    row = page.locator("tr", has_text=receiver.url).first
    keyboard.go("j", row.get_by_test_id("endpoint-test"))
    keyboard.press("Enter")
    expect(row.get_by_test_id("endpoint-tested")).to_have_attribute("data-state", "delivered")
    assert len(receiver.received) == 1
    keyboard.go("Tab", row.get_by_test_id("endpoint-remove"))
    keyboard.press("Enter")
    keyboard.go("Shift+Tab", row.get_by_test_id("endpoint-remove-yes"))
    keyboard.press("Enter")
    expect(row.get_by_test_id("endpoint-test")).to_have_count(0)


def test_a_key_with_a_quota_is_made_and_works(city: Product, keyboard: Keyboard) -> None:
    page = keyboard.page
    open_page(keyboard, "Shift+3", "keys")
    begin(keyboard, "key-dialog", "key-name")
    keyboard.type("水务局")
    keyboard.fill("key-readings", "5")
    keyboard.press("Control+Enter")
    token = page.get_by_test_id("once-secret").inner_text()
    steward(city).register(city, "keys-key-1")
    post_with(city, token, "keys-key-1")
    keyboard.tab("once-kept")
    keyboard.press("Enter")
    row = page.locator("tr[data-name='水务局']")
    expect(row).to_contain_text("5 条/秒")
    keyboard.go("j", row.get_by_test_id("key-edit"))
    keyboard.go("Tab", row.get_by_test_id("key-revoke"))
    keyboard.press("Enter")
    keyboard.go("Shift+Tab", row.get_by_test_id("key-revoke-yes"))
    keyboard.press("Enter")
    expect(row).to_have_count(0)


def test_a_user_gets_a_role_for_one_district_and_a_department(
    city: Product, keyboard: Keyboard
) -> None:
    page = keyboard.page
    open_page(keyboard, "Shift+5", "users")
    begin(keyboard, "user-dialog", "user-name")
    keyboard.type("zhou.min")
    keyboard.fill("user-display", "周敏")
    keyboard.pick("user-department", "水利局")
    keyboard.pick("grant-area-0", "441203")
    keyboard.press("Control+Enter")
    expect(page.get_by_test_id("once-secret")).not_to_be_empty()
    expect(page.get_by_test_id("once").get_by_role("button").first).to_be_focused()
    row = page.get_by_test_id("user-zhou.min")
    for what in ("周敏", "水利局", "值班员 · 鼎湖区"):
        expect(row).to_contain_text(what)
    kept = steward(city).client.get("/v1/users/zhou.min").json()
    assert kept["grants"] == [{"role": "operator", "area_id": "441203", "domain": None}]
    assert kept["department"] == "水利局"


def test_a_quarantined_reading_is_mended_and_replayed(city: Product, keyboard: Keyboard) -> None:
    page = keyboard.page
    reading, number = conflict(city, "keys-conflict")
    open_page(keyboard, "Shift+4", "quarantine")
    keyboard.go("j", page.get_by_test_id(f"quarantined-{number}").get_by_role("link"))
    keyboard.press("Enter")
    expect(page.get_by_test_id("quarantine-text")).to_be_focused()
    keyboard.press("Control+a")
    mended = reading | {"observed_at": datetime.now(UTC).isoformat(), "value": 2.0}
    keyboard.type(json.dumps(mended))
    keyboard.fill("quarantine-note", "时钟回拨,改正时刻")
    keyboard.press("Control+Enter")
    expect(page.get_by_test_id("quarantine-item")).to_have_attribute("data-state", "replayed")
    keyboard.press("Escape")
    expect(page.get_by_test_id("quarantine-dialog")).to_have_count(0)


def conflict(city: Product, sensor_id: str) -> tuple[dict[str, Any], int]:
    """A reading that was set aside, and its number: the same key with another value."""
    admin = steward(city)
    admin.register(city, sensor_id)
    at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    reading: dict[str, Any] = {"sensor_id": sensor_id, "metric": METRIC, "observed_at": at}
    with city.client() as source:
        for value in (1.0, 2.0):
            source.post("/v1/readings", json=reading | {"value": value}).raise_for_status()
    aside: list[dict[str, Any]] = []

    def is_aside() -> bool:
        query = {"sensor_id": sensor_id}
        aside[:] = admin.client.get("/v1/quarantine", params=query).json()["items"]
        return bool(aside)

    assert until(is_aside, SECONDS)
    return reading, int(aside[0]["id"])
