"""The pages by themselves: who gets in, what is said when something goes wrong."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, Request, Route, WebSocket, expect

from tests.e2e.receiver import Receiver
from tests.e2e.screens import (
    TABS,
    Steward,
    choose,
    detail_is,
    incident_on,
    log_in,
    open_console,
    open_wall,
    post_reading,
    steward,
    wait_live,
    wall_is_live,
)
from tests.product import Product
from tests.waiting import until


@pytest.fixture
def admin(city: Product) -> Iterator[Steward]:
    yield steward(city)


def an_incident(city: Product, admin: Steward, sensor_id: str) -> str:
    """Of a sensor of its own."""
    admin.register(city, sensor_id)
    post_reading(city, sensor_id, 45.0)
    assert until(lambda: bool(admin.incidents_of(sensor_id)), 15.0)
    return str(admin.incidents_of(sensor_id)[0]["id"])


def watch(page: Page, addresses: list[str]) -> None:
    """Collect every address the page asks for."""

    def note(asked: Request | WebSocket) -> None:
        addresses.append(asked.url)

    page.on("request", note)
    page.on("websocket", note)


def test_no_page_asks_another_origin_for_anything(city: Product, context: BrowserContext) -> None:
    addresses: list[str] = []
    context.on("page", lambda page: watch(page, addresses))
    wall = open_wall(context, city)
    wall.locator("section.map canvas").wait_for()
    console = open_console(context, city, map_shown=True)
    console.locator(".map-pane canvas").wait_for()
    for tab in TABS:
        console.get_by_test_id(f"tab-{tab}").click()
    console.locator(".map-pane canvas").wait_for()
    own = (city.url, city.url.replace("http", "ws"), "data:", f"blob:{city.url}")
    assert any("/v1/live" in address for address in addresses)
    assert not [address for address in addresses if not address.startswith(own)]


def test_a_wrong_password_is_said_in_words_and_lets_nobody_in(
    city: Product, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(f"{city.url}/console")
    log_in(page, "admin", "not the password")
    expect(page.get_by_test_id("login-failure")).to_have_text("用户名或密码不正确。")
    expect(page.get_by_test_id("queue")).to_have_count(0)


def test_the_wall_without_a_token_sends_to_the_login_and_back(
    city: Product, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(city.url)
    page.wait_for_url("**/console?next=/")
    log_in(page, **city.credentials["admin"])
    page.wait_for_url(f"{city.url}/")
    wall_is_live(page)


def test_a_screen_may_look_at_the_console_but_not_act(
    city: Product, context: BrowserContext, admin: Steward
) -> None:
    incident = an_incident(city, admin, "e2e-looking")
    page = context.new_page()
    page.add_init_script("localStorage.setItem('yiwang.console.map', 'off')")
    page.goto(f"{city.url}/console?token={city.credentials['screen_token']}")
    wait_live(page)
    choose(page, incident)
    expect(page.locator(".read-only")).to_be_visible()
    expect(page.get_by_test_id("action-acknowledge")).to_have_count(0)


def test_who_comes_second_is_told_who_was_first(
    city: Product, context: BrowserContext, admin: Steward
) -> None:
    incident = an_incident(city, admin, "e2e-second")
    console = open_console(context, city)

    def overtake(route: Route) -> None:
        admin.command(incident, "acknowledge", note="电话中已核实")
        route.continue_()

    console.route(f"**/v1/incidents/{incident}/acknowledge", overtake, times=1)
    choose(console, incident)
    console.get_by_test_id("action-acknowledge").click()
    notice = console.get_by_test_id("notice")
    expect(notice).to_have_attribute("data-kind", "beaten")
    expect(notice).to_contain_text("admin")
    detail_is(console, "acknowledged")
    expect(console.get_by_test_id("action-dispatch")).to_be_enabled()


def test_a_server_that_says_no_leaves_everything_as_it_was(
    city: Product, context: BrowserContext, admin: Steward
) -> None:
    incident = an_incident(city, admin, "e2e-refused")
    console = open_console(context, city)
    console.route(f"**/v1/incidents/{incident}/*", lambda route: route.fulfill(
        status=503, content_type="application/problem+json", body='{"title": "Unavailable"}'
    ))  # fmt: skip
    choose(console, incident)
    console.get_by_test_id("action-dispatch").click()
    console.get_by_test_id("command-note").fill("写好的理由")
    console.get_by_test_id("command-confirm").click()
    expect(console.get_by_test_id("notice")).to_contain_text("服务器繁忙")
    detail_is(console, "open")
    expect(console.get_by_test_id("command-note")).to_have_value("写好的理由")


def test_an_ended_session_asks_to_log_in_again(
    city: Product, context: BrowserContext, admin: Steward
) -> None:
    incident = an_incident(city, admin, "e2e-expired")
    console = open_console(context, city)
    choose(console, incident)
    cookies = {cookie.get("name"): cookie.get("value") for cookie in context.cookies()}
    headers = {"Authorization": f"Bearer {cookies['yiwang_session']}"}
    assert httpx.delete(f"{city.url}/v1/session", headers=headers).status_code == 204
    console.get_by_test_id("action-acknowledge").click()
    expect(console.get_by_test_id("login-form")).to_be_visible()
    log_in(console, **city.credentials["admin"])
    wait_live(console)
    expect(console.get_by_test_id("detail")).to_have_attribute("data-id", incident)
    console.get_by_test_id("action-acknowledge").click()
    detail_is(console, "acknowledged")


def test_the_queue_is_worked_by_keyboard(
    city: Product, context: BrowserContext, admin: Steward
) -> None:
    incident = an_incident(city, admin, "e2e-keys")
    console = open_console(context, city)
    console.keyboard.press("/")
    console.keyboard.type("e2e-keys")
    expect(console.get_by_test_id("queue-count")).to_have_text("1 件")
    console.get_by_test_id("queue-search").blur()
    console.keyboard.press("j")
    expect(console.get_by_test_id("detail")).to_have_attribute("data-id", incident)
    console.keyboard.press("a")
    incident_on(console, incident, "acknowledged")
    console.keyboard.press("?")
    expect(console.get_by_test_id("help-dialog")).to_be_visible()


def test_an_endpoint_is_added_with_its_secret_shown_once_and_removed(
    city: Product, context: BrowserContext, receiver: Receiver
) -> None:
    console = open_console(context, city)
    console.get_by_test_id("tab-setup").click()
    console.get_by_test_id("tab-push").click()
    console.get_by_test_id("endpoint-add").click()
    console.get_by_test_id("endpoint-url").fill("http://10.0.0.1/hooks")
    console.get_by_test_id("endpoint-save").click()
    expect(console.get_by_role("alert")).to_contain_text("YIWANG_WEBHOOK_ALLOW_CIDRS")
    console.get_by_test_id("endpoint-url").fill(receiver.url)
    console.get_by_test_id("endpoint-save").click()
    expect(console.get_by_test_id("once-secret")).to_contain_text("whsec_")
    row = console.locator("tr", has_text=receiver.url)
    expect(row).to_have_count(1)
    console.reload()
    expect(row).to_have_count(1)
    expect(console.get_by_text("whsec_")).to_have_count(0)
    row.get_by_role("button", name="删除").click()
    row.get_by_test_id("endpoint-remove-yes").click()
    expect(row).to_have_count(0)
