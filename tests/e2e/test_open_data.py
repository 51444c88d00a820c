"""Open data: found, read and downloaded by somebody who is not logged in."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.test_accessible import axe, violations
from tests.product import Product

__all__ = ["axe"]
METRIC = "air.pm25"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_visitor_finds_and_downloads_public_data(
    city: Product, context: BrowserContext, axe: str, language: str, tmp_path: Path
) -> None:
    context.clear_cookies()
    page = context.new_page()
    page.goto(f"{city.url}/data?lang={language}")
    expect(page.get_by_test_id(f"dataset-readings.{METRIC}")).to_be_visible()
    expect(page.get_by_test_id("dataset-readings.traffic.speed")).to_have_count(0)
    assert violations(page, axe) == []
    page.get_by_test_id("catalogue-search").fill("pm2.5")
    expect(page.get_by_test_id("dataset-areas")).to_have_count(0)
    page.get_by_test_id(f"dataset-readings.{METRIC}").get_by_role("link").click()
    expect(page.get_by_test_id("dataset")).to_contain_text("CC-BY-4.0")
    assert violations(page, axe) == []
    with page.expect_download() as coming:
        page.locator(".downloads a", has_text="csv").first.click()
    file = tmp_path / "latest.csv"
    coming.value.save_as(file)
    rows = list(csv.DictReader(file.open(encoding="utf-8")))
    assert {row["metric"] for row in rows} == {METRIC}
    page.get_by_role("link", name="←").click()
    expect(page.get_by_test_id("catalogue-search")).to_be_visible()
