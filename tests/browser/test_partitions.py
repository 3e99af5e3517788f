"""Partitions on the page: how many are up to date, one of them, and runs of some."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, Route, expect

from browser.served import visit
from browser.test_accessibility import axe

if TYPE_CHECKING:
    from browser.served import Server

PIPELINE = """
    import os
    import assetgraph as dg

    days = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-02-06")

    @dg.asset(partitions_def=days)
    def trips(context) -> dict:
        if os.path.exists(context.partition_key):
            raise ValueError("a bad day")
        return {"day": context.partition_key}

    @dg.asset(partitions_def=days)
    def clean(trips: dict) -> dict:
        return trips

    @dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="customers"))
    def invoices(context) -> str:
        return context.partition_key

    @dg.asset(partitions_def=dg.DailyPartitionsDefinition("2023-01-01", end_date="2025-09-27"))
    def thousand(context) -> str:
        return context.partition_key
"""


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    made = serve({"pipeline.py": PIPELINE, "2026-01-03": ""})
    made.terminal("materialize", "trips", "--partitions", "2026-01-01..2026-01-31", "-y")
    return made


def test_the_share_and_the_table_of_an_asset_and_one_partition(
    server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{server.url}/assets")
    expect(page.locator('[data-key="trips"]')).to_contain_text("30/36")
    expect(page.locator('[data-key="invoices"]')).to_contain_text("no partitions yet")
    visit(page, f"{server.url}/lineage")
    expect(page.locator('.graph-card[data-id="trips"]')).to_contain_text("30/36")

    visit(page, f"{server.url}/assets/trips?tab=partitions")
    table = page.get_by_role("region", name="Partitions")
    expect(table.get_by_role("row")).to_have_count(37)
    table.get_by_role("button", name="failed").click()
    expect(table.get_by_role("row")).to_have_count(2)
    expect(table.get_by_role("row").last).to_contain_text("ValueError: a bad day")
    table.get_by_role("button", name="All").click()
    table.get_by_role("searchbox").fill("02-0")
    expect(table.get_by_role("row")).to_have_count(6)
    table.get_by_role("searchbox").fill("01-05")
    table.get_by_role("link", name="2026-01-05").click()
    expect(page.get_by_role("region", name="Value")).to_contain_text("2026-01-05")
    page.get_by_role("link", name="History").click()
    expect(page.locator(".attempts > li")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"partition=2026-01-05"))
    page.get_by_role("link", name="All partitions").click()
    expect(page.get_by_role("region", name="Partitions")).to_be_visible()


def test_the_dialog_plans_in_ranges_and_starts_exactly_that(
    server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{server.url}/assets/clean?tab=partitions")
    page.get_by_role("button", name="Materialize").click()
    dialog = page.get_by_role("dialog")
    plan = dialog.get_by_role("list", name="Steps in order")
    expect(plan).to_contain_text("trips@2026-01-03")
    dialog.get_by_label("Partitions").select_option("range")
    dialog.get_by_label("First").fill("2026-01-28")
    dialog.get_by_label("Last").fill("2026-02-02")
    expect(plan.get_by_role("listitem")).to_have_count(2)
    expect(plan).to_contain_text("trips@2026-02-01..2026-02-02")
    expect(plan).to_contain_text("clean@2026-01-28..2026-02-02")
    dialog.get_by_label("Last").fill("2026-01-02")
    expect(dialog.get_by_role("alert")).to_contain_text("goes backwards")
    expect(dialog.get_by_role("button", name="Materialize")).to_be_disabled()
    dialog.get_by_label("Last").fill("2026-02-02")
    expect(dialog.get_by_role("button", name="Materialize")).to_be_enabled()
    dialog.get_by_role("button", name="Materialize").click()
    expect(
        page.get_by_role("region", name="Partitions").get_by_role("button", name="fresh")
    ).to_contain_text("6")
    page.locator(".toast").get_by_role("link").click()
    expect(page.get_by_role("region", name="Steps").locator(".step-item")).to_have_count(8)


def test_a_partition_is_materialized_from_its_page(
    server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{server.url}/assets/trips?partition=2026-02-05")
    page.get_by_role("button", name="Materialize").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Key")).to_have_value("2026-02-05")
    dialog.get_by_role("button", name="Materialize").click()
    expect(page.get_by_role("region", name="Value")).to_contain_text("2026-02-05")


def test_the_next_key_may_be_typed_while_one_is_being_added(
    server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{server.url}/assets/invoices?tab=partitions")
    table = page.get_by_role("region", name="Partitions")
    field = table.get_by_label("Key to add to customers")

    def answer(route: Route) -> None:
        answered = route.fetch()
        field.fill("globex")
        route.fulfill(response=answered)

    page.route("**/api/dynamic/customers", answer)
    field.fill("initech")
    table.get_by_role("button", name="Add").click()
    expect(table.get_by_role("link", name="initech")).to_be_visible()
    page.unroute("**/api/dynamic/customers")
    expect(field).to_have_value("globex")
    field.fill("")


def test_dynamic_partitions_are_added_and_removed(
    server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{server.url}/assets/invoices?tab=partitions")
    table = page.get_by_role("region", name="Partitions")
    for key in ("acme", "a|b 한국"):
        table.get_by_label("Key to add to customers").fill(key)
        table.get_by_role("button", name="Add").click()
        expect(table.get_by_role("link", name=key)).to_be_visible()
    table.get_by_role("button", name="Remove acme").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(table.get_by_role("link", name="acme")).to_have_count(0)
    table.get_by_label("Key to add to customers").fill("a..b")
    table.get_by_role("button", name="Add").click()
    expect(page.locator(".toast")).to_contain_text("'a..b'")


def test_a_run_of_a_thousand_partitions_is_grouped(
    server: Server, open_page: Callable[..., Page]
) -> None:
    assert server.terminal("materialize", "thousand", "--all-partitions", "-y").returncode == 0
    page = open_page(f"{server.url}/runs/latest")
    steps = page.get_by_role("region", name="Steps")
    expect(steps).to_contain_text("1,000 partitions")
    expect(steps.locator(".step-item")).to_have_count(0)
    steps.get_by_text("1,000 partitions").click()
    expect(steps.locator(".step-item")).to_have_count(100)
    steps.locator(".step-item").first.click()
    expect(page).to_have_url(re.compile("step=thousand"))

    visit(page, f"{server.url}/runs")
    expect(page.locator(".step-counts").first).to_contain_text("1000/1000")
    visit(page, f"{server.url}/assets/thousand?tab=partitions")
    table = page.get_by_role("region", name="Partitions")
    expect(table).to_contain_text("1 to 50 of 1,000")
    table.get_by_role("button", name="Next").click()
    expect(table).to_contain_text("51 to 100 of 1,000")
    expect(table.get_by_role("link", name="2023-02-20")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_where_there_are_partitions(
    server: Server, open_page: Callable[..., Page], theme: str
) -> None:
    script = axe()
    server.terminal("partitions", "add", "customers", "acme")
    page = open_page(server.url, color_scheme=theme, reduced_motion="reduce")
    found = []
    for address in (
        "/assets", "/assets/trips", "/assets/trips?tab=partitions",
        "/assets/invoices?tab=partitions", "/assets/trips?partition=2026-01-05",
        "/lineage", "/runs/latest", "dialog",
    ):  # fmt: skip
        if address == "dialog":
            visit(page, f"{server.url}/assets/clean")
            page.get_by_role("button", name="Materialize").click()
            page.get_by_role("list", name="Steps in order").wait_for()
            page.get_by_role("dialog").get_by_label("Partitions").select_option("range")
        else:
            visit(page, f"{server.url}{address}")
        page.evaluate(script)
        for problem in page.evaluate("axe.run()")["violations"]:
            found += [(address, problem["id"], node["html"][:120]) for node in problem["nodes"]]
    assert found == []
