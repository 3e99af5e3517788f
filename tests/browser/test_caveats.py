"""What an asset warns of in its metadata is seen wherever its state is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, expect

from browser.served import visit

if TYPE_CHECKING:
    from browser.served import Server

FILES = '''
    import os
    import assetgraph as dg

    @dg.asset
    def fares(context):
        """The *fares* of a [month](https://example.com)."""
        if os.path.exists("offline"):
            context.add_output_metadata({"warning": "This is a <b>sample</b>.", "rows": 3})
        return 1

    @dg.asset
    def plain(fares):
        return 1
'''
SAID = "This is a <b>sample</b>."


def test_a_warning_in_the_metadata_stands_beside_the_state_and_is_no_plain_entry(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": FILES, "offline": ""})
    server.terminal("materialize", "--all")
    page = open_page(f"{server.url}/assets/fares")
    expect(page.get_by_role("note", name="About the value")).to_have_text(SAID)
    expect(page.locator(".card .metadata dt:visible")).to_have_text(["rows"])
    page.get_by_role("link", name="History").click()
    attempt = page.locator(".attempt summary")
    expect(attempt).to_contain_text(f"Warning: {SAID}")
    expect(attempt.locator(".attempt-gist")).not_to_contain_text("warning")

    visit(page, f"{server.url}/assets")
    expect(page.locator('[data-key="fares"] .caveat-sign')).to_have_attribute("title", SAID)
    expect(page.locator('[data-key="fares"] .sub').first).to_have_text("The fares of a month.")
    expect(page.locator('[data-key="plain"]')).to_be_visible()
    expect(page.locator('[data-key="plain"] .caveat-sign')).to_have_count(0)

    visit(page, f"{server.url}/lineage?selected=fares")
    card = page.locator('.graph-card[data-id="fares"]')
    expect(card.locator(".caveat-sign")).to_have_attribute("title", SAID)
    expect(card).to_contain_text("The fares of a month.")
    panel = page.get_by_role("complementary", name="Selection")
    expect(panel.get_by_role("note")).to_have_text(SAID)

    (server.root / "offline").unlink()
    server.terminal("materialize", "fares")
    expect(card.locator(".caveat-sign")).to_have_count(0)
