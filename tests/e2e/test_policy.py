"""The browser finds nothing on any page that the page's policy forbids."""

import httpx
from playwright.sync_api import BrowserContext, Page

from tests.e2e.screens import TABS, open_console, open_wall
from tests.product import Product

LISTEN = """
window.broken = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.broken.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


def broken(page: Page) -> list[str]:
    found: list[str] = page.evaluate("window.broken")
    return found


def test_no_page_breaks_its_policy(city: Product, context: BrowserContext) -> None:
    context.add_init_script(LISTEN)
    wall = open_wall(context, city)
    wall.locator("section.map canvas").wait_for()
    console = open_console(context, city, map_shown=True)
    console.locator(".map-pane canvas").wait_for()
    for tab in TABS:
        console.get_by_test_id(f"tab-{tab}").click()
    docs = context.new_page()
    docs.goto(f"{city.url}/docs")
    docs.get_by_text("/v1/incidents/{incident_id}/{command}").first.wait_for()
    link = context.new_page()
    link.goto(f"{city.url}/v1/links/nonsense")
    link.get_by_role("heading").wait_for()
    assert link.evaluate("getComputedStyle(document.body).maxWidth") != "none"  # it has its style
    for page in (wall, console, docs, link):
        assert broken(page) == [], page.url


def test_what_is_forbidden_is_noticed(city: Product, context: BrowserContext) -> None:
    """The test above could not fail otherwise."""
    context.add_init_script(LISTEN)
    page = context.new_page()
    page.goto(f"{city.url}/docs")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')")
    page.wait_for_function("window.broken.length > 0")
    assert "style-src" in broken(page)[0]
    assert httpx.get(f"{city.url}/docs").headers["x-content-type-options"] == "nosniff"
