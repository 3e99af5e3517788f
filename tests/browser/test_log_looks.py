"""The log of a run, the names of its steps, and its failures can be read at any width."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Locator, Page, expect

from browser.served import visit

if TYPE_CHECKING:
    from browser.served import Server

FILES = """
    import assetgraph as dg

    @dg.asset(key_prefix=["a_prefix_of_some_length", "and_another_one"])
    def the_name_of_it(context):
        context.log.info("a message of some length, of which the beginning must be readable")

    @dg.asset(key_prefix="manhattan")
    def manhattan_stats(context):
        context.log.info("a message of some length, of which the beginning must be readable")

    @dg.asset
    def fails():
        raise ValueError("word" * 60)
"""
LEAST_MESSAGE = 180


def _whole(one: Locator) -> bool:
    return bool(one.evaluate("(one) => one.scrollWidth <= one.clientWidth + 1"))


@pytest.mark.parametrize("width", [1280, 1440, 1920])
def test_an_open_event_leaves_the_messages_readable_and_itself_in_sight(
    look_at: Callable[..., Server], open_page: Callable[..., Page], width: int
) -> None:
    server = look_at({"pipeline.py": FILES}, "materialize --all")
    page = open_page(f"{server.url}/runs/latest", width=width)
    row = page.locator(".log-row", has_text="a message of some length").last
    before = row.locator(".log-text").bounding_box()
    assert before is not None
    row.click()
    detail = page.get_by_role("complementary", name="The event")
    expect(detail).to_contain_text("must be readable")
    box = row.locator(".log-text").bounding_box()
    assert box is not None
    assert box["width"] >= LEAST_MESSAGE
    shown = page.locator(".log-scroll").bounding_box()
    assert shown is not None
    assert shown["y"] <= box["y"] <= shown["y"] + shown["height"] - box["height"]
    for _ in range(12):
        page.locator(".log-scroll").press("ArrowDown")
    shown = page.locator(".log-scroll").bounding_box()
    assert shown is not None
    at = page.locator('.log-row[aria-selected="true"]').bounding_box()
    assert at is not None
    assert shown["y"] <= at["y"] <= shown["y"] + shown["height"] - at["height"]


@pytest.mark.parametrize("width", [1000, 1280, 1920])
def test_a_long_key_loses_its_prefix_first_and_keeps_its_name(
    look_at: Callable[..., Server], open_page: Callable[..., Page], width: int
) -> None:
    server = look_at({"pipeline.py": FILES}, "materialize --all")
    page = open_page(f"{server.url}/runs/latest", width=width)
    for name in ("the_name_of_it", "manhattan_stats"):
        for place in (".log-step", ".step-item", ".timeline-label"):
            found = page.locator(f"{place} .key-text", has_text=name).first
            part = found.locator("span", has_text=name)
            expect(part).to_be_visible()
            assert _whole(part), (place, name)
            assert (found.get_attribute("title") or "").endswith(name)


def test_a_link_to_a_run_never_breaks_inside_a_word(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": FILES})
    server.terminal("materialize", "fails")
    page = open_page(f"{server.url}/lineage?selected=fails")
    link = page.locator(".reasons").get_by_role("link", name="run")
    expect(link).to_be_visible()
    assert link.evaluate("(one) => one.getClientRects().length") == 1
    visit(page, f"{server.url}/assets/fails")
    link = page.locator(".reasons").get_by_role("link", name="See the run")
    assert link.evaluate("(one) => one.getClientRects().length") == 1
    assert _whole(page.locator(".reasons"))
