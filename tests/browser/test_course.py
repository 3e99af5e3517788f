"""What the course does in the browser, from the first look to the re-execution."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from browser.served import Server

TRIPS = '''
import assetgraph as dg
{constants}

@dg.asset(group_name="raw_files")
def taxi_trips_file() -> None:
    """
      The raw parquet files for the taxi trips dataset. Sourced from the NYC Open Data portal.
    """
    with open(constants.TEMPLATE.format("2023-03"), "w") as output_file:
        output_file.write("trips")
'''
WHOLE = TRIPS.format(constants="import constants")
BROKEN = TRIPS.format(constants="# import constants")
FILES = {"pipeline.py": WHOLE, "constants.py": 'TEMPLATE = "taxi_trips_{}.parquet"\n'}


def test_the_course_from_the_first_materialization_to_the_mended_failure(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve(FILES)
    page = open_page(f"{server.url}/assets")
    row = page.get_by_role("row").filter(has_text="taxi_trips_file")
    expect(row).to_contain_text("never materialized")
    expect(row).to_contain_text("raw_files")

    page.get_by_role("link", name="Lineage").click()
    card = page.locator(".graph-card", has_text="taxi_trips_file")
    expect(card).to_contain_text("The raw parquet files for the taxi trips dataset.")
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("never materialized")
    dialog.get_by_role("button", name="Materialize").click()
    expect(page.locator(".toast")).to_contain_text("Materialized taxi_trips_file")
    expect(card).to_have_attribute("data-state", "fresh")

    server.write("pipeline.py", BROKEN)
    page.get_by_role("button", name="Reload definitions").click()
    expect(card).to_have_attribute("data-state", "stale")
    page.get_by_role("button", name="Materialize all").click()
    page.get_by_role("dialog").get_by_role("button", name="Materialize").click()
    failed = page.locator(".toast[data-state=failed]")
    expect(failed).to_contain_text("Failed: taxi_trips_file")
    expect(card).to_have_attribute("data-state", "failed")

    failed.get_by_role("link").click()
    expect(page.locator(".failure-what")).to_have_text("NameErrorname 'constants' is not defined")
    line = page.locator(".frame-main .frame-line[aria-current]")
    expect(line).to_contain_text('with open(constants.TEMPLATE.format("2023-03"), "w")')
    expect(line).to_be_in_viewport()
    expect(page.locator(".frame-place").first).to_contain_text("pipeline.py:10")
    expect(page.locator(".step-group").first).to_contain_text("Failed")
    expect(page.locator(".log-row").filter(has_text="STEP_FAILURE")).to_contain_text("NameError")
    page.get_by_role("button", name="Full stack trace").click()
    expect(page.locator(".trace")).to_contain_text("Traceback (most recent call last)")

    server.write("pipeline.py", WHOLE)
    first_run = page.locator("h1").inner_text()
    page.get_by_role("button", name="Re-execute all").click()
    expect(page.locator("h1")).not_to_have_text(first_run)
    expect(page.locator(".run-header")).to_contain_text("succeeded")
    family = page.get_by_role("region", name="Re-executions").get_by_role("listitem")
    expect(family).to_have_count(2)
    expect(family.nth(0)).to_contain_text("failed")
    expect(family.nth(0)).to_contain_text("root")
    expect(family.nth(1)).to_contain_text("succeeded")
