"""The runs on the overview by time, and the timeline of a run with many steps."""

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

MANY = """
    import assetgraph as dg

    def make(number):
        @dg.asset(name=f"step_{number:03}")
        def made():
            if number == 150:
                raise ValueError("a bad row")
        return made

    assets = [make(number) for number in range(200)]
"""
OVERPRINTED = """() => {
    const boxes = [...document.querySelectorAll('.lanes-tick span, .lanes-now span')].map((one) => one.getBoundingClientRect());
    return boxes.filter((a, at) => boxes.some((b, other) => other > at && a.left < b.right && b.left < a.right)).length;
}"""


def test_a_first_visit_shows_how_to_begin_and_no_empty_card(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE})
    page = open_page(f"{server.url}/")
    expect(page.get_by_role("heading", name="Nothing is materialized yet")).to_be_visible()
    expect(page.locator("main .card")).to_have_count(0)
    expect(page.get_by_role("listitem").filter(has_text="becomes stale")).to_be_visible()
    page.get_by_role("button", name="Materialize all 3").click()
    page.get_by_role("dialog").get_by_role("button", name="Materialize").click()
    expect(page.locator(".run-bar")).to_have_count(1)
    expect(page.locator("main .card").first).to_be_visible()


@pytest.mark.parametrize("width", [1280, 360])
def test_runs_have_lanes_by_what_they_are_for_in_a_span_that_suits_them(
    look_at: Callable[..., Server], open_page: Callable[..., Page], width: int
) -> None:
    runs = [f"materialize {keys}" for keys in ("--all", "trips_file", "trips_file", "trips")]
    server = look_at({"pipeline.py": PIPELINE}, *runs)
    page = open_page(f"{server.url}/", width=width)
    expect(page.locator(".run-bar")).to_have_count(4)
    expect(page.locator(".lanes-label")).to_have_text(["trips", "trips_file", "All assets"])
    for hours in (0, 1, 6, 24, 168):
        visit(page, f"{server.url}/?hours={hours or ''}")
        expect(page.locator(".lanes-now")).to_be_visible()
        assert page.evaluate(OVERPRINTED) == 0
    visit(page, f"{server.url}/")
    places = page.locator(".run-bar").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect().left)"
    )
    track = page.locator(".lanes-track").bounding_box()
    assert track
    assert min(places) < track["x"] + track["width"] * 0.95


def test_a_part_of_the_runs_is_zoomed_into_by_mouse_and_by_keyboard(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE})
    server.terminal("materialize", "trips_file")
    page = open_page(f"{server.url}/?hours=24")
    track = page.locator(".lanes-track")
    box = track.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=4)
    expect(page.locator(".lanes-brush")).to_be_visible()
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"from=.*to="))
    expect(track).to_contain_text("No run at this time.")
    page.reload()
    expect(track).to_contain_text("No run at this time.")
    page.get_by_role("button", name="Whole span").click()
    expect(page.locator(".run-bar")).to_have_count(1)
    expect(page).not_to_have_url(re.compile("from="))

    track.focus()
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile("from="))
    expect(page.locator(".run-bar")).to_have_count(1)  # it zooms around the runs
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("0")
    expect(page).not_to_have_url(re.compile("from="))
    page.get_by_role("button", name="Zoom in", exact=True).press("Enter")
    expect(page).to_have_url(re.compile("from="))


def test_of_many_steps_the_failed_one_is_in_sight_and_a_map_shows_them_all(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": MANY})
    server.terminal("materialize", "--all")
    page = open_page(f"{server.url}/runs/latest", height=1000)
    rows = page.locator(".timeline-row")
    for mode in ("Time", "Waterfall", "Depth"):
        page.get_by_role("button", name=mode, exact=True).click()
        expect(rows.first).to_contain_text("step_150")
    scroller = page.locator(".timeline-scroll")
    height = scroller.evaluate("(one) => one.clientHeight")
    assert height > 500
    expect(page.locator(".timeline-map")).to_contain_text("1 failed")
    box = page.locator(".timeline-map-box").bounding_box()
    assert box
    page.locator(".timeline-map-box").click(position={"x": 20, "y": box["height"] - 2})
    expect(page.locator(".timeline-row", has_text="step_199")).to_be_visible()
    assert scroller.evaluate("(one) => one.scrollTop") > 3000


def test_a_run_of_few_steps_has_no_map_and_keeps_their_order(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = look_at({"pipeline.py": PIPELINE, "break": ""}, "materialize --all")
    page = open_page(f"{server.url}/runs/latest")
    rows = page.locator(".timeline-row .timeline-label")
    expect(rows).to_contain_text(["trips_file", "trips", "city/fares"])
    expect(page.locator(".timeline-map")).to_have_count(0)
