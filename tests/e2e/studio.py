"""The built wall before a recorded city: every request is answered here, no server runs.

The clock stands still, nothing moves, and the machine's own fonts are out of reach, so that what is
drawn depends on the wall alone. Requests to any other origin are refused and noted.
"""

import json
import mimetypes
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Page, Route, WebSocketRoute

from services.ops_center.pages import DIST
from shared.web.security import PAGE, policy
from tests.e2e.scenes import NOW, City, Scene, history
from tests.e2e.signs import explanation, signs
from tests.waiting import until

ORIGIN = "http://wall.test"
DRAWN_SECONDS = 60.0
REPLAYED = {"from": "2026-05-01T02:00:00Z", "to": "2026-05-01T05:00:00Z", "speed": 10,
            "playing": False, "ended": False}  # fmt: skip
CUT_FOR = timedelta(seconds=23)

_DRAWN = """() => {
  const gl = window.__map.value?.gl;
  return window.__wall.picture.epoch > 0 && document.fonts.status === "loaded"
    && gl !== undefined && gl.loaded() && gl.areTilesLoaded() && !gl.isMoving();
}"""


@dataclass
class Studio:
    """One page and what it asked for. `frozen`: the clock stands still; `foreign`: addresses of
    other origins."""

    page: Page
    city: City
    frozen: bool = True
    foreign: list[str] = field(default_factory=list)
    socket: WebSocketRoute | None = None
    refusing: bool = False

    def open(self, query: str) -> None:
        """Until the first picture is drawn."""
        if self.frozen:
            self.page.clock.set_fixed_time(NOW)
        self.page.route("**/*", self._answer)
        self.page.route_web_socket(lambda _: True, self._live)
        self.page.goto(f"{ORIGIN}/?token=t&rotate=off&{query}")
        self.wait_mapped()
        if self.frozen:
            self.page.wait_for_load_state("networkidle")  # the charts' past is there
            self._pass(timedelta(seconds=1))
            self.wait_drawn()

    def play(self, scene: Scene) -> None:
        """What happens after the first picture."""
        for key in scene.keys:
            self.page.keyboard.press(key)
            self.wait_drawn()
        if scene.click:
            self.page.locator(scene.click).first.click()
            self.page.wait_for_load_state("networkidle")
            self.wait_drawn()
        if scene.cut:
            self.cut()
            self.wait_drawn()

    def cut(self) -> None:
        """The link is lost, and 23 s go by."""
        self.refusing = True
        assert self.socket is not None
        self.socket.close()
        self._pass(CUT_FOR)
        self.page.locator(".banner").wait_for()

    def _pass(self, time: timedelta) -> None:
        """The clock jumps to so long after the beginning, and the wall has seen it: what is told
        once a second is told of a moment once. What the server's clock says has come before."""
        heard = "() => window.__wall?.pulse.value != null && window.__wall.epoch.value > 0"
        assert until(lambda: bool(self.page.evaluate(heard)), DRAWN_SECONDS)
        self.page.clock.set_fixed_time(NOW + time)
        moment = int((NOW + time).timestamp() * 1000)
        seen = "(at) => window.__wall.beat.value >= at"
        assert until(lambda: bool(self.page.evaluate(seen, moment)), DRAWN_SECONDS)

    def wait_drawn(self) -> None:
        """Fonts are there, the map is at rest, and two pictures in a row are the same."""
        self.wait_mapped()
        assert until(self._still, DRAWN_SECONDS)

    def wait_mapped(self) -> None:
        """Fonts are there, and the map is at rest."""
        assert until(lambda: bool(self.page.evaluate(_DRAWN)), DRAWN_SECONDS)

    def _still(self) -> bool:
        return self.page.screenshot() == self.page.screenshot()

    def _live(self, socket: WebSocketRoute) -> None:
        if not socket.url.startswith(ORIGIN.replace("http", "ws")):
            self.foreign.append(socket.url)
        if self.refusing:
            socket.close()
            return
        self.socket = socket
        past = {"replay": REPLAYED} if "/v1/replay" in socket.url else {}
        frames = [self.city.hello | past, self.city.snapshot, self.city.pulse | past]

        def greet(said: str | bytes) -> None:
            if json.loads(said)["type"] != "hello":
                return  # what it says later asks for nothing that would change the picture
            for frame in frames:
                socket.send(json.dumps(frame, separators=(",", ":")))

        socket.on_message(greet)

    def _answer(self, route: Route) -> None:
        address = urlsplit(route.request.url)
        if f"{address.scheme}://{address.netloc}" != ORIGIN:
            self.foreign.append(route.request.url)
            route.abort()
        elif address.path.startswith("/v1/"):
            self._data(route, address.path, parse_qs(address.query))
        else:
            _file(route, "index.html" if address.path == "/" else address.path.lstrip("/"))

    def _data(self, route: Route, path: str, query: dict[str, list[str]]) -> None:
        answers: dict[str, Callable[[], Any]] = {
            "/v1/session": lambda: {"username": "screen", "role": "screen", "kind": "screen"},
            "/v1/screen": lambda: {"screen": None},
            "/v1/map/areas": lambda: self.city.areas,
            "/v1/map/layers": lambda: {"items": []},
            "/v1/areas": lambda: self.city.cells,
            "/v1/history": lambda: history(self.city, query),
            "/v1/vital-signs": lambda: signs(self.city, query),
            "/v1/incidents": lambda: {"items": [], "next": None},
        }
        if self.refusing:
            route.abort()
        elif path in answers:
            route.fulfill(json=answers[path]())
        elif path.startswith("/v1/vital-signs/"):
            route.fulfill(json=explanation(self.city, path.rpartition("/")[2], query))
        else:
            route.fulfill(status=404, json={"title": "Not found"})


def studio(browser: Browser, city: City, width: int, height: int, *, frozen: bool = True) -> Studio:
    """An empty page of this size."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, reduced_motion="reduce", locale="zh-CN",
        timezone_id="Asia/Shanghai", service_workers="block",
    )  # fmt: skip
    context.set_default_timeout(DRAWN_SECONDS * 1000)
    return Studio(context.new_page(), city, frozen)


def _file(route: Route, name: str) -> None:
    file = DIST / name
    if not file.is_file() or not file.resolve().is_relative_to(DIST):
        route.fulfill(status=404)
        return
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    headers = {"Content-Security-Policy": policy(PAGE)} | {"content-type": _media_type(file, kind)}
    route.fulfill(body=file.read_bytes(), headers=headers)


def _media_type(file: Path, guessed: str) -> str:
    return "font/woff2" if file.suffix == ".woff2" else guessed
