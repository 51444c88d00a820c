"""The pictures of the operator's handbook, made anew: the wall in a recorded city's states, and the
console of the real product while the simulator's rainstorm crosses the city.

`YIWANG_KEEP_SCENES=1` puts them into `docs/images/handbook`; look at every one before it is kept.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.album import LANGUAGES, named_in, take
from tests.e2e.conftest import running_city
from tests.e2e.scenes import City, Scene, flood, one_urgent, stale
from tests.e2e.screens import (
    METRIC,
    Steward,
    choose,
    detail_is,
    open_console,
    post_reading,
    steward,
)
from tests.e2e.studio import studio
from tests.product import ROOT, Product
from tests.waiting import until

WALL = (
    Scene("wall-calm"),
    Scene("wall-card", one_urgent, keys=("ArrowDown", "Enter")),
    Scene("wall-flood", flood),
    Scene("wall-silent", stale),
    Scene("wall-lost", one_urgent, cut=True),
    Scene("wall-replay", one_urgent, query="replay=2026-05-01T02:00:00Z&speed=10"),
)
STORM_AGO, STORM_LEAD = timedelta(minutes=20), 120  # rain begins two minutes after the start
STORM_SECONDS = 180.0
VALVES = {"zh": "valve-021", "en": "valve-022"}
NOTES = {
    "zh": "浓度仍在上升，请立即关阀并疏散井口",
    "en": "Still rising: close the valve, keep people away",
}
# What people telephone about in a storm: category, words, lon, lat.
CALLS = (
    ("flooding", "下穿隧道积水约半米，两车熄火", 112.472, 23.057),
    ("flooding", "小区地下车库进水", 112.691, 23.338),
    ("manhole", "井盖被水顶开", 112.448, 23.046),
    ("congestion", "路口信号灯不亮，排队一公里", 112.458, 23.165),
    ("drainage", "雨水口堵塞", 112.184, 23.144),
    ("power", "整条街停电", 111.503, 23.431),
    ("street_light", "路灯倒伏在非机动车道", 112.440, 23.634),
    ("river", "河水漫过步道", 112.190, 23.913),
    ("flooding", "学校门口积水，放学受阻", 112.702, 23.352),
    ("manhole", "雨水口盖板缺失", 112.451, 23.032),
    ("drainage", "排水渠漫溢", 112.442, 23.621),
    ("street_light", "路灯整段不亮", 112.192, 23.928),
)
RAISED = 4  # incidents of the rain alone; a busy machine may not come so far in time


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scene", WALL, ids=lambda scene: scene.name)
def test_a_picture_of_the_wall(
    browser: Browser, scene: Scene, language: str, tmp_path: Path
) -> None:
    city = City()
    scene.change(city)
    shown = studio(browser, city, 1920, 1080)
    shown.open(f"lang={language}&{scene.query}")
    shown.play(scene)
    take(shown.page, scene.name, language, tmp_path)
    shown.page.context.close()
    assert f"{scene.name}-{language}" in named_in(language)


@pytest.fixture(scope="module")
def storm(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A city that the rain reached minutes ago: more incidents than people take one by one."""
    with running_city(tmp_path_factory.mktemp("storm")) as product:
        start = (datetime.now(UTC) - STORM_AGO).isoformat(timespec="seconds")
        rain = subprocess.Popen(
            [sys.executable, "-m", "services.simulator", "city", "--url", product.url,
             "--key", product.credentials["api_key"], "--scenario", "rainstorm",
             "--start", start, "--at", str(STORM_LEAD), "--speed", "30"],
            cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            admin = steward(product)
            until(lambda: len(raised(admin)) >= RAISED, STORM_SECONDS)
            for call in CALLS:
                telephone(admin, *call)
            yield product
        finally:
            rain.terminate()
            rain.wait(90)


def raised(admin: Steward) -> list[dict[str, Any]]:
    """What rules have opened."""
    items: list[dict[str, Any]] = admin.client.get("/v1/incidents?kind=alert").json()["items"]
    return items


def telephone(admin: Steward, category: str, words: str, lon: float, lat: float) -> None:
    """Somebody reports it to the hotline."""
    body = {"category": category, "text": words, "place": {"lon": lon, "lat": lat},
            "reporter": "hotline"}  # fmt: skip
    admin.client.post("/v1/reports", json=body).raise_for_status()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pictures_of_the_console(
    storm: Product, context: BrowserContext, language: str, tmp_path: Path
) -> None:
    incident = a_gas_leak(storm, VALVES[language])
    context.add_init_script(f"localStorage.setItem('yiwang.language', '{language}')")
    console = open_console(context, storm, map_shown=True)
    expect(console.get_by_test_id("flood")).to_be_visible()
    shoot = partial(shot, console, language, tmp_path)
    choose(console, incident)
    expect(console.get_by_test_id("why-reading")).to_be_visible()
    shoot("console-queue")
    console.get_by_test_id("action-acknowledge").click()
    detail_is(console, "acknowledged")
    console.get_by_test_id("action-dispatch").click()
    console.get_by_test_id("command-note").fill(NOTES[language])
    shoot("console-dispatch")
    console.get_by_test_id("command-confirm").click()
    detail_is(console, "dispatched")
    console.get_by_test_id("action-silence").click()
    hidden = console.get_by_test_id("silence-preview")
    expect(hidden).to_have_attribute("data-count", re.compile("^[1-9]"))
    shoot("console-silence")
    for key, shown in (("m", "merge"), ("?", "help")):
        console.keyboard.press("Escape")
        expect(console.locator("dialog[open]")).to_have_count(0)
        console.keyboard.press(key)
        expect(console.get_by_test_id(f"{shown}-dialog")).to_be_visible()
        shoot(f"console-{shown}")
    console.keyboard.press("Escape")
    console.get_by_test_id("tab-duty").click()
    expect(console.get_by_test_id("roster-command-centre").locator("li").first).to_be_visible()
    shoot("console-duty")
    made = {file.stem for file in tmp_path.glob("*.webp")}
    assert made == {name for name in named_in(language) if name.startswith("console-")}


def shot(console: Page, language: str, folder: Path, name: str) -> None:
    """A picture once fonts and whatever else was asked for are there."""
    console.wait_for_load_state("networkidle")
    console.evaluate("document.fonts.ready.then(() => null)")
    take(console, name, language, folder)


def a_gas_leak(product: Product, sensor_id: str) -> str:
    """An urgent incident of a valve of its own, in 端州."""
    body = {"name": f"端州区 燃气阀井 {sensor_id[-3:]}", "metrics": [METRIC],
            "location": {"lon": 112.47, "lat": 23.06}}  # fmt: skip
    with product.client() as source:
        source.put(f"/v1/sensors/{sensor_id}", json=body).raise_for_status()
    admin = steward(product)
    post_reading(product, sensor_id, 4.0)
    post_reading(product, sensor_id, 34.5)
    assert until(lambda: bool(admin.incidents_of(sensor_id)), 60.0)
    return str(admin.incidents_of(sensor_id)[0]["id"])
