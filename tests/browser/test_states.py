"""How the page shows a failed refresh, an empty selection, and what a filter leaves to materialize."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, expect
from web_pages import PIPELINE

from browser.served import visit

if TYPE_CHECKING:
    from browser.served import Server


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    """Everything is materialized, and then a refresh of the last asset failed."""
    server = serve({"pipeline.py": PIPELINE})
    assert server.terminal("materialize", "--all").returncode == 0
    (server.root / "break").touch()
    assert server.terminal("materialize", "city/fares").returncode == 1
    return server


def test_a_failed_mark_has_the_failures_age_beside_a_value_that_is_still_in_use(
    server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(server.url + "/assets")
    row = page.locator('[data-key="city/fares"]')
    expect(row.locator(".mark.pill")).to_have_text("failed")
    expect(row).to_contain_text("still in use")
    failed_run = row.locator(".failed-age").get_attribute("href")
    made_run = row.locator(".quiet-link").last.get_attribute("href")
    assert failed_run != made_run

    visit(page, server.url + "/assets/city/fares")
    expect(page.locator(".asset-head .failed-note")).to_contain_text("still in use")
    expect(page.locator(".asset-head .failed-note a")).to_have_attribute("href", failed_run or "")
    expect(page.locator(".reasons")).to_contain_text("its last attempt failed: NameError")

    visit(page, server.url + "/lineage")
    link = page.locator('[data-id="city/fares"] .graph-card-link')
    expect(link).to_have_attribute("href", failed_run or "")
    page.locator('[data-id="city/fares"]').click()
    expect(page.locator(".panel .failed-note")).to_contain_text("still in use")

    visit(page, server.url)
    expect(page.locator('a[href="/assets?state=failed"] .count-number')).to_have_text("1")


def test_materialize_takes_the_filter_that_one_sees(
    server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(server.url + "/assets?q=group:made")
    button = page.locator("#materialize")
    expect(button).to_have_text("Materialize 2 shown")
    button.click()
    expect(page.locator("dialog.launch")).to_contain_text("city/fares")
    expect(page.locator("dialog.launch")).not_to_contain_text("trips_file")
    page.keyboard.press("Escape")

    for address in ("/assets?state=materialized", "/assets?status=fresh", "/assets?status=success"):
        visit(page, server.url + address)
        expect(button).to_have_text("Materialize 2 shown")
        expect(page.locator('[data-key="trips_file"]')).to_be_visible()
        expect(page.locator('[data-key="city/fares"]')).to_have_count(0)
    visit(page, server.url + "/assets")
    expect(button).to_have_text("Materialize all")
    visit(page, server.url + "/runs?status=failed")
    expect(page.locator(".table-row")).to_have_count(1)


def test_a_selection_that_matches_nothing_is_no_error(
    server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(server.url + "/assets?q=status:running")
    expect(page.locator("h2", has_text="No asset matches")).to_be_visible()
    expect(page.locator("#search-note")).to_have_count(0)
    expect(page.locator("#materialize")).to_be_disabled()
    page.keyboard.press("m")
    expect(page.locator("dialog.launch")).to_have_count(0)

    visit(page, server.url + "/lineage?select=status:running")
    expect(page.locator("h2", has_text="No asset matches")).to_be_visible()
    expect(page.locator("#search-note")).to_have_count(0)

    visit(page, server.url + "/assets?q=group:no_such")
    expect(page.locator("#search-note")).to_contain_text(re.compile("no asset is in the group"))
