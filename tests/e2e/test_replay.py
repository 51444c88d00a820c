"""Replay as people use it: in the real browser, over what the real product has recorded."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.screens import METRIC, P1_RANK, Steward, post_reading, steward
from tests.product import Product
from tests.waiting import until

SENSOR = "e2e-replayed"
_SHOWN = """(id) => {
  const { board, reel } = window.__stage.screening.value;
  const { sensors, series } = board.picture;
  const at = sensors.indexOf.get(id);
  return { value: series.value[sensors.series[at]?.[0]] ?? null, rank: sensors.state[at] ?? -1,
    incidents: board.incidents.value.filter((one) => one.subjects.includes(id)).length,
    at: reel.at.value, link: board.link.value };
}"""
_LIVE = """(id) => {
  const { sensors, series } = window.__wall.picture;
  return series.value[sensors.series[sensors.indexOf.get(id)]?.[0]] ?? null;
}"""


@pytest.fixture(scope="module")
def storm(city: Product) -> Iterator[tuple[datetime, datetime]]:
    """A gas leak ten minutes ago, over after two; calm now. When it began and ended."""
    steward(city).register(city, SENSOR)
    now = datetime.now(UTC)
    began, ended = now - timedelta(minutes=10), now - timedelta(minutes=8)
    for moment, value in (
        (began - timedelta(minutes=1), 2.0), (began, 45.0), (began + timedelta(minutes=1), 46.0),
        (ended, 3.0), (now, 4.0),
    ):  # fmt: skip
        reading = {"sensor_id": SENSOR, "metric": METRIC, "value": value,
                   "observed_at": moment.isoformat()}  # fmt: skip
        with city.client() as source:
            assert source.post("/v1/readings", json=reading).status_code == 202
    admin: Steward = steward(city)
    assert until(
        lambda: [one["alert_state"] for one in admin.incidents_of(SENSOR)] == ["cleared"], 20
    )
    yield began, ended


def open_replay(context: BrowserContext, city: Product, start: datetime, speed: int) -> Page:
    page = context.new_page()
    page.set_viewport_size({"width": 1920, "height": 1080})
    moment = quote(start.isoformat())
    token = city.credentials["screen_token"]
    page.goto(f"{city.url}/?token={token}&replay={moment}&speed={speed}")
    expect(page.get_by_test_id("replaying")).to_be_visible()
    return page


def shown(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(_SHOWN, SENSOR)
    return found


def test_a_storm_comes_and_goes_in_a_replay_while_live_stays_calm(
    city: Product, context: BrowserContext, storm: tuple[datetime, datetime]
) -> None:
    began, ended = storm
    page = open_replay(context, city, began - timedelta(seconds=30), 10)
    assert until(lambda: shown(page)["value"] == 2.0, 30)
    assert shown(page)["incidents"] == 0
    assert until(lambda: shown(page)["rank"] == P1_RANK, 30)
    assert until(lambda: shown(page)["incidents"] == 1, 10)
    assert page.evaluate(_LIVE, SENSOR) == 4.0
    assert shown(page)["at"] < ended.timestamp() * 1000
    page.get_by_role("button", name="60×").click()
    assert until(lambda: shown(page)["value"] == 3.0, 30)
    assert shown(page)["rank"] < P1_RANK
    expect(page.get_by_test_id("replay-state")).to_contain_text("已到结尾", timeout=60_000)


def test_it_is_paused_stepped_scrubbed_and_left_by_keyboard(
    city: Product, context: BrowserContext, storm: tuple[datetime, datetime]
) -> None:
    began, _ = storm
    page = open_replay(context, city, began - timedelta(seconds=30), 1)
    assert until(lambda: shown(page)["link"] == "live", 30)
    page.keyboard.press(" ")
    expect(page.get_by_test_id("replay-state")).to_contain_text("暂停")
    page.keyboard.press("ArrowRight")
    assert until(lambda: shown(page)["rank"] == P1_RANK, 20)
    page.keyboard.press("ArrowLeft")
    assert until(lambda: shown(page)["rank"] < P1_RANK and shown(page)["incidents"] == 0, 20)
    page.get_by_test_id("replay-scrubber").fill(str(round((began.timestamp() + 30) * 1000)))
    assert until(lambda: shown(page)["rank"] == P1_RANK and shown(page)["incidents"] == 1, 20)
    expect(page.locator(".incidents")).to_contain_text(SENSOR)
    page.keyboard.press("r")
    expect(page.get_by_test_id("replaying")).to_have_count(0)
    expect(page.locator(".strip .link")).to_contain_text("实时")
    assert page.evaluate(_LIVE, SENSOR) == 4.0


def test_five_minutes_without_a_touch_and_the_wall_is_live_again(
    city: Product, context: BrowserContext, storm: tuple[datetime, datetime]
) -> None:
    context.clock.install()
    page = open_replay(context, city, storm[0], 1)
    context.clock.fast_forward("04:30")
    expect(page.get_by_test_id("replay-back")).to_contain_text("后返回实时")
    page.mouse.click(5, 5)
    expect(page.get_by_test_id("replay-back")).to_have_text("返回实时")
    context.clock.fast_forward("04:30")
    expect(page.get_by_test_id("replaying")).to_be_visible()
    context.clock.fast_forward("00:40")
    expect(page.get_by_test_id("replaying")).to_have_count(0)


def test_what_is_urgent_now_is_told_in_the_middle_of_a_replay(
    city: Product, context: BrowserContext, storm: tuple[datetime, datetime]
) -> None:
    steward(city).register(city, "e2e-meanwhile")
    page = open_replay(context, city, storm[0], 1)
    assert until(lambda: page.evaluate("window.__wall.link.value") == "live", 30)
    expect(page.get_by_test_id("replay-news")).to_have_count(0)
    post_reading(city, "e2e-meanwhile", 47.0)
    expect(page.get_by_test_id("replay-news")).to_contain_text("实时有 1 件新紧急事件")
    page.get_by_test_id("replay-news").click()
    expect(page.get_by_test_id("replaying")).to_have_count(0)
    expect(page.locator(".incidents")).to_contain_text("e2e-meanwhile")


def test_a_moment_is_chosen_and_one_that_is_refused_is_explained(
    city: Product, context: BrowserContext, storm: tuple[datetime, datetime]
) -> None:
    page = context.new_page()
    page.goto(f"{city.url}/?token={city.credentials['screen_token']}")
    page.get_by_test_id("replay-open").click()
    chooser = page.get_by_test_id("replay-chooser")
    expect(chooser).to_contain_text(SENSOR)
    page.get_by_test_id("replay-start").click()
    expect(page.get_by_test_id("replaying")).to_be_visible()
    page.evaluate("window.__stage.screening.value.reel.steer({ step: 100000 })")
    expect(chooser).to_contain_text("step")
    expect(page.get_by_test_id("replaying")).to_have_count(0)
