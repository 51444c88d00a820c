"""The main job, as people live through it: a reading becomes an incident that is closed."""

from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import new_context
from tests.e2e.receiver import Receiver
from tests.e2e.screens import (
    P1_RANK,
    Steward,
    act,
    alarm_pixels,
    choose,
    detail_is,
    incident_on,
    open_console,
    open_wall,
    post_reading,
    rank_on_wall,
    steward,
)
from tests.product import Product
from tests.waiting import until

SENSOR = "e2e-main-job"
ON_SCREEN_SECONDS = 30.0
LOOP = ["opened", "acknowledged", "dispatched", "started", "resolved", "closed"]


def test_a_reading_becomes_an_incident_that_people_close(
    city: Product, browser: Browser, context: BrowserContext, receiver: Receiver
) -> None:
    admin = steward(city)
    admin.register(city, SENSOR, lon=112.44, lat=23.63)  # where no other test's alarm is drawn
    secret = admin.add_endpoint(receiver.url)
    colleague = new_context(browser)
    wall = open_wall(colleague, city)
    console = open_console(context, city, map_shown=True)
    second = open_console(colleague, city)

    incident = an_incident_appears_everywhere(city, admin, wall, [console, second])
    the_receiver_is_told(receiver, secret, incident)
    acknowledged_in_one_console_shows_everywhere(console, second, wall, incident)
    the_rest_of_the_loop(console, second, wall, incident)
    the_receiver_heard_every_step(receiver, secret, incident)
    colleague.close()


def an_incident_appears_everywhere(
    city: Product, admin: Steward, wall: Page, consoles: list[Page]
) -> str:
    """The sensor turns red on the map; wall and consoles list the incident."""
    assert until(lambda: rank_on_wall(wall, SENSOR) >= 0, ON_SCREEN_SECONDS)
    before = alarm_pixels(wall)
    post_reading(city, SENSOR, 60.0)
    assert until(lambda: rank_on_wall(wall, SENSOR) == P1_RANK, ON_SCREEN_SECONDS)
    assert until(lambda: alarm_pixels(wall) > before + 50, ON_SCREEN_SECONDS)
    assert until(lambda: len(admin.incidents_of(SENSOR)) == 1, ON_SCREEN_SECONDS)
    incident = str(admin.incidents_of(SENSOR)[0]["id"])
    for page in [wall, *consoles]:
        incident_on(page, incident, "open")
    return incident


def the_receiver_is_told(receiver: Receiver, secret: str, incident: str) -> None:
    assert until(lambda: len(heard(receiver, secret, incident)) >= 1, ON_SCREEN_SECONDS)
    told = heard(receiver, secret, incident)[0]
    assert told["type"] == "incident.opened"
    assert (told["data"]["value"], told["data"]["threshold"]) == (60.0, 50.0)


def acknowledged_in_one_console_shows_everywhere(
    console: Page, second: Page, wall: Page, incident: str
) -> None:
    choose(console, incident)
    choose(second, incident)
    console.get_by_test_id("action-acknowledge").click()
    for page in (console, second, wall):
        incident_on(page, incident, "acknowledged")
    detail_is(console, "acknowledged")
    detail_is(second, "acknowledged")
    expect(second.locator("[data-type='incident.acknowledged']")).to_contain_text("admin")


def the_rest_of_the_loop(console: Page, second: Page, wall: Page, incident: str) -> None:
    act(console, "dispatch", department="燃气公司", note="就近派人关阀")
    detail_is(console, "dispatched")
    console.get_by_test_id("action-start").click()
    detail_is(console, "handling")
    act(console, "resolve", note="阀门已关闭,浓度下降")
    detail_is(console, "resolved")
    incident_on(second, incident, "resolved")
    act(console, "close", note="现场复核正常")
    detail_is(console, "closed")
    for page in (wall, second):
        expect(page.get_by_test_id(f"incident-{incident}")).to_have_count(0)
    steps = console.get_by_test_id("timeline").locator("li")
    expect(steps).to_have_count(len(LOOP))
    seen = [step.get_attribute("data-type") for step in steps.all()]
    assert seen == [f"incident.{name}" for name in reversed(LOOP)]
    expect(steps.nth(3)).to_contain_text("就近派人关阀")


def the_receiver_heard_every_step(receiver: Receiver, secret: str, incident: str) -> None:
    count = len(LOOP)
    assert until(lambda: len(heard(receiver, secret, incident)) >= count, ON_SCREEN_SECONDS)
    events = heard(receiver, secret, incident)
    assert [event["type"] for event in events] == [f"incident.{name}" for name in LOOP]
    assert events[2]["data"]["department"] == "燃气公司"


def heard(receiver: Receiver, secret: str, incident: str) -> list[dict[str, Any]]:
    """In order of arrival. Other tests' incidents in the same city go on meanwhile."""
    return [each for each in receiver.events(secret) if each["data"]["id"] == incident]
