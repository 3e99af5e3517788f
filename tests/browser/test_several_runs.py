"""Several runs are ticked, and deleted or canceled together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, Route, expect

from browser.served import visit

if TYPE_CHECKING:
    from browser.served import Server

FILES = """
    import time
    import assetgraph as dg

    @dg.asset
    def quick(): return 1

    @dg.asset
    def slow():
        while True:
            time.sleep(0.05)
"""
ROW = ".runs-table .table-row"


def _launch(page: Page, key: str) -> None:
    page.evaluate(
        """(key) => fetch('/api/runs', {method: 'POST', headers: {'Content-Type': 'application/json'},
        body: JSON.stringify({selection: [key]})}).then((answer) => answer.json())""",
        key,
    )


def test_ticked_runs_are_deleted_with_the_keyboard_after_a_question(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": FILES})
    for _ in range(3):
        server.terminal("materialize", "quick")
    page = open_page(f"{server.url}/runs")
    expect(page.locator(ROW)).to_have_count(3)
    boxes = page.get_by_role("checkbox", name="Select the run of")
    boxes.nth(0).focus()
    page.keyboard.press("Space")
    boxes.nth(1).focus()
    page.keyboard.press("Space")
    button = page.get_by_role("button", name="Delete 2 runs")
    expect(button).to_be_visible()
    kept = page.locator(ROW).nth(2).get_attribute("data-run")

    boxes.nth(1).press("x")
    dialog = page.get_by_role("dialog", name="Delete 2 runs?")
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    expect(dialog.get_by_role("button", name="Keep them")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator(ROW)).to_have_count(3)

    button.press("Enter")
    dialog.get_by_role("button", name="Delete 2 runs").press("Enter")
    expect(page.locator(ROW)).to_have_count(1)
    expect(page.locator(ROW)).to_have_attribute("data-run", kept or "")
    expect(page.locator(".toast")).to_contain_text("Deleted 2 runs.")
    expect(button).to_have_count(0)
    visit(page, f"{server.url}/assets/quick")
    expect(page.locator(".asset-head .pill")).to_contain_text("materialized")


def test_a_run_in_progress_is_offered_to_be_canceled_and_is_not_deleted(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": FILES})
    server.terminal("materialize", "quick")
    page = open_page(f"{server.url}/runs")
    expect(page.locator(ROW)).to_have_count(1)
    _launch(page, "slow")
    expect(page.locator(ROW)).to_have_count(2)
    expect(page.locator(ROW).first).to_contain_text("running")

    page.get_by_role("checkbox", name="Select all runs").check()
    page.get_by_role("button", name="Delete 1 run").click()
    dialog = page.get_by_role("dialog", name="Delete 1 run?")
    expect(dialog).to_contain_text("1 selected run in progress stays.")
    dialog.get_by_role("button", name="Delete 1 run").click()
    expect(page.locator(ROW)).to_have_count(1)

    expect(page.get_by_role("checkbox", name="Select the run of")).to_be_checked()
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)
    page.get_by_role("button", name="Cancel 1 run").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel 1 run").click()
    expect(page.locator(ROW)).to_contain_text("canceled")


def test_a_run_is_named_by_when_it_began_and_what_a_command_takes(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": FILES})
    server.terminal("materialize", "quick")
    page = open_page(f"{server.url}/runs")
    name = page.locator(f"{ROW} a.name")
    run_id = name.get_attribute("title") or ""
    shown = name.inner_text()
    assert shown.endswith(f" · {run_id[-4:]}")
    began = page.evaluate(
        """([y, mo, d, h, m]) => new Date(Date.UTC(y, mo - 1, d, h, m)).toLocaleTimeString('en-GB',
        {hour: '2-digit', minute: '2-digit'})""",
        [run_id[:4], run_id[4:6], run_id[6:8], run_id[9:11], run_id[11:13]],
    )
    assert began in shown
    assert name.evaluate("(one) => one.scrollWidth <= one.clientWidth")
    assert server.terminal("runs", "show", run_id[-4:]).returncode == 0


def test_a_change_that_comes_while_runs_are_listed_again_is_not_lost(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": FILES})
    page = open_page(f"{server.url}/runs")
    _launch(page, "slow")
    expect(page.locator(ROW)).to_contain_text("running")
    run_id = page.locator(ROW).get_attribute("data-run") or ""
    answered: list[Route] = []

    def answer_late(route: Route) -> None:
        answer = route.fetch()
        server.terminal("runs", "cancel", run_id)
        expect(page.locator(ROW)).to_contain_text("canceled")
        route.fulfill(response=answer)
        answered.append(route)

    page.route("**/api/runs?*text=*", answer_late)
    with page.expect_response("**/api/runs?*text=*"):
        page.get_by_label("Search runs").fill(run_id)
    expect(page.locator("body:not([data-loading])")).to_be_attached()
    assert answered
    expect(page.locator(ROW)).to_contain_text("canceled")
