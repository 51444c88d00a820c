"""What people do with the pages, and what they see on them."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from playwright.sync_api import BrowserContext, Page, expect

from tests.product import Product
from tests.waiting import until

METRIC = "gas.concentration"
P1_RANK = 7  # of `State` in the wall's live/protocol.ts
P1_COLOUR = (255, 75, 62)  # #FF4B3E
LIVE_MS = 60_000.0

_COUNT_PIXELS = """async ([png, [red, green, blue]]) => {
  const image = new Image();
  image.src = "data:image/png;base64," + png;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, image.width, image.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    const far = [red, green, blue].map((wanted, place) => Math.abs(data[i + place] - wanted));
    if (far[0] + far[1] + far[2] < 24) count += 1;
  }
  return count;
}"""
_SENSOR_RANK = """(id) => {
  const { sensors } = window.__wall.picture;
  return sensors.state[sensors.indexOf.get(id)] ?? -1;
}"""

# Every page of the console, as one can go through them.
TABS = (
    "silences", "sensors", "duty", "performance", "tasks", "vitals", "setup", "push", "keys",
    "grants",
    "quarantine", "users", "audit", "rules", "incidents",
)  # fmt: skip


@dataclass(frozen=True)
class Steward:
    """The administrator, over HTTP: what is not the console's own business in a test."""

    client: httpx.Client

    def register(
        self, product: Product, sensor_id: str, lon: float = 112.47, lat: float = 23.06
    ) -> None:
        """A gas sensor, in 端州 unless said otherwise."""
        body = {
            "name": f"试验燃气阀井 {sensor_id}",
            "metrics": [METRIC],
            "location": {"lon": lon, "lat": lat},
        }
        with product.client() as source:
            source.put(f"/v1/sensors/{sensor_id}", json=body).raise_for_status()

    def add_endpoint(self, url: str) -> str:
        """The new endpoint's secret."""
        answer = self.client.post("/v1/endpoints", json={"url": url, "events": ["*"]})
        return str(answer.raise_for_status().json()["secret"])

    def incidents_of(self, sensor_id: str) -> list[dict[str, Any]]:
        """Every incident of one sensor."""
        items = self.client.get("/v1/incidents", params={"limit": 500}).json()["items"]
        return [item for item in items if sensor_id in item["subjects"]]

    def command(self, incident_id: str, command: str, **words: object) -> None:
        """A step of the closed loop."""
        self.client.post(f"/v1/incidents/{incident_id}/{command}", json=words).raise_for_status()


def steward(product: Product) -> Steward:
    """Logged in."""
    client = httpx.Client(base_url=product.url, timeout=20)
    token = client.post("/v1/session", json=product.credentials["admin"]).json()["token"]
    client.headers["Authorization"] = f"Bearer {token}"
    client.cookies.clear()
    return Steward(client)


def post_reading(product: Product, sensor_id: str, value: float) -> None:
    """One reading of now; accepted."""
    reading = {
        "sensor_id": sensor_id,
        "metric": METRIC,
        "observed_at": datetime.now(UTC).isoformat(),
        "value": value,
    }
    with product.client() as source:
        answer = source.post("/v1/readings", json=reading)
    assert answer.status_code == 202, answer.text


def post_with(product: Product, token: str, sensor_id: str) -> None:
    """A reading by a key of 5 a second; accepted, within ten seconds' worth at once."""
    reading = {
        "sensor_id": sensor_id, "metric": METRIC, "value": 1.0,
        "observed_at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.post(f"{product.url}/v1/readings", json=reading, headers=headers)
    assert answer.status_code == 202, answer.text
    assert "q=50;" in answer.headers["ratelimit-policy"]


def open_wall(context: BrowserContext, product: Product) -> Page:
    """The wall as a screen opens it, once it is live."""
    page = context.new_page()
    page.goto(f"{product.url}/?token={product.credentials['screen_token']}")
    wall_is_live(page)
    return page


def wall_is_live(page: Page) -> None:
    """Until the wall's socket has brought the picture. (The pages' policy forbids `eval`, and with
    it Playwright's own `wait_for_function`.)"""
    assert until(lambda: page.evaluate("window.__wall?.link.value") == "live", LIVE_MS / 1000)


def open_console(context: BrowserContext, product: Product, *, map_shown: bool = False) -> Page:
    """The console after logging in, once it is live. Without the map it costs less to draw."""
    page = context.new_page()
    if not map_shown:
        page.add_init_script("localStorage.setItem('yiwang.console.map', 'off')")
    page.goto(f"{product.url}/console")
    log_in(page, **product.credentials["admin"])
    wait_live(page)
    return page


def log_in(page: Page, username: str, password: str) -> None:
    """Fill in the form and send it."""
    page.get_by_test_id("login-username").fill(username)
    page.get_by_test_id("login-password").fill(password)
    page.get_by_test_id("login-enter").click()


def wait_live(page: Page) -> None:
    """Until the console's socket has brought the picture."""
    expect(page.get_by_test_id("link")).to_have_attribute("data-link", "live", timeout=LIVE_MS)


def rank_on_wall(wall: Page, sensor_id: str) -> int:
    """The sensor's state in the wall's picture, as a rank; -1 if it is not there."""
    rank: int = wall.evaluate(_SENSOR_RANK, sensor_id)
    return rank


def alarm_pixels(wall: Page) -> int:
    """How much of the map has the colour of priority 1."""
    png = base64.b64encode(wall.locator("section.map .map-canvas").screenshot()).decode()
    count: int = wall.evaluate(_COUNT_PIXELS, [png, P1_COLOUR])
    return count


def incident_on(page: Page, incident_id: str, state: str, milliseconds: float = 90_000.0) -> None:
    """Until the page's list shows the incident in this state."""
    row = page.get_by_test_id(f"incident-{incident_id}")
    expect(row).to_have_attribute("data-state", state, timeout=milliseconds)


def choose(console: Page, incident_id: str) -> None:
    """Open an incident from the queue."""
    console.get_by_test_id(f"incident-{incident_id}").click()
    expect(console.get_by_test_id("detail")).to_have_attribute("data-id", incident_id)


def act(console: Page, command: str, *, department: str = "", note: str = "") -> None:
    """A step by way of its form."""
    console.get_by_test_id(f"action-{command}").click()
    if department:
        console.get_by_test_id("command-department").select_option(department)
    console.get_by_test_id("command-note").fill(note)
    console.get_by_test_id("command-confirm").click()


def detail_is(console: Page, state: str) -> None:
    """Until the server has confirmed the chosen incident's state."""
    detail = console.get_by_test_id("detail")
    expect(detail).to_have_attribute("data-state", state)
    expect(console.locator(".actions")).to_have_attribute("aria-busy", "false")
