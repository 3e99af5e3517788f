"""The panel of a failed step: what was raised and the person's own line, on the first screen."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, expect

from browser.served import visit

if TYPE_CHECKING:
    from browser.served import Server

LONG = """
    import assetgraph as dg

    @dg.asset(name="name_" * 30)
    def long():
        raise ValueError("first line\\r\\nsecond line\\nthird line " + "word " * 2000)

    @dg.asset
    def huge():
        raise ValueError("x" * 200_000)
"""


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (360, 740)])
def test_a_long_message_is_cut_and_leaves_the_line_that_raised_on_the_first_screen(
    look_at: Callable[..., Server], open_page: Callable[..., Page], width: int, height: int
) -> None:
    server = look_at({"pipeline.py": LONG}, "materialize " + "name_" * 30)
    page = open_page(f"{server.url}/runs/latest", width=width, height=height)
    line = page.locator(".frame-line[aria-current]")
    box = line.bounding_box()

    assert box
    assert box["y"] + box["height"] < height - 56
    text = page.locator(".failure-message").inner_text()
    assert text.startswith("first line\nsecond line\nthird line")
    page.get_by_role("button", name="Show the whole message").click()
    box = line.bounding_box()
    assert box
    assert box["y"] > height / 2
    page.get_by_role("button", name="Show less").click()
    expect(page.locator(".failure-head a")).to_have_attribute("title", "name_" * 30)


def test_a_message_that_is_short_has_no_button(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    text = """
        import assetgraph as dg

        @dg.asset
        def short():
            raise ValueError("one line")
    """
    server = serve({"pipeline.py": text})
    server.terminal("materialize", "short")
    page = open_page(f"{server.url}/runs/latest")
    expect(page.locator(".failure-message")).to_have_text("one line")
    expect(page.get_by_role("button", name="Show the whole message")).to_be_hidden()


def test_a_huge_message_and_its_trace_come_in_pieces(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": LONG})
    server.terminal("materialize", "huge")
    page = visit(open_page(server.url), f"{server.url}/runs/latest")
    page.get_by_role("button", name="Full stack trace").click()
    trace = page.get_by_role("group", name="Full stack trace")
    expect(trace).to_contain_text("Traceback")
    assert len(trace.inner_text()) < 20_000
    page.get_by_role("button", name=re.compile(r"Show \d+ kB more of")).click()
    expect(trace).to_have_text(re.compile(r"[\s\S]{25000}"))


def test_several_failures_are_all_seen_at_once_and_the_first_is_open(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    text = """
        import assetgraph as dg

        made = []
        for number in range(11):
            @dg.asset(name=f"bad_{number}")
            def bad():
                raise ValueError("no <b>rows</b>\\nof this")
            made.append(bad)
        defs = dg.Definitions(assets=made)
    """
    page = open_page(f"{look_at({'pipeline.py': text}, 'materialize --all').url}/runs/latest")
    lines = page.locator(".failure summary.failure-head")
    expect(lines).to_have_count(11)
    expect(page.locator(".failure details[open]")).to_have_count(1)
    expect(page.locator(".frame-line[aria-current]:visible")).to_have_count(1)
    box = lines.nth(5).bounding_box()
    assert box
    assert box["y"] < 800
    expect(lines.nth(5)).to_contain_text("ValueError: no <b>rows</b>")
    expect(lines.nth(6)).to_be_hidden()
    page.get_by_text("5 more failed steps").click()
    lines.nth(6).press("Enter")
    expect(page.locator(".frame-line[aria-current]:visible")).to_have_count(2)
    expect(page.locator(".failure .link:visible")).to_have_count(2)
