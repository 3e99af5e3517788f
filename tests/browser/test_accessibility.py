"""Every page in both themes before axe-core, where that is installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, expect
from web_pages import PIPELINE

from browser.served import visit

if TYPE_CHECKING:
    from browser.served import Server

RICH = (
    PIPELINE
    + """

    @dg.asset
    def rich(context) -> None:
        print("rich printed")
        context.log.info("a line " * 40)
        context.add_output_metadata({
            "rows": dg.MetadataValue.table([{f"column_{n}": n for n in range(20)}]),
            "json": {"wide": "x" * 400},
            "text": "long " * 300,
            "link": dg.MetadataValue.url("https://example.com/"),
            "md": dg.MetadataValue.md("# A title"),
        })
"""
)


def axe() -> str:
    spec = find_spec("axe_playwright_python")
    if spec is None or spec.origin is None:
        pytest.skip("axe-core is not installed: pip install axe-playwright-python")
    return Path(spec.origin).with_name("axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(
    look_at: Callable[..., Server], open_page: Callable[..., Page], theme: str
) -> None:
    script = axe()
    server = look_at({"pipeline.py": PIPELINE, "break": ""}, "materialize --all --tag reason=test")
    page = open_page(server.url, color_scheme=theme, reduced_motion="reduce")
    found = []
    for address in (
        "/", "/assets", "/assets/trips_file", "/assets/city/fares", "/assets/trips?tab=lineage",
        "/assets/trips?tab=code", "/assets/trips?tab=history", "/lineage",
        "/lineage?selected=trips", "/runs", "/runs/latest", "/runs/latest?view=output",
        "/definitions",
    ):  # fmt: skip
        visit(page, server.url + address)
        found += _violations(page, script, address)
    visit(page, f"{server.url}/assets/trips_file")
    page.get_by_role("button", name="Materialize").click()
    page.get_by_label("month").wait_for()
    launch = page.get_by_role("dialog").get_by_role("button", name="Materialize")
    expect(launch).to_be_enabled()
    found += _violations(page, script, "the launch dialog")
    visit(page, f"{server.url}/assets/trips_file?tab=code")
    page.get_by_role("button", name="Choose the editor").click()
    found += _violations(page, script, "the choice of the editor")
    visit(page, f"{server.url}/runs")
    page.keyboard.press("/")
    page.keyboard.type("trips")
    page.get_by_role("group", name="Assets").wait_for()
    found += _violations(page, script, "the search")
    page.keyboard.press("Escape")
    page.get_by_role("checkbox", name="Select all runs").check()
    found += _violations(page, script, "ticked runs")
    page.get_by_role("button", name="Delete 1 run").click()
    found += _violations(page, script, "the question before runs are deleted")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_with_a_banner_a_panel_and_an_event_open(
    serve: Callable[..., Server], open_page: Callable[..., Page], width: int
) -> None:
    script = axe()
    server = serve({"pipeline.py": RICH, "break": ""})
    server.terminal("materialize", "--all")
    page = open_page(f"{server.url}/assets", width=width, reduced_motion="reduce")
    server.write("pipeline.py", (server.root / "pipeline.py").read_text() + "\n")
    page.locator(".banner").wait_for()
    found = _violations(page, script, "the assets")
    for address in ("/", "/lineage?selected=trips_file", "/assets/rich", "/runs", "/definitions"):
        visit(page, server.url + address)
        found += _violations(page, script, address)

    visit(page, f"{server.url}/lineage?collapsed=made&selected=group:made")
    page.locator(".menu summary").click()
    found += _violations(page, script, "an open menu")
    visit(page, f"{server.url}/runs/latest")
    page.get_by_role("button", name="Full stack trace").click()
    page.locator(".log-row").first.click()
    page.locator(".log-detail").wait_for()
    found += _violations(page, script, "an open event")
    visit(page, f"{server.url}/runs/latest?view=output")
    page.locator(".output-text").wait_for()
    found += _violations(page, script, "the output")
    visit(page, f"{server.url}/assets/rich?tab=history")
    page.locator(".attempt > summary").click()
    found += _violations(page, script, "an open attempt")
    assert not found, "\n".join(found)


def test_arrow_keys_move_among_tabs_and_outputs(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = look_at({"pipeline.py": RICH}, "materialize --all")
    page = open_page(f"{server.url}/runs/latest")
    page.get_by_role("tab", name="Events").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="stdout and stderr")).to_be_focused()
    expect(page.get_by_role("tab", name="stdout and stderr")).to_have_attribute(
        "aria-selected", "true"
    )
    options = page.get_by_role("option")
    expect(options).to_have_count(2)
    options.first.focus()
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_be_focused()
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(page.locator(".output-text")).to_contain_text("writing 3 rows")


def test_a_small_screen_has_the_theme_the_stream_and_names_for_bare_icons(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = look_at({"pipeline.py": PIPELINE})
    page = open_page(f"{server.url}/assets/trips_file", width=360, color_scheme="light")
    expect(page.get_by_role("link", name="Lineage").last).to_be_visible()
    expect(page.locator("#theme-switch")).to_be_hidden()
    page.get_by_role("button", name="More").click()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.locator("#theme-switch").click()
    page.locator("#theme-switch").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")

    visit(page, f"{server.url}/lineage")
    expect(page.locator("summary").and_(page.get_by_label("Groups"))).to_be_visible()
    visit(page, f"{server.url}/assets")
    expect(page.locator('[data-key="trips_file"]')).to_contain_text("raw")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 360


def _violations(page: Page, script: str, where: str) -> list[str]:
    page.evaluate(script)
    page.evaluate("Promise.allSettled(document.getAnimations().map((one) => one.finished))")
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{where}: {one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}"
        for one in result["violations"]
    ]
