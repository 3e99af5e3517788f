"""What a page cannot show at first it shows as soon as it is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, expect
from web_pages import PIPELINE

if TYPE_CHECKING:
    from browser.served import Server


def test_the_page_of_an_asset_that_is_not_defined_yet_shows_it_once_it_is(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE}, "--watch")
    page = open_page(f"{server.url}/assets/city/tolls")
    expect(page.locator("main")).to_contain_text("Not found")
    expect(page.locator("#live")).to_have_attribute("data-live", "open")

    whole = (server.root / "pipeline.py").read_text()
    server.write("pipeline.py", whole.replace("def fares(", "def tolls("))

    expect(page.locator("h1")).to_contain_text("city/tolls")
    expect(page.locator("main")).not_to_contain_text("Not found")


def test_an_asset_that_is_not_defined_for_a_moment_is_shown_again_and_can_be_launched(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE}, "--watch")
    page = open_page(f"{server.url}/assets/trips_file")
    whole = (server.root / "pipeline.py").read_text()
    page.get_by_role("button", name="Materialize").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("rows").wait_for()

    server.write("pipeline.py", "")
    expect(page.locator("main")).to_contain_text("there is no asset 'trips_file'")
    dialog.get_by_label("rows").fill("6")
    expect(dialog.get_by_role("alert")).to_contain_text("trips_file")

    server.write("pipeline.py", whole)
    expect(page.locator("main")).to_contain_text("One file a month.")
    expect(dialog.get_by_role("alert")).to_have_count(0)
    expect(dialog.get_by_role("button", name="Materialize")).to_be_enabled()


def test_the_page_of_a_run_that_has_not_begun_shows_it_once_it_has(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE})
    page = open_page(f"{server.url}/runs/latest")
    expect(page.locator("main")).to_contain_text("Not found")

    server.terminal("materialize", "trips_file")

    expect(page.locator("main")).to_contain_text("trips_file")


@pytest.mark.parametrize("query", ["select=((", "select=nothing_such", "focus=nothing_such"])
def test_a_mistyped_selection_stands_in_the_search_with_its_error(
    look_at: Callable[..., Server], open_page: Callable[..., Page], query: str
) -> None:
    server = look_at({"pipeline.py": PIPELINE})
    page = open_page(f"{server.url}/lineage?{query}")

    search = page.get_by_role("searchbox", name="Search assets")
    expect(search).to_have_value(re.compile(r"\(\(|nothing_such"))
    expect(page.locator("#search-note")).to_be_visible()
    expect(page.locator('[data-key="trips"], [data-id="trips"]').first).to_be_attached()

    search.fill("trips_file+1")
    search.press("Enter")
    expect(page.locator("#search-note")).to_have_count(0)
