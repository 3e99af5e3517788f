"""What a step read without declaring it is listed with its asset, and what changed of it is said."""

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

    @dg.asset
    def names() -> int:
        return len(Path("lookups/<b>zones.csv").read_text())

    @dg.asset
    def plain() -> int:
        return 1
"""


def test_the_page_of_an_asset_lists_what_its_step_read(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE, "lookups/<b>zones.csv": "a,b"})
    assert server.terminal("materialize", "--all").returncode == 0
    page = open_page(f"{server.url}/assets/names?tab=lineage")
    card = page.get_by_role("region", name="Observed reads")

    expect(card).to_contain_text("lookups/<b>zones.csv")
    expect(card).to_contain_text("file, by its content")
    server.write("lookups/<b>zones.csv", "a,b,c")
    page.goto(f"{server.url}/assets/names?tab=lineage")
    expect(card.locator('[data-state="stale"]').first).to_be_visible()
    page.goto(f"{server.url}/assets/names")
    expect(page.get_by_label("Why it is not up to date")).to_contain_text(
        "lookups/<b>zones.csv, which it read, changed"
    )

    page.goto(f"{server.url}/assets/plain?tab=lineage")
    expect(page.get_by_role("heading", name="plain")).to_be_visible()
    expect(card).to_be_hidden()
