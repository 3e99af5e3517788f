"""Every page by its own address, by keyboard, in both themes, on a phone, and empty."""

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

PAGES = [
    "/", "/assets", "/assets/city/fares", "/lineage", "/runs", "/runs/latest", "/definitions",
]  # fmt: skip


FILES = {"pipeline.py": PIPELINE, "break": ""}


@pytest.fixture
def server(look_at: Callable[..., Server]) -> Server:
    """A server that shows a run in which an asset failed, for tests that change nothing."""
    return look_at(FILES, "materialize --all --tag reason=test")


def test_every_address_opens_directly_and_is_live(
    server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(server.url)
    for address in PAGES:
        visit(page, server.url + address)
        expect(page.locator("#live")).to_have_attribute("data-live", "open")
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator("body")).to_have_attribute("data-ready", "")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_is_wider_than_a_phone(
    server: Server, open_page: Callable[..., Page], theme: str
) -> None:
    page = open_page(server.url, width=360, height=740, color_scheme=theme)
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    for address in PAGES:
        visit(page, server.url + address)
        wide = page.evaluate("document.scrollingElement.scrollWidth")
        assert wide <= 360, address
        for link in page.locator(".nav-item").all():
            expect(link).to_be_in_viewport()


def test_the_theme_follows_the_system_until_it_is_chosen(
    server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(server.url, color_scheme="dark")
    root = page.locator("html")
    expect(root).to_have_attribute("data-theme", "dark")

    page.get_by_role("button", name="Theme: system").click()
    expect(root).to_have_attribute("data-theme", "light")
    page.reload()
    expect(root).to_have_attribute("data-theme", "light")

    page.get_by_role("button", name="Theme: light").click()
    expect(root).to_have_attribute("data-theme", "dark")


def test_pages_are_reached_and_used_by_keyboard_alone(
    server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(server.url)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()

    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page.locator("h1")).to_have_text("Assets")
    page.locator("body[data-ready]").wait_for()
    page.keyboard.press("f")
    page.keyboard.type("fares")
    expect(page.locator(".table-body .table-row, .virtual .table-row")).to_have_count(1)
    page.keyboard.press("Tab")

    page.locator("body").press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Search on this page")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    row = page.get_by_role("row").filter(has_text="city/fares")
    row.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    page.locator("#materialize").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Materialize")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_empty_pages_say_what_to_do_next(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": ""})
    page = open_page(server.url)
    for address in ("/", "/assets", "/lineage", "/definitions"):
        visit(page, server.url + address)
        expect(page.locator("main")).to_contain_text("assetgraph scaffold asset")
    visit(page, f"{server.url}/runs")
    expect(page.locator("main")).to_contain_text("assetgraph materialize --all")


def test_what_does_not_exist_is_said_and_leads_on(
    server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{server.url}/assets/city/fare")
    expect(page.locator("main")).to_contain_text("city/fares")
    visit(page, f"{server.url}/runs/20260101-000000-000-ffff")
    expect(page.locator("main")).to_contain_text("Not found")


def test_an_address_that_is_no_page_leads_home(
    server: Server, open_page: Callable[..., Page], browser: object
) -> None:
    page = open_page(server.url)
    page.evaluate("history.replaceState(null, '', '/')")
    answer = page.request.get(f"{server.url}/nowhere")
    assert answer.status == 404
    assert "There is no page at this address" in answer.text()


def test_the_overview_shows_how_things_stand(
    server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(server.url)

    counts = page.get_by_role("region", name="Assets by status")
    expect(counts).to_contain_text("3assets")
    expect(counts).to_contain_text("2materialized")
    expect(counts).to_contain_text("1failed")
    bar = page.get_by_role("region", name="Runs", exact=True).get_by_role("link")
    expect(bar).to_have_count(1)
    page.get_by_role("button", name="24 h").click()
    expect(page).to_have_url(re.compile("hours=24"))
    failure = page.get_by_role("region", name="Last failure")
    expect(failure).to_contain_text("city/fares")
    expect(failure).to_contain_text("NameError: name 'missing_name' is not defined")
    expect(failure).to_contain_text(re.compile(r"pipeline\.py:\d+"))

    bar.click()
    expect(page.locator(".failure-what")).to_contain_text("NameError")


def test_owners_have_a_column_where_somebody_owns_something(
    server: Server, look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    owner = {"name": "Owner", "exact": True}
    page = open_page(f"{server.url}/assets")
    expect(page.get_by_role("columnheader", **owner)).to_be_visible()
    nobodys = PIPELINE.replace('owners=["team:data"], ', "")

    visit(page, f"{look_at({'pipeline.py': nobodys}).url}/assets")
    expect(page.get_by_role("columnheader", name="Duration")).to_be_visible()
    expect(page.get_by_role("columnheader", **owner)).to_be_hidden()


def test_an_asset_shows_its_past_with_failures_its_value_and_its_neighbours(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve(FILES)
    server.terminal("materialize", "--all")
    for month in ("2023-04", "2023-05"):
        config = f"trips_file.month={month}", "--config", f"trips_file.rows={month[-1]}"
        server.terminal("materialize", "trips_file", "--config", *config)
    page = open_page(f"{server.url}/assets/trips_file")

    chart = page.get_by_role("figure").filter(has_text="rows").first
    expect(chart).to_contain_text("3 – 5")
    assert chart.locator(".chart-tick").all_text_contents()[:3] == ["3", "4", "5"]
    value = page.get_by_role("region", name="Value")
    expect(value.get_by_role("row")).to_have_count(6)
    expect(page.get_by_role("region", name="Downstream")).to_contain_text("trips")
    page.get_by_role("link", name="Code").click()
    expect(page.get_by_role("region", name="Definition", exact=True)).to_contain_text(
        "def trips_file"
    )
    page.get_by_role("link", name="History").click()
    expect(page).to_have_url(re.compile(r"/assets/trips_file\?tab=history$"))
    expect(page.get_by_role("region", name="History").get_by_role("listitem")).to_have_count(3)
    page.go_back()
    expect(page.get_by_role("link", name="Code", exact=True)).to_have_attribute(
        "aria-current", "page"
    )

    visit(page, f"{server.url}/assets/city/fares")
    expect(page.locator(".reasons")).to_contain_text("its last attempt failed")
    page.get_by_role("link", name="History").click()
    history = page.get_by_role("region", name="History")
    expect(history).to_contain_text("NameError")


def test_an_asset_whose_value_is_gone_is_missing(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve(FILES)
    server.terminal("materialize", "trips_file")
    (server.root / "trips_2023-03.csv").unlink()
    page = open_page(f"{server.url}/assets/trips_file")
    expect(page.locator(".asset-head .pill")).to_have_text("missing")
    expect(page.locator(".asset-about")).to_contain_text("its value is gone")
    expect(page.locator(".asset-head")).not_to_contain_text("first value")
    visit(page, f"{server.url}/lineage")
    expect(page.locator('.graph-card[data-id="trips_file"] .mark')).to_have_text("missing")
