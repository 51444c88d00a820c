"""Two whole cities side by side, each on a Kafka and a TimescaleDB of its own where this machine
has them: a flood at 高要 on the 西江 is Guangzhou's business too."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from deploy.local import parts
from services.ops_center.pages import DIST
from tests.e2e.screens import Steward, open_wall, steward
from tests.product import Product
from tests.waiting import until

GAUGE = "gaoyao-xijiang"
METRIC = "water.level"
WARNED = "高要区发布河道水位橙色预警"
SECONDS = 60.0


@dataclass
class Cities:
    """The upper city and the lower one, and who administers them."""

    zhaoqing: Product
    guangzhou: Product
    upper: Steward
    lower: Steward


@pytest.fixture(scope="module")
def cities(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cities]:
    assert (DIST / "index.html").exists(), "the pages are not built: run `make wall`"
    folder = tmp_path_factory.mktemp("region")
    with (
        city(folder / "zhaoqing", "441200") as zhaoqing,
        city(folder / "guangzhou", "440100") as guangzhou,
    ):
        made = Cities(zhaoqing, guangzhou, steward(zhaoqing), steward(guangzhou))
        befriend(made)
        yield made


@contextmanager
def city(folder: Path, adcode: str) -> Iterator[Product]:
    own = {"CITY": adcode, "CAP_SENDER": f"warnings@{adcode}.example.org",
           "WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8"}  # fmt: skip
    with ExitStack() as stack:
        if not any(parts.available().values()):
            real = parts.start(folder / "parts", kafka=True, database=True)
            stack.callback(real.stop)
            own |= {"KAFKA_BOOTSTRAP": str(real.kafka_bootstrap),
                    "DATABASE_URL": str(real.database_url)}  # fmt: skip
        product = Product(folder, own)
        stack.callback(product.stop)
        yield product.start(180)


def befriend(made: Cities) -> None:
    """One administrator makes the secret, the other takes it over."""
    guangzhou = {
        "adcode": 440100, "name_zh": "广州", "name_en": "Guangzhou",
        "url": f"{made.guangzhou.url}/v1/neighbours/441200/warnings",
        "interest": {"categories": ["river", "flooding"], "least": "orange"},
    }  # fmt: skip
    secret = made.upper.client.post("/v1/neighbours", json=guangzhou).raise_for_status().json()
    zhaoqing = {
        "adcode": 441200, "name_zh": "肇庆", "name_en": "Zhaoqing", "secret": secret["secret"],
        "url": f"{made.zhaoqing.url}/v1/neighbours/440100/warnings",
    }  # fmt: skip
    made.lower.client.post("/v1/neighbours", json=zhaoqing).raise_for_status()


def test_a_flood_along_the_river_is_seen_in_the_next_city(
    cities: Cities, context: BrowserContext, tmp_path: Path
) -> None:
    wall = open_wall(context, cities.guangzhou)
    assert shown(wall) == []
    the_river_rises(cities.zhaoqing)
    incident = the_case_is_opened(cities.upper)

    assert until(lambda: shown(wall) == [WARNED], SECONDS), shown(wall)
    expect(wall.get_by_test_id("neighbours")).to_contain_text("肇庆")
    assert wall.evaluate("window.__wall.neighbours.value.warnings[0].outline.length") > 0
    wall.screenshot(path=tmp_path / "guangzhou.png")
    it_is_no_case_of_theirs_and_does_not_come_back(cities)

    # While Guangzhou is away, the case is closed; it hears of it when it is back.
    cities.guangzhou.stop()
    for command, words in (
        ("acknowledge", {}), ("dispatch", {"department": "水利局", "note": "防汛"}),
        ("start", {}),
        ("resolve", {"note": "水位回落"}), ("close", {"note": "核查属实"}),
    ):  # fmt: skip
        cities.upper.command(incident, command, **words)
    assert until(lambda: failed_once(cities.upper, incident), SECONDS)
    cities.guangzhou.start(180)
    assert until(lambda: states(cities.upper, incident) == DELIVERED, 2 * SECONDS)
    assert until(lambda: wall.evaluate("window.__wall.link.value") == "live", SECONDS)
    assert until(lambda: shown(wall) == [], SECONDS)
    expect(wall.get_by_test_id("neighbours")).to_have_count(0)


DELIVERED = [("warning.cancel", "delivered"), ("warning.alert", "delivered")]


def shown(wall: Page) -> list[str]:
    """The headlines of neighbours' warnings, as they are drawn."""
    rows = wall.locator("[data-testid=neighbours] .headline")
    return [str(one) for one in rows.all_inner_texts()]


def the_river_rises(product: Product) -> None:
    """Above the third level for more than a minute of event time."""
    now = datetime.now(UTC).replace(microsecond=0)
    levels = [(180, 7.2), (120, 10.2), (60, 10.4), (0, 10.6)]
    readings: list[dict[str, Any]] = [
        {"sensor_id": GAUGE, "metric": METRIC, "value": level,
         "observed_at": (now - timedelta(seconds=ago)).isoformat()}
        for ago, level in levels
    ]  # fmt: skip
    gauge = {"name": "西江高要站", "metrics": [METRIC], "location": {"lon": 112.46, "lat": 23.03}}
    with product.client() as client:
        client.put(f"/v1/sensors/{GAUGE}", json=gauge).raise_for_status()
        assert client.post("/v1/readings", json=readings).status_code == 202


def the_case_is_opened(upper: Steward) -> str:
    def warned() -> list[dict[str, Any]]:
        return [one for one in upper.incidents_of(GAUGE) if one["warning"] == "orange"]

    assert until(lambda: len(warned()) == 1, SECONDS)
    return str(warned()[0]["id"])


def it_is_no_case_of_theirs_and_does_not_come_back(cities: Cities) -> None:
    there = cities.lower.client
    assert there.get("/v1/incidents").json()["items"] == []
    assert b"<entry>" not in there.get("/v1/cap").content
    sent = there.get("/v1/deliveries").json()["items"]
    assert not [one for one in sent if one["type"].startswith("warning.")]
    back = cities.upper.client.get("/v1/neighbours/440100/warnings").json()
    assert back["items"] == []


def states(upper: Steward, incident: str) -> list[tuple[str, str]]:
    """What the next city was sent of a case, the newest first, and what became of it."""
    page = upper.client.get("/v1/deliveries", params={"incident_id": incident}).json()
    return [(one["type"], one["state"]) for one in page["items"]]


def failed_once(upper: Steward, incident: str) -> bool:
    page = upper.client.get("/v1/deliveries", params={"incident_id": incident}).json()
    newest = page["items"][0]
    return newest["type"] == "warning.cancel" and len(newest["attempts"]) > 0
