"""A department's person with a phone: sees what was dispatched to it, and works it off."""

from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import ACTION_MS
from tests.e2e.screens import Steward, log_in, post_reading, steward, wait_live
from tests.e2e.test_accessible import axe, violations
from tests.product import Product
from tests.waiting import until

__all__ = ["axe"]
SECONDS = 30.0
PHONE = {"width": 390, "height": 844}
PASSWORD = "a password of his own"


def dispatched(city: Product, sensor: str) -> tuple[Steward, str]:
    """A gas leak that is with the gas company."""
    admin = steward(city)
    admin.register(city, sensor)
    post_reading(city, sensor, 60.0)
    assert until(lambda: bool(admin.incidents_of(sensor)), SECONDS)
    incident = str(admin.incidents_of(sensor)[0]["id"])
    admin.command(incident, "dispatch", department="燃气公司", note="就近派人关阀")
    return admin, incident


def hire(admin: Steward, name: str, department: str) -> None:
    """Somebody who may look, and works for a department; he has chosen his password."""
    wanted = {
        "username": name, "grants": [{"role": "viewer"}], "department": department,
        "password": "given by the admin",
    }  # fmt: skip
    admin.client.post("/v1/users", json=wanted).raise_for_status()
    given = {"username": name, "password": wanted["password"]}
    token = admin.client.post("/v1/session", json=given).raise_for_status().json()["token"]
    admin.client.cookies.clear()
    change = {"current": wanted["password"], "new": PASSWORD}
    headers = {"Authorization": f"Bearer {token}"}
    admin.client.put("/v1/session/password", json=change, headers=headers).raise_for_status()


def timeline(admin: Steward, incident: str) -> list[dict[str, str]]:
    """What the server knows to have happened."""
    steps: list[dict[str, str]] = admin.client.get(f"/v1/incidents/{incident}").json()["timeline"]
    return steps


def acts(admin: Steward, incident: str) -> list[tuple[str, str]]:
    """What was done, and who did it."""
    return [(step["type"], step["actor"]) for step in timeline(admin, incident)]


def phone(browser: Browser, city: Product, name: str, query: str = "") -> Page:
    """The console as one opens it on a phone, without saying which page."""
    context = browser.new_context(
        viewport={"width": PHONE["width"], "height": PHONE["height"]},
        is_mobile=True, has_touch=True, locale="zh-CN",
    )  # fmt: skip
    context.set_default_timeout(ACTION_MS)
    page = context.new_page()
    page.goto(f"{city.url}/console{query}")
    log_in(page, name, PASSWORD)
    wait_live(page)
    return page


def test_a_case_is_worked_off_on_a_phone(city: Product, browser: Browser) -> None:
    admin, incident = dispatched(city, "phone-leak")
    hire(admin, "chen.gas", "燃气公司")
    hire(admin, "wu.water", "水利局")
    page = phone(browser, city, "chen.gas")
    expect(page.get_by_test_id("tasks")).to_have_attribute("data-department", "燃气公司")
    page.get_by_test_id(f"task-{incident}").tap()
    case = page.get_by_test_id("case")
    expect(case).to_contain_text("就近派人关阀")
    page.get_by_test_id("case-start").tap()
    expect(case).to_have_attribute("data-state", "handling")
    page.get_by_test_id("case-resolve").tap()
    expect(page.get_by_text("必填")).to_be_visible()
    page.get_by_test_id("case-note").fill("阀门已关闭,浓度已降")
    page.get_by_test_id("case-photo").fill("https://photos.example.org/1.jpg")
    page.get_by_test_id("case-resolve").tap()
    expect(case).to_have_attribute("data-state", "resolved")
    done = [("incident.started", "chen.gas"), ("incident.resolved", "chen.gas")]
    # The page shows what it asked for before the server has agreed.
    assert until(lambda: acts(admin, incident)[-2:] == done, SECONDS), acts(admin, incident)
    steps = timeline(admin, incident)
    assert "https://photos.example.org/1.jpg" in steps[-1]["note"]
    page.get_by_test_id("case-back").tap()
    expect(page.get_by_test_id(f"task-{incident}")).to_have_count(0)
    other = phone(browser, city, "wu.water")
    expect(other.get_by_test_id("tasks-count")).to_have_text("0 件")
    other.goto(f"{city.url}/console#tasks/{incident}")
    expect(other.get_by_test_id("case")).to_contain_text("阀门已关闭")
    expect(other.get_by_test_id("case-comment")).to_have_count(0)  # to look at, not to work on


def test_the_pages_fit_a_phone_and_are_accessible(
    city: Product, browser: Browser, axe: str
) -> None:
    admin, incident = dispatched(city, "phone-look")
    hire(admin, "fang.gas", "燃气公司")
    wrong: dict[str, object] = {}
    for language in ("zh", "en"):
        for theme in ("dark", "light"):
            page = phone(browser, city, "fang.gas", f"?lang={language}&theme={theme}")
            for what in ("tasks", "case"):
                if what == "case":
                    page.get_by_test_id(f"task-{incident}").tap()
                page.get_by_test_id(what).wait_for()
                width = page.evaluate("document.documentElement.scrollWidth")
                found = violations(page, axe)
                small = page.evaluate(_SMALL)
                wrong[f"{language} {theme} {what}"] = [*found, *small, *[width] * (width > 390)]
            page.context.close()
    assert {name: found for name, found in wrong.items() if found} == {}


# What a thumb would miss: controls of the page that are lower than 44 px.
_SMALL = """() => {
  const wanted = [".tasks a", ".tasks button", ".case .big", ".case .back", ".case input"];
  return [...document.querySelectorAll(wanted.map((one) => "main " + one).join())]
    .filter((one) => one.getBoundingClientRect().height < 44)
    .map((one) => one.outerHTML.slice(0, 120));
}"""
