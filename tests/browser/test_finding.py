"""One finds the way on: from an address that leads nowhere, and among many runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, expect

from browser.served import visit

if TYPE_CHECKING:
    from browser.served import Server

BEFORE = """
    import assetgraph as dg

    @dg.asset
    def fares(): return 1
"""


def test_an_address_that_leads_nowhere_says_where_to_go(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": BEFORE}, "--watch")
    assert server.terminal("materialize", "fares").returncode == 0
    page = open_page(f"{server.url}/definitions")
    server.write(
        "pipeline.py", BEFORE.replace("fares", "city_fares").replace("\n    ", "\n").lstrip()
    )
    expect(page.get_by_role("link", name="city_fares")).to_be_visible()
    assert server.terminal("mv", "fares", "city_fares").returncode == 0

    visit(page, f"{server.url}/assets/fares")
    expect(page.locator("main")).to_contain_text("'fares' was renamed to 'city_fares'")
    page.locator("main").get_by_role("link", name="city_fares").click()
    expect(page.locator(".asset-head")).to_contain_text("materialized")

    visit(page, f"{server.url}/assets/city_fairs")
    expect(page.locator("main").get_by_role("link", name="city_fares")).to_be_visible()
    page.get_by_role("button", name="Find something else").click()
    expect(page.get_by_role("combobox")).to_be_focused()


def test_runs_are_filtered_by_the_days_on_which_they_started(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = look_at({"pipeline.py": BEFORE}, "materialize fares")
    page = open_page(f"{server.url}/runs")
    rows = page.locator(".runs-table [data-run]")
    expect(rows).to_have_count(1)
    tomorrow = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}"
    page.get_by_label("From").fill(tomorrow)
    expect(rows).to_have_count(0)
    expect(page).to_have_url(re.compile(f"since={tomorrow}"))
    page.get_by_label("From").fill("")
    page.get_by_label("To", exact=True).fill(tomorrow)
    expect(rows).to_have_count(1)

    visit(page, f"{server.url}/runs?since=1h")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="from: 1h").click()
    expect(page).to_have_url(re.compile("/runs$"))
