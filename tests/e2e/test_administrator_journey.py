"""An administrator's first ten minutes: sensor, rule, endpoint, key, user, quarantine. No SQL, no
YAML. Once with the mouse; the forms once with the keyboard alone."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import new_context
from tests.e2e.receiver import Receiver
from tests.e2e.screens import (
    log_in,
    open_console,
    post_reading,
    post_with,
    steward,
    wait_live,
)
from tests.product import Product
from tests.waiting import until

SECONDS = 30.0
METRIC = "gas.concentration"


def setup(console: Page, page: str) -> None:
    """A page of the setup."""
    console.get_by_test_id("tab-setup").click()
    console.get_by_test_id(f"tab-{page}").click()


def test_a_sensor_is_added_by_a_click_on_the_map_and_more_from_a_file(
    city: Product, context: BrowserContext
) -> None:
    console = open_console(context, city)
    console.get_by_test_id("tab-sensors").click()
    console.get_by_test_id("sensor-add").click()
    console.get_by_test_id("sensor-id").fill("admin-gauge-1")
    console.get_by_test_id("sensor-name").fill("试验水位")
    console.get_by_test_id("sensor-metrics-water.level").check()
    board = console.get_by_test_id("sensor-place-map")
    expect(board).to_have_attribute("data-ready", "true")
    board.click(position={"x": 240, "y": 200})
    expect(console.get_by_test_id("sensor-place-lon")).not_to_have_value("")
    console.get_by_test_id("sensor-save").click()
    expect(console.get_by_test_id("sensor-page")).to_have_attribute("data-id", "admin-gauge-1")
    kept = steward(city).client.get("/v1/sensors/admin-gauge-1").json()
    assert kept["metrics"] == ["water.level"]
    assert kept["location"] is not None
    console.get_by_test_id("sensor-back").click()
    console.get_by_test_id("sensor-import").click()
    rows = (
        "sensor_id,name,metrics,lon,lat\n"
        "admin-a,甲,water.level,112.5,23.1\n"
        "admin-b,乙,nothing.known,112.5,23.1\n"
    )
    console.get_by_test_id("import-file").set_input_files(
        {"name": "sensors.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    console.get_by_test_id("import-dry").click()
    report = console.get_by_test_id("import-report")
    expect(report).to_have_attribute("data-created", "1")
    expect(report).to_have_attribute("data-refused", "1")
    assert steward(city).client.get("/v1/sensors/admin-a").status_code == 404
    console.get_by_test_id("import-go").click()
    expect(report).to_have_attribute("data-dry", "false")
    assert steward(city).client.get("/v1/sensors/admin-a").status_code == 200


def test_a_rule_is_tested_previewed_and_put_in_force(
    city: Product, context: BrowserContext
) -> None:
    admin = steward(city)
    admin.register(city, "admin-rule-1")
    post_reading(city, "admin-rule-1", 3.0)
    console = open_console(context, city)
    setup(console, "rules")
    console.get_by_test_id("rule-new").click()
    fill_rule(console)
    console.get_by_test_id("trial-run").click()
    expect(console.get_by_test_id("rule-trial")).to_have_attribute("data-passed", "true")
    console.get_by_test_id("trial-expected").select_option("quiet")
    console.get_by_test_id("trial-run").click()
    expect(console.get_by_test_id("rule-trial")).to_have_attribute("data-passed", "false")
    console.get_by_test_id("preview-run").click()
    expect(console.get_by_test_id("rule-preview")).to_have_attribute("data-alerts", "1")
    console.get_by_test_id("rule-mode-yaml").click()
    expect(console.get_by_test_id("rule-yaml")).to_have_value(holding("above: 2"))
    console.get_by_test_id("rule-mode-form").click()
    console.get_by_test_id("rule-save").click()
    expect(console.get_by_test_id("rule-admin-trace")).to_be_visible()
    rule = admin.client.get("/v1/rules/admin-trace").json()
    assert rule["document"]["above"] == 2
    admin.client.delete("/v1/rules/admin-trace", params={"version": rule["version"]})


def fill_rule(console: Page) -> None:
    fields = {"rule-zh": "微量燃气", "rule-id": "admin-trace", "rule-limit": "2", "rule-hold": "0"}
    console.get_by_test_id("rule-metric").select_option(METRIC)
    for field, text in fields.items():
        console.get_by_test_id(field).fill(text)
    console.get_by_test_id("rule-sensors").fill("admin-rule-*")


def holding(text: str) -> re.Pattern[str]:
    """Any value that has it somewhere."""
    return re.compile(re.escape(text))


def test_an_endpoint_is_tried_before_anything_happens(
    city: Product, context: BrowserContext, receiver: Receiver
) -> None:
    console = open_console(context, city)
    setup(console, "push")
    console.get_by_test_id("endpoint-add").click()
    console.get_by_test_id("endpoint-name").fill("指挥中心")
    console.get_by_test_id("endpoint-url").fill(receiver.url)
    console.get_by_test_id("endpoint-save").click()
    expect(console.get_by_test_id("once-secret")).to_contain_text("whsec_")
    row = console.locator("tr", has_text=receiver.url).first
    row.get_by_test_id("endpoint-test").click()
    expect(row.get_by_test_id("endpoint-tested")).to_have_attribute("data-state", "delivered")
    assert len(receiver.received) == 1
    row.get_by_test_id("endpoint-remove").click()
    row.get_by_test_id("endpoint-remove-yes").click()
    expect(row.get_by_test_id("endpoint-test")).to_have_count(0)


def test_a_key_with_a_quota_is_made_and_works(city: Product, context: BrowserContext) -> None:
    console = open_console(context, city)
    setup(console, "keys")
    console.get_by_test_id("key-new").click()
    console.get_by_test_id("key-name").fill("供水公司")
    console.get_by_test_id("key-readings").fill("5")
    console.get_by_test_id("key-save").click()
    token = console.get_by_test_id("once-secret").inner_text()
    steward(city).register(city, "admin-key-1")
    post_with(city, token, "admin-key-1")
    expect(console.locator("tr[data-name='供水公司']")).to_contain_text("5 条/秒")


def test_a_user_with_a_role_for_one_district_may_act_there_only(
    city: Product, browser: Browser, context: BrowserContext
) -> None:
    console = open_console(context, city)
    setup(console, "users")
    console.get_by_test_id("user-new").click()
    console.get_by_test_id("user-name").fill("li.na")
    console.get_by_test_id("user-display").fill("李娜")
    console.get_by_test_id("grant-area-0").select_option("441203")
    console.get_by_test_id("user-save").click()
    password = console.get_by_test_id("once-secret").inner_text()
    expect(console.get_by_test_id("user-li.na")).to_contain_text("鼎湖区")
    admin = steward(city)
    admin.register(city, "admin-elsewhere")  # in 端州区
    post_reading(city, "admin-elsewhere", 45.0)
    assert until(lambda: bool(admin.incidents_of("admin-elsewhere")), SECONDS)
    colleague = new_context(browser)
    hers = first_login(colleague, city, password)
    incident = admin.incidents_of("admin-elsewhere")[0]["id"]
    hers.goto(f"{city.url}/console#incidents/{incident}")
    hers.get_by_test_id("action-acknowledge").click()
    expect(hers.get_by_test_id("notice")).to_contain_text("您的角色无权执行此操作")
    expect(hers.get_by_test_id("action-dispatch")).to_have_count(0)
    colleague.close()


def first_login(colleague: BrowserContext, city: Product, password: str) -> Page:
    """With the password that was given; it has to be changed before anything else."""
    page = colleague.new_page()
    page.goto(f"{city.url}/console")
    log_in(page, "li.na", password)
    page.get_by_test_id("renewal-current").fill(password)
    page.get_by_test_id("renewal-new").fill("a password of her own")
    page.get_by_test_id("renewal-again").fill("a password of her own")
    page.get_by_test_id("renewal-save").click()
    wait_live(page)
    return page


def test_a_quarantined_reading_is_mended_and_replayed(
    city: Product, context: BrowserContext
) -> None:
    admin = steward(city)
    admin.register(city, "admin-conflict")
    at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    reading = {"sensor_id": "admin-conflict", "metric": METRIC, "observed_at": at}
    with city.client() as source:
        for value in (1.0, 2.0):  # the same key with another value is a conflict
            source.post("/v1/readings", json=reading | {"value": value}).raise_for_status()
    query = {"sensor_id": "admin-conflict"}

    def aside() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = admin.client.get("/v1/quarantine", params=query).json()[
            "items"
        ]
        return items

    assert until(lambda: bool(aside()), SECONDS)
    number = aside()[0]["id"]
    console = open_console(context, city)
    setup(console, "quarantine")
    console.locator(f"[data-testid='quarantined-{number}'] a").click()
    text = console.get_by_test_id("quarantine-text")
    text.fill("{")
    console.get_by_test_id("quarantine-replay").click()
    expect(console.get_by_role("alert")).to_contain_text("JSON")
    mended = reading | {"observed_at": datetime.now(UTC).isoformat(), "value": 2.0}
    text.fill(json.dumps(mended))
    console.get_by_test_id("quarantine-note").fill("时钟回拨,改正时刻")
    console.get_by_test_id("quarantine-replay").click()
    expect(console.get_by_test_id("quarantine-item")).to_have_attribute("data-state", "replayed")
    expect(console.get_by_test_id("quarantine-dialog")).to_contain_text("时钟回拨")
