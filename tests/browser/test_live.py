"""What happens elsewhere shows here: another tab, a terminal, a file, a server that comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, Route, expect
from web_pages import PIPELINE

from browser.served import visit

if TYPE_CHECKING:
    from browser.served import Server


def test_two_tabs_and_a_terminal_see_the_same(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE})
    lineage = open_page(f"{server.url}/lineage")
    overview = open_page(server.url)

    assert server.terminal("materialize", "trips_file").returncode == 0
    expect(lineage.locator('.graph-card[data-id="trips_file"]')).to_have_attribute(
        "data-state", "fresh"
    )
    expect(overview.get_by_role("region", name="Assets by status")).to_contain_text("1materialized")
    expect(
        overview.get_by_role("region", name="Latest runs").get_by_role("listitem")
    ).to_have_count(1)

    lineage.get_by_role("button", name="Materialize all").click()
    lineage.get_by_role("dialog").get_by_role("button", name="Materialize").click()
    for page in (lineage, overview):
        expect(page.locator(".toast").last).to_contain_text("Materialized 3 assets")
    expect(overview.get_by_role("region", name="Assets by status")).to_contain_text("3materialized")

    shown = server.terminal("runs", "list", "--json")
    assert '"launched_by": "page"' in shown.stdout


def test_a_page_finds_a_server_that_comes_back(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE})
    page = open_page(f"{server.url}/assets")
    expect(page.locator("#live")).to_have_attribute("data-live", "open")
    port = server.port

    assert server.stop() in (0, 130)
    expect(page.locator("#live")).to_have_attribute("data-live", "lost")
    server.terminal("materialize", "trips_file")
    server.start(port=port)
    assert server.port == port

    expect(page.locator("#live")).to_have_attribute("data-live", "open")
    expect(page.locator('[data-key="trips_file"]')).to_contain_text("materialized")


def test_a_page_that_fell_too_far_behind_reads_everything_anew(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE})
    page = open_page(f"{server.url}/definitions")  # any page: the stream is broken off below
    streams: list[str] = []

    def reset_once(route: Route) -> None:
        streams.append(route.request.url)
        if len(streams) == 1:
            server.terminal("materialize", "trips_file")
            body = "id: 0.0\nevent: reset\ndata: {}\n\n"
            route.fulfill(content_type="text/event-stream", body=body)
        # Later streams stay unanswered: what the page shows, it read because of the reset.

    page.route("**/api/stream*", reset_once)
    visit(page, f"{server.url}/assets")
    expect(page.locator('[data-key="trips_file"] .pill')).to_have_text("materialized")
    page.unroute_all(behavior="ignoreErrors")


def test_a_run_goes_on_while_the_page_is_restarted(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    text = """
        import time
        from pathlib import Path
        import assetgraph as dg

        @dg.asset
        def slow():
            while not Path("go").exists():
                time.sleep(0.02)
    """
    server = serve({"pipeline.py": text})
    page = open_page(f"{server.url}/assets")
    page.get_by_role("button", name="Materialize all").click()
    page.get_by_role("dialog").get_by_role("button", name="Materialize").click()
    expect(page.locator('[data-key="slow"]')).to_contain_text("running")
    port = server.port
    server.stop()
    server.start(port=port)
    expect(page.locator("#live")).to_have_attribute("data-live", "open")
    expect(page.locator('[data-key="slow"]')).to_contain_text("running")

    (server.root / "go").touch()
    expect(page.locator('[data-key="slow"]')).to_contain_text("materialized")


def test_definitions_break_and_are_mended_when_a_file_is_saved(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE}, "--watch")
    page = open_page(f"{server.url}/assets")
    whole = (server.root / "pipeline.py").read_text()

    server.write("pipeline.py", whole + "\nundefined_thing\n")
    expect(page.locator(".banner")).to_contain_text("The definitions do not load")
    expect(page.locator('[data-key="trips"]')).to_be_visible()
    page.get_by_role("link", name="See the error").click()
    expect(page.locator(".failure")).to_contain_text("name 'undefined_thing' is not defined")
    expect(page.locator("main")).to_contain_text("keeps the last valid definitions")

    server.write("pipeline.py", whole.replace("def fares(", "def tolls("))
    expect(page.locator("main")).to_contain_text("city/tolls")
    expect(page.locator(".failure")).to_have_count(0)


def test_definitions_are_reloaded_on_the_button(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE})
    page = open_page(f"{server.url}/definitions")
    whole = (server.root / "pipeline.py").read_text()
    server.write("pipeline.py", whole.replace("def fares(", "def tolls("))

    expect(page.locator("main")).to_contain_text("files changed since")
    page.get_by_role("button", name="Reload definitions").click()
    expect(page.locator("main")).to_contain_text("city/tolls")
    expect(page.locator("main")).not_to_contain_text("files changed since")


def test_the_start_and_the_end_of_a_run_are_announced_not_each_event(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE})
    page = open_page(f"{server.url}/assets")
    page.evaluate(
        """() => {
            window.said = [];
            const box = document.getElementById('announcer');
            new MutationObserver(() => window.said.push(box.textContent))
                .observe(box, {childList: true, characterData: true, subtree: true});
        }"""
    )
    server.terminal("materialize", "--all")
    expect(page.locator("#announcer")).to_contain_text("Materialized 3 assets")

    assert len(page.evaluate("window.said")) <= 4
