"""axe-core finds nothing on any page, in both themes and both languages."""

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from services.ops_center.pages import DIST
from tests.e2e.screens import log_in, steward, wait_live
from tests.product import Product

AXE = DIST.parent / "node_modules" / "axe-core" / "axe.min.js"
PAGES = (
    "incidents", "silences", "sensors", "duty", "performance", "tasks", "vitals",
    "rules", "push", "keys", "grants", "quarantine", "catalogue", "users", "audit", "neighbours",
)  # fmt: skip
DIALOGS = {
    "silences": "silence-new", "sensors": "sensor-add", "rules": "rule-new", "keys": "key-new",
    "grants": "grant-new", "neighbours": "neighbour-new",
    "users": "user-new", "duty": "swap",
}  # fmt: skip
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """async (tags) => {
  const found = await axe.run(document, { runOnly: { type: "tag", values: tags } });
  return found.violations.map((one) =>
    one.id + ": " + one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | "));
}"""


@pytest.fixture
def axe() -> str:
    """The checker's script. The pages' policy lets in no other, so it is injected by the driver."""
    path = Path(AXE)
    assert path.exists(), "axe-core is not installed: run `make wall`"
    return path.read_text(encoding="utf-8")


def violations(page: Page, axe: str) -> list[str]:
    """What axe-core finds on the page as it stands."""
    page.evaluate(f"() => {{ {axe} }}")
    found: list[str] = page.evaluate(_RUN, TAGS)
    return found


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_has_a_violation(
    city: Product, context: BrowserContext, axe: str, theme: str, language: str
) -> None:
    page = context.new_page()
    page.add_init_script("localStorage.setItem('yiwang.console.map', 'off')")
    page.goto(f"{city.url}/console?lang={language}&theme={theme}")
    wrong = {"login": violations(page, axe)}
    log_in(page, **city.credentials["admin"])
    wait_live(page)
    for name in PAGES:
        page.goto(f"{city.url}/console?lang={language}&theme={theme}#{name}")
        wait_live(page)
        page.wait_for_load_state("networkidle")
        wrong[name] = violations(page, axe)
        if name in DIALOGS:
            page.get_by_test_id(DIALOGS[name]).first.click()
            expect(page.locator("dialog[open]")).to_be_visible()
            wrong[f"{name}, {DIALOGS[name]}"] = violations(page, axe)
    for name, what in opened(city).items():
        page.goto(f"{city.url}/console?lang={language}&theme={theme}#{name}")
        wait_live(page)
        page.get_by_test_id(what).first.wait_for()
        page.wait_for_load_state("networkidle")
        wrong[name] = violations(page, axe)
    assert {name: found for name, found in wrong.items() if found} == {}


def opened(city: Product) -> dict[str, str]:
    """Addresses with something open, and what shows that it is."""
    client = steward(city).client
    found = {"rules/gas-leak": "rule-dialog", "catalogue/readings.air.pm25": "dataset"}
    sensors = client.get("/v1/sensors", params={"limit": 1}).json()["items"]
    incidents = client.get("/v1/incidents", params={"limit": 1}).json()["items"]
    found |= {f"sensors/{one['sensor_id']}": "sensor-page" for one in sensors}
    found |= {f"incidents/{one['id']}": "detail" for one in incidents}
    return found
