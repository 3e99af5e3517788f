"""What something else makes is told apart, and what is known of its data is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from browser.served import Server

PIPELINE = """
    from pathlib import Path
    import assetgraph as dg

    customers = dg.source_file("customers.csv")
    orders = dg.AssetSpec("orders")

    @dg.asset(deps=[orders])
    def names(customers: Path) -> int:
        return len(customers.read_text())
"""


def test_what_something_else_makes_is_external_and_not_materialized_here(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE, "customers.csv": "a,b"})
    page = open_page(f"{server.url}/assets/customers")

    expect(page.locator(".pill").first).to_have_text("external")
    expect(page.get_by_role("region", name="Data")).to_contain_text("customers.csv")
    expect(page.get_by_role("button", name="Materialize")).to_be_hidden()

    assert server.terminal("report", "orders", "--metadata", "rows=5").returncode == 0
    page.goto(f"{server.url}/assets/orders")
    expect(page.get_by_role("region", name="Data")).to_contain_text("reported")
    expect(page.get_by_role("region", name="Data")).to_contain_text("rows")


def test_the_page_runs_what_reads_a_file_that_changed(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE, "customers.csv": "a,b"})
    assert server.terminal("materialize", "--all").returncode == 0
    server.write("customers.csv", "a,b,c")

    page = open_page(f"{server.url}/assets")

    expect(page.locator('[data-key="names"] .pill')).to_have_text("stale")
    expect(page.locator('[data-key="customers"] .pill')).to_have_text("external")
    page.get_by_role("button", name="Materialize all").click()
    page.get_by_role("dialog").get_by_role("button", name="Materialize").click()
    expect(page.locator('[data-key="names"] .pill')).to_have_text("materialized")
