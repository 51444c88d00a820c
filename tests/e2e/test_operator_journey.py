"""A new operator's first ten minutes: the worst incident, from the first look to who did what.

Once with the mouse, once with the keyboard alone.
"""

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.screens import (
    Steward,
    act,
    choose,
    detail_is,
    open_console,
    post_reading,
    steward,
)
from tests.product import Product
from tests.waiting import until

RAISED_SECONDS = 30.0
WHO_DID_WHAT = ["closed", "resolved", "started", "dispatched", "acknowledged", "opened"]


def worst_incident(city: Product, sensor_id: str) -> tuple[Steward, str]:
    """A gas leak of priority 1, on a sensor of its own."""
    admin = steward(city)
    admin.register(city, sensor_id)
    post_reading(city, sensor_id, 60.0)
    assert until(lambda: bool(admin.incidents_of(sensor_id)), RAISED_SECONDS)
    return admin, str(admin.incidents_of(sensor_id)[0]["id"])


def test_an_operator_works_the_worst_incident_with_the_mouse(
    city: Product, context: BrowserContext
) -> None:
    sensor = "journey-mouse"
    admin, incident = worst_incident(city, sensor)
    console = open_console(context, city, map_shown=True)
    the_worst_stands_on_top(console, sensor, incident)
    choose(console, incident)
    console.get_by_test_id("action-acknowledge").click()
    detail_is(console, "acknowledged")
    it_says_why(console)
    act(console, "dispatch", department="燃气公司", note="就近派人关阀")
    detail_is(console, "dispatched")
    console.get_by_test_id("action-silence").click()
    expect(console.get_by_test_id("silence-preview")).to_have_attribute("data-count", "1")
    console.get_by_test_id("silence-reason").fill("已派人,勿重复通知")
    console.get_by_test_id("silence-go").click()
    expect(console.get_by_test_id("silence-dialog")).to_have_count(0)
    console.get_by_test_id("action-start").click()
    detail_is(console, "handling")
    act(console, "resolve", note="阀门已关闭")
    detail_is(console, "resolved")
    act(console, "close", note="现场复核正常")
    detail_is(console, "closed")
    it_says_who_did_what(console)
    the_silence_is_in_force(admin, sensor)


def test_an_operator_works_the_worst_incident_with_the_keyboard_alone(
    city: Product, context: BrowserContext
) -> None:
    sensor = "journey-keyboard"
    admin, incident = worst_incident(city, sensor)
    console = open_console(context, city)
    the_worst_stands_on_top(console, sensor, incident)
    press(console, "j")
    expect(console.get_by_test_id("detail")).to_have_attribute("data-id", incident)
    press(console, "a")
    detail_is(console, "acknowledged")
    it_says_why(console)
    press(console, "d")
    expect(console.get_by_test_id("command-department")).to_have_value("燃气公司")
    type_form(console, "dispatch", "就近派人关阀")
    detail_is(console, "dispatched")
    press(console, "q")
    expect(console.get_by_test_id("silence-preview")).to_have_attribute("data-count", "1")
    for _ in range(2):
        press(console, "Tab")
    expect(console.get_by_test_id("silence-reason")).to_be_focused()
    console.keyboard.type("已派人,勿重复通知")
    press(console, "Tab")
    press(console, "Enter")
    expect(console.get_by_test_id("silence-dialog")).to_have_count(0)
    press(console, "s")
    detail_is(console, "handling")
    press(console, "r")
    type_form(console, "resolve", "阀门已关闭")
    detail_is(console, "resolved")
    press(console, "c")
    type_form(console, "close", "现场复核正常")
    detail_is(console, "closed")
    it_says_who_did_what(console)
    the_silence_is_in_force(admin, sensor)


def press(console: Page, key: str) -> None:
    """One key."""
    console.keyboard.press(key)


def type_form(console: Page, command: str, note: str) -> None:
    """The note that the form asks for: what is filled already needs no keys."""
    form = console.get_by_test_id(f"form-{command}")
    expect(form.get_by_test_id("command-note")).to_be_focused()
    console.keyboard.type(note)
    press(console, "Control+Enter")


def the_worst_stands_on_top(console: Page, sensor: str, incident: str) -> None:
    """Searched for, so that other tests' incidents do not matter; then the first row."""
    press(console, "/")
    console.keyboard.type(sensor)
    expect(console.get_by_test_id("queue-count")).to_have_text("1 件")
    press(console, "Escape")
    expect(console.locator(".rows [data-row]").first).to_have_attribute("data-row", incident)


def it_says_why(console: Page) -> None:
    """Rule, threshold and reading in words; the trend beside them."""
    why = console.get_by_test_id("why")
    expect(why).to_contain_text("燃气浓度超限")
    expect(why).to_contain_text("高于 20 / 50")
    expect(console.get_by_test_id("why-reading")).to_contain_text("60.0 %LEL")
    expect(console.get_by_test_id("trend")).to_be_visible()


def it_says_who_did_what(console: Page) -> None:
    """Every step with its person, the newest first."""
    steps = console.get_by_test_id("timeline").locator("li[data-type]")
    own = [f"incident.{name}" for name in WHO_DID_WHAT]
    expect(steps.first).to_have_attribute("data-type", own[0])
    seen = [kind for step in steps.all() if (kind := step.get_attribute("data-type")) in own]
    assert seen == own
    expect(steps.first).to_contain_text("admin")
    expect(steps.first).to_contain_text("现场复核正常")


def the_silence_is_in_force(admin: Steward, sensor: str) -> None:
    items = admin.client.get("/v1/silences", params={"state": "active"}).json()["items"]
    assert [one for one in items if (one["matchers"] or {}).get("subject") == [sensor]]
