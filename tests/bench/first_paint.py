"""`first_paint`: opening the wall → its first picture with data, figures and map, is painted.

The embedded product with its simulated city (3,202 sensors) on loopback, Chromium without a GPU,
an empty cache every time. Denominator (`limit_is`): the same browser fetching the same files from
the same server into an empty page; rounds alternate. `bundle_gzip_kb`: what the page loads of
scripts and style sheets; `font_kb`: slices of the font that it asked for.
"""

import gzip
import tempfile
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Response, sync_playwright

from services.ops_center.pages import DIST
from shared.pause import until
from tests.bench import report
from tests.e2e.conftest import ARGUMENTS, find_browser
from tests.product import Product

BAR_MS = 2000.0
BUNDLE_BAR_KB = 600.0
PAINT_SECONDS = 60.0
SPEAKING = 1000  # series that have a value before the first round
LIMIT_IS = "the same files fetched by an empty page of the same browser"
_WATCH = """() => {
  const look = () => {
    const wall = window.__wall, gl = window.__map?.value?.gl;
    const figures = wall?.epoch.value > 0 && document.querySelector(".tile .pointer") !== null;
    const map = gl !== undefined && gl.getSource("sensors") !== undefined && gl.areTilesLoaded()
      && gl.querySourceFeatures("sensors").length > 0;
    if (figures) window.__figures ??= performance.now();
    if (figures && map) requestAnimationFrame(() => { window.__painted = performance.now(); });
    else requestAnimationFrame(look);
  };
  look();
}"""
_FETCH = """async (paths) => {
  const began = performance.now();
  await Promise.all(paths.map((path) => fetch(path).then((answer) => answer.arrayBuffer())));
  return performance.now() - began;
}"""


def run(quick: bool) -> str:
    """Alternating rounds."""
    rounds = 2 if quick else 7
    machine = report.machine()
    path = find_browser()
    assert path is not None, "no Chromium is installed"
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as folder, sync_playwright() as player:
        product = Product(Path(folder) / "data", {"SIMULATOR": "on"})
        browser = player.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            product.start()
            assert until(lambda: _speaking(product) >= SPEAKING, 120), "the city stays silent"
            _open(browser, product)  # the machine's own caches
            taken = [_pair(browser, product) for _ in range(rounds)]
        finally:
            browser.close()
            product.stop()
    last = taken[-1][0]
    return report.line(
        "first_paint",
        "ms",
        [ours["painted_ms"] for ours, _ in taken],
        [limit for _, limit in taken],
        limit_is=LIMIT_IS,
        bar=BAR_MS,
        figures_ms=round(sorted(ours["figures_ms"] for ours, _ in taken)[len(taken) // 2]),
        bundle_gzip_kb=bundle_gzip_kb(last["paths"]),
        bundle_bar=BUNDLE_BAR_KB,
        font_kb=round(sum((DIST / path).stat().st_size for path in _of(last, ".woff2")) / 1000),
        **machine,
    )


def bundle_gzip_kb(paths: list[str]) -> float:
    """Scripts and style sheets among these files, gzipped one by one."""
    files = [DIST / path for path in paths if path.endswith((".js", ".css"))]
    return round(sum(len(gzip.compress(file.read_bytes())) for file in files) / 1000, 1)


def _pair(browser: Browser, product: Product) -> tuple[dict[str, Any], float]:
    ours = _open(browser, product)
    context = browser.new_context(bypass_csp=True)  # that page may fetch nothing
    page = context.new_page()
    page.goto(f"{product.url}/livez")
    limit = float(page.evaluate(_FETCH, [f"/{path}" for path in ours["paths"]]))
    context.close()
    return ours, limit


def _open(browser: Browser, product: Product) -> dict[str, Any]:
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    paths: list[str] = []

    def note(answer: Response) -> None:
        if "/assets/" in answer.url:
            paths.append(answer.url.removeprefix(f"{product.url}/"))

    page.on("response", note)
    page.add_init_script(f"({_WATCH})()")
    page.goto(f"{product.url}/?token={product.credentials['screen_token']}")
    assert until(lambda: page.evaluate("window.__painted ?? 0") > 0, PAINT_SECONDS)
    painted, figures = page.evaluate("[window.__painted, window.__figures]")
    context.close()
    return {"painted_ms": painted, "figures_ms": figures, "paths": sorted(set(paths))}


def _of(opened: dict[str, Any], ending: str) -> list[str]:
    return [path for path in opened["paths"] if path.endswith(ending)]


def _speaking(product: Product) -> int:
    headers = {"Authorization": f"Bearer {product.credentials['screen_token']}"}
    answer = httpx.get(f"{product.url}/v1/summary", headers=headers, timeout=10)
    return int(answer.json()["series"]["by_state"]["normal"]) if answer.is_success else 0
