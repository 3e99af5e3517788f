"""The checks of an asset on its page: what each found, why, and what it found before."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from browser.served import Server

PIPELINE = """
    import assetgraph as dg

    @dg.asset
    def trips() -> list:
        return [12.5, -3.0]

    @dg.asset
    def revenue(trips: list) -> float:
        return sum(trips)

    @dg.asset_check(asset=trips, blocking=True)
    def positive(fares: list) -> dg.AssetCheckResult:
        wrong = [fare for fare in fares if fare < 0]
        rows = dg.MetadataValue.table([{"fare": fare} for fare in wrong])
        return dg.AssetCheckResult(
            passed=not wrong, description="some are negative", metadata={"wrong": rows}
        )

    @dg.asset_check(asset=trips)
    def any_trip(fares: list) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=bool(fares))
"""


def test_the_tab_of_checks_shows_what_each_found_and_follows_what_changes(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE})
    assert server.terminal("materialize", "--all").returncode == 1
    page = open_page(f"{server.url}/assets/trips")

    expect(page.locator(".check-sign").first).to_contain_text("Check failed: positive")
    page.get_by_role("link", name="Checks").click()
    card = page.get_by_role("region", name="Checks")
    positive = card.get_by_role("listitem").filter(has_text="positive").first
    expect(positive).to_contain_text("blocking")
    expect(positive).to_contain_text("some are negative")
    expect(card.get_by_role("listitem").filter(has_text="any_trip")).to_contain_text("passed")

    positive.locator("summary").first.click()
    expect(positive.get_by_role("cell", name="-3")).to_be_visible()
    expect(positive.get_by_label("History of positive").get_by_role("listitem")).to_have_count(1)

    server.write("pipeline.py", textwrap.dedent(PIPELINE).replace("fare < 0", "fare < -9"))
    assert server.terminal("check-assets").returncode == 0
    expect(positive.locator(".pill").first).to_have_text("passed")
    expect(positive.locator(".reasons")).to_have_count(0)  # the page has the newer code too
    expect(page.locator(".check-sign")).to_have_count(0)
    expect(positive.get_by_label("History of positive").get_by_role("listitem")).to_have_count(2)
