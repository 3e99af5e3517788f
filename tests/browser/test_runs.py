"""Runs: launched, watched, filtered, canceled, executed again."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from conftest import in_new_process
from playwright.sync_api import Page, expect
from web_pages import PIPELINE

from assetgraph.records import Event, EventType, RunRecord, RunStatus
from assetgraph.storage.store import Store
from browser.served import visit

if TYPE_CHECKING:
    from browser.served import Server

SLOW = """
    import time
    import assetgraph as dg

    @dg.asset
    def slow(context):
        print("begun", flush=True)
        while True:
            time.sleep(0.05)

    @dg.asset
    def after(slow): ...
"""


def many_events(root: Path, count: int) -> str:
    """The record of a run that logged `count` lines."""
    store = Store(root / ".assetgraph", project_root=root)
    store.prepare()
    start = datetime(2026, 11, 22, 16, 8, 37, tzinfo=UTC)
    record = RunRecord(
        "20261122-160837-000-abcd", RunStatus.SUCCESS, start, start + timedelta(seconds=60),
        assets=("trips_file",), step_counts={"success": 1},
    )  # fmt: skip
    log = store.runs.start(record)
    log.append(
        Event(
            EventType.LOG,
            start + timedelta(milliseconds=6 * n),
            "trips_file",
            "ERROR" if n % 1000 == 999 else "INFO",
            f"line number {n}",
        )
        for n in range(count)
    )
    log.finish(record)
    log.close()
    return record.run_id


def test_a_run_is_watched_canceled_and_kept(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": SLOW})
    page = open_page(f"{server.url}/assets")
    page.get_by_role("button", name="Materialize all").click()
    page.get_by_role("dialog").get_by_role("button", name="Materialize").click()
    expect(page.locator("#badge-runs")).to_have_text("1")
    expect(page.locator('[data-key="slow"]')).to_contain_text("running")

    page.locator(".toast").get_by_role("link").click()
    expect(page.locator(".steps")).to_contain_text("Preparing")
    expect(page.locator(".timeline-bar[data-step=running]")).to_be_visible()
    page.get_by_role("tab", name="stdout and stderr").click()
    expect(page.locator(".output-text")).to_contain_text("begun")

    page.get_by_role("button", name="Cancel run").click()
    expect(page.locator(".run-header")).to_contain_text("canceled")
    expect(page.locator("#badge-runs")).to_have_text("")
    visit(page, f"{server.url}/runs?status=CANCELED")
    expect(page.locator(".runs-table .table-row")).to_have_count(1)


def test_a_run_that_was_killed_says_when_it_was_last_heard_of_and_what_it_was_at(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": SLOW.replace("time.sleep", "print(flush=True); time.sleep")})
    page = open_page(f"{server.url}/runs")
    process = in_new_process(server.root, "materialize", "--all")
    assert process.stderr
    for _ in range(5):  # it printed something a while after it started
        process.stderr.readline()
    page.locator(".runs-table .table-row").get_by_role("link").first.click()
    expect(page.locator(".timeline-bar[data-step=running]")).to_be_visible()

    process.kill()
    process.communicate(timeout=60)

    note = page.locator(".warning-note")
    expect(note).to_contain_text(
        re.compile(rf"The process of this run \({process.pid} on \S+\) died")
    )
    expect(note).to_contain_text("died while slow ran. It last recorded something")
    expect(page.locator(".timeline-bar[data-step=interrupted]")).to_be_visible()
    expect(page.locator(".timeline")).to_contain_text("≥")
    expect(page.locator(".steps")).to_contain_text("Interrupted")
    expect(page.get_by_role("button", name="From failure")).to_be_visible()


def test_runs_are_filtered_and_the_filter_is_in_the_address(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE})
    server.terminal("materialize", "trips_file", "--tag", "why=nightly")
    (server.root / "break").touch()
    server.terminal("materialize", "--all")
    page = open_page(f"{server.url}/runs")
    rows = page.locator(".runs-table .table-row")
    expect(rows).to_have_count(2)

    page.get_by_role("group", name="Status").get_by_role("button", name="failed").click()
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile("status=FAILURE"))
    page.get_by_role("group", name="Status").get_by_role("button", name="All").click()
    expect(rows).to_have_count(2)
    page.get_by_label("Search runs").fill("nightly")
    expect(rows).to_have_count(1)
    page.get_by_label("Search runs").fill("")
    page.get_by_role("button", name="why=nightly").click()
    expect(page).to_have_url(re.compile("tag=why"))
    page.get_by_role("button", name="tag: why=nightly").click()
    expect(rows).to_have_count(2)


def test_from_failure_runs_only_what_is_left(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE, "break": ""})
    server.terminal("materialize", "--all")
    (server.root / "break").unlink()
    page = open_page(f"{server.url}/runs/latest")

    page.get_by_role("button", name="From failure").click()
    expect(page.locator(".run-header")).to_contain_text("Re-execution of")
    expect(page.locator(".run-header")).to_contain_text("succeeded")
    expect(page.locator(".step-item")).to_have_count(1)
    expect(page.locator(".step-item")).to_contain_text("city/fares")


def test_a_run_leads_to_its_assets_in_the_lineage(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE})
    server.terminal("materialize", "trips_file", "trips")
    page = open_page(f"{server.url}/runs/latest")

    page.get_by_role("banner").get_by_role("link", name="Lineage").click()
    expect(page.locator(".graph-card")).to_have_count(2)


def test_chosen_steps_are_executed_again(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE})
    server.terminal("materialize", "--all")
    page = open_page(f"{server.url}/runs/latest")
    page.locator(".step-item", has_text="trips_file").click()
    expect(page).to_have_url(re.compile("step=trips_file"))
    expect(page.locator(".log-row").first).to_contain_text("trips_file")
    page.locator(".step-item", has_text="city/fares").click(modifiers=["Shift"])

    page.get_by_role("button", name="Re-execute 2 steps").click()
    expect(page.locator(".run-header")).to_contain_text("Re-execution of")
    expect(page.locator(".step-item")).to_have_count(2)


def test_the_timeline_is_drawn_by_time_as_a_waterfall_and_by_depth(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = look_at({"pipeline.py": PIPELINE}, "materialize --all")
    page = open_page(f"{server.url}/runs/latest")
    bars = page.locator(".timeline-row")
    expect(bars).to_have_count(3)
    expect(page.locator(".timeline-bar.critical")).to_have_count(3)
    for mode in ("Waterfall", "Depth", "Time"):
        page.get_by_role("button", name=mode).click()
        expect(bars).to_have_count(3)
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_label("Filter the steps").fill("fares")
    expect(bars).to_have_count(1)


def test_a_log_of_ten_thousand_lines_opens_scrolls_and_is_searched(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE})
    run_id = many_events(server.root, 10_000)
    page = open_page(f"{server.url}/runs/{run_id}")
    log = page.locator(".log-scroll")
    expect(page.locator(".log-tools")).to_contain_text("10,000 events")
    expect(log).to_contain_text("line number 0")
    assert page.locator(".log-row").count() < 100

    log.evaluate("box => { box.scrollTop = box.scrollHeight; }")
    expect(log).to_contain_text("line number 9999")
    page.get_by_label("Lowest level").select_option("ERROR")
    expect(page.locator(".log-tools")).to_contain_text("10 events")
    expect(log).to_contain_text("line number 999")
    page.get_by_label("Search the log").fill("number 4999")
    expect(page.locator(".log-row")).to_have_count(1)
    page.locator(".log-row").click()
    expect(page.locator(".log-detail")).to_contain_text("line number 4999")


def test_output_is_read_from_its_end_and_earlier_parts_on_a_button(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    text = """
        import assetgraph as dg

        @dg.asset
        def talks():
            for number in range(4000):
                print(f"line {number:04} " + "-" * 30)
    """
    server = serve({"pipeline.py": text})
    server.terminal("materialize", "--all")
    page = open_page(f"{server.url}/runs/latest?view=output")
    output = page.locator(".output-text")
    expect(output).to_contain_text("line 3999")
    expect(output).not_to_contain_text("line 0000")

    earlier = page.get_by_role("button", name="Earlier output")
    while earlier.is_visible():
        count = page.locator(".out-line").count()
        earlier.click()
        expect(page.locator(".out-line").nth(count)).to_be_attached()
    expect(output).to_contain_text("line 0000")
    expect(page.locator(".out-line")).to_have_count(4000)


def test_a_running_step_says_how_far_it_is(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    text = """
        import time
        from pathlib import Path
        import assetgraph as dg

        @dg.asset
        def loads(context):
            context.progress(1_000_000, 4_000_000, "B")
            while not Path("half").exists():
                time.sleep(0.02)
            context.progress(2_000_000, 4_000_000, "B")
            while not Path("go").exists():
                time.sleep(0.02)
    """
    server = serve({"pipeline.py": text})
    lineage = open_page(f"{server.url}/lineage")
    lineage.get_by_role("button", name="Materialize all").click()
    lineage.get_by_role("dialog").get_by_role("button", name="Materialize").click()
    expect(lineage.locator(".graph-card")).to_contain_text("25 %")

    page = open_page(f"{server.url}/runs/latest")
    expect(page.locator(".steps")).to_contain_text("1.0 MB of 4.0 MB")
    (server.root / "half").touch()
    expect(page.locator(".steps")).to_contain_text("2.0 MB of 4.0 MB")
    expect(page.locator(".steps")).to_contain_text("/s")
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "50")
    expect(lineage.locator(".graph-card")).to_contain_text("50 %")
    (server.root / "go").touch()
    expect(page.locator(".run-header")).to_contain_text("succeeded")
    expect(page.get_by_role("progressbar")).to_have_count(0)
    assert not list(server.root.rglob("progress.json*"))


def test_a_log_that_grows_is_shown_as_it_grows(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    text = SLOW.replace("time.sleep(0.05)", "time.sleep(0.02); context.log.info('tick')")
    server = serve({"pipeline.py": text})
    page = open_page(f"{server.url}/assets/slow")
    page.get_by_role("button", name="Materialize").click()
    page.get_by_role("dialog").get_by_role("button", name="Materialize").click()
    page.locator(".toast").get_by_role("link").click()

    expect(page.locator(".log-row", has_text="tick").nth(20)).to_be_attached()
    page.get_by_role("button", name="Cancel run").click()
    expect(page.locator(".run-header")).to_contain_text("canceled")
