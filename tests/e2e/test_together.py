"""Several people and several incidents at once: floods, bulk steps, reports, merging, sound."""

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import new_context
from tests.e2e.screens import (
    Steward,
    choose,
    detail_is,
    incident_on,
    open_console,
    post_reading,
    steward,
)
from tests.product import Product
from tests.waiting import until

SECONDS = 30.0


def leaks(city: Product, admin: Steward, prefix: str, count: int) -> list[str]:
    """So many incidents of sensors whose names begin alike."""
    sensors = [f"{prefix}-{number}" for number in range(count)]
    for sensor in sensors:
        admin.register(city, sensor)
        post_reading(city, sensor, 45.0)
    assert until(lambda: all(admin.incidents_of(one) for one in sensors), SECONDS)
    return [str(admin.incidents_of(one)[0]["id"]) for one in sensors]


def search(console: Page, text: str, count: int) -> None:
    console.get_by_test_id("queue-search").fill(text)
    expect(console.get_by_test_id("queue-count")).to_have_text(f"{count} 件")
    console.get_by_test_id("queue-search").blur()


def test_bulk_steps_tell_what_others_were_faster_with(
    city: Product, context: BrowserContext
) -> None:
    admin = steward(city)
    incidents = leaks(city, admin, "bulk", 3)
    console = open_console(context, city)
    search(console, "bulk-", 3)
    console.keyboard.press("e")
    expect(console.get_by_test_id("bulk-count")).to_have_text("已选 3 件")
    overtaken = incidents[0]

    def overtake(route: object) -> None:
        admin.command(overtaken, "acknowledge", note="电话中已核实")
        route.continue_()  # type: ignore[attr-defined]

    console.route(f"**/v1/incidents/{overtaken}/acknowledge", overtake, times=1)
    console.get_by_test_id("bulk-acknowledge").click()
    result = console.get_by_test_id("bulk-result")
    expect(result).to_have_attribute("data-done", "2")
    expect(result).to_have_attribute("data-beaten", "1")
    expect(console.get_by_test_id("bulk-count")).to_have_text("已选 1 件")
    for incident in incidents:
        incident_on(console, incident, "acknowledged")
    choose(console, overtaken)
    expect(console.get_by_test_id("notice")).to_have_attribute("data-kind", "beaten")


def test_ticked_incidents_are_merged_into_one(city: Product, context: BrowserContext) -> None:
    admin = steward(city)
    incidents = leaks(city, admin, "merge", 2)
    console = open_console(context, city)
    search(console, "merge-", 2)
    console.keyboard.press("e")
    console.keyboard.press("m")
    console.get_by_test_id("merge-into").select_option(incidents[0])
    console.get_by_test_id("merge-note").fill("同一条管线")
    console.get_by_test_id("merge-go").click()
    expect(console.get_by_test_id("merge-dialog")).to_have_count(0)
    expect(console.get_by_test_id("detail")).to_have_attribute("data-id", incidents[0])
    other = admin.client.get(f"/v1/incidents/{incidents[1]}").json()
    assert (other["state"], other["merged_into"]) == ("closed", incidents[0])


def test_a_report_is_entered_dispatched_and_worked_off_on_a_phone(
    city: Product, browser: Browser, context: BrowserContext
) -> None:
    console = open_console(context, city)
    console.keyboard.press("i")
    console.get_by_test_id("report-category").select_option("manhole")
    console.get_by_test_id("report-text").fill("井盖缺失,行人绕行")
    console.get_by_test_id("report-go").click()
    expect(console.get_by_role("alert").first).to_be_visible()
    console.get_by_test_id("report-place-lon").fill("112.4655")
    console.get_by_test_id("report-place-lat").fill("23.0511")
    console.get_by_test_id("report-photos").fill("https://photos.example.org/1.jpg")
    console.get_by_test_id("report-go").click()
    expect(console.get_by_test_id("report-outcome")).to_have_attribute("data-outcome", "opened")
    console.get_by_test_id("report-open").click()
    expect(console.get_by_test_id("reports")).to_contain_text("井盖缺失")
    incident = console.get_by_test_id("detail").get_attribute("data-id") or ""
    steward(city).command(incident, "dispatch", department="排水管理处", note="带围挡")
    on_the_phone(city, browser, incident)
    detail_is(console, "resolved")
    expect(console.get_by_test_id("timeline")).to_contain_text("https://photos.example.org/2.jpg")


def on_the_phone(city: Product, browser: Browser, incident: str) -> None:
    """The handling department: find the case, start, resolve with a photo."""
    pocket = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    phone = open_console(pocket, city)
    phone.goto(f"{city.url}/console#tasks")
    phone.get_by_test_id("tasks-department").select_option("排水管理处")
    phone.get_by_test_id(f"task-{incident}").click()
    phone.get_by_test_id("case-start").click()
    expect(phone.get_by_test_id("case")).to_have_attribute("data-state", "handling")
    phone.get_by_test_id("case-note").fill("已加盖新井盖")
    phone.get_by_test_id("case-photo").fill("https://photos.example.org/2.jpg")
    phone.get_by_test_id("case-resolve").click()
    expect(phone.get_by_test_id("case")).to_have_attribute("data-state", "resolved")
    wide = phone.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390, "the page is wider than the phone"
    pocket.close()


def test_sound_waits_for_a_gesture_and_then_tells_the_priority(
    city: Product, browser: Browser
) -> None:
    admin = steward(city)
    context = new_context(browser)
    context.add_init_script(
        "localStorage.setItem('yiwang.sound', 'on');"
        "window.__tones = []; const start = OscillatorNode.prototype.start;"
        "OscillatorNode.prototype.start = function (at) {"
        " window.__tones.push(this.frequency.value); return start.call(this, at); };"
    )
    console = open_console(context, city)
    expect(console.get_by_test_id("sound")).to_have_attribute("data-ready", "true")
    leaks(city, admin, "sound", 1)
    assert until(lambda: len(console.evaluate("window.__tones")) >= 5, SECONDS)
    assert console.evaluate("window.__tones[0]") == pytest.approx(988, abs=1)
    context.close()
