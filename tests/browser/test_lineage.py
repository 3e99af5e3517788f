"""The graph: large, searched, focused, grouped, by mouse and by keyboard."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, expect
from web_pages import PIPELINE

from browser.served import visit

if TYPE_CHECKING:
    from browser.served import Server

LAYERS = """
    import assetgraph as dg

    WIDTH = {width}

    def make(layer, place):
        deps = [f"a{{layer - 1}}_{{(place * k) % WIDTH}}" for k in (1, 3)] if layer else []

        @dg.asset(name=f"a{{layer}}_{{place}}", deps=deps, group_name=f"group_{{layer % 10}}")
        def made() -> int:
            return layer

    for layer in range({layers}):
        for place in range(WIDTH):
            make(layer, place)
"""


def card(page: Page, key: str) -> object:
    return page.locator(f'.graph-card[data-id="{key}"]')


def test_the_tools_of_the_graph_stay_in_one_row_beside_a_panel(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": textwrap.dedent(LAYERS).format(width=3, layers=3)})
    page = open_page(f"{server.url}/lineage?selected=a0_0")
    tools = page.locator(".lineage-tools")
    for width in (1600, 1360, 1280, 1200, 1100, 1024):
        page.set_viewport_size({"width": width, "height": 700})
        middles = tools.evaluate(
            "element => [...element.children].map(one => one.getBoundingClientRect())"
            ".map(box => Math.round(box.top + box.height / 2))"
        )
        assert max(middles) - min(middles) <= 2, width


def test_a_card_is_chosen_shown_and_materialized(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE})
    page = open_page(f"{server.url}/lineage")
    page.locator('.graph-card[data-id="trips_file"]').click(position={"x": 20, "y": 40})

    panel = page.get_by_role("complementary", name="Selection")
    expect(panel).to_contain_text("One file a month.")
    expect(panel).to_contain_text("Downstream")
    expect(page).to_have_url(re.compile("selected=trips_file"))
    page.locator('.graph-card[data-id="trips"]').click(
        position={"x": 20, "y": 40}, modifiers=["Shift"]
    )
    expect(panel).to_contain_text("2 assets")
    page.get_by_role("button", name="Materialize 2 selected").click()
    page.get_by_role("dialog").get_by_role("button", name="Materialize").click()
    expect(page.locator('.graph-card[data-id="trips"]')).to_have_attribute("data-state", "fresh")
    expect(page.locator('.graph-card[data-id="city/fares"]')).to_have_attribute(
        "data-state", "missing"
    )

    link = page.locator('.graph-card[data-id="trips"]').get_by_role("link")
    link.click()
    expect(page.locator(".run-header")).to_contain_text("succeeded")


def test_a_key_too_long_for_its_card_keeps_its_end(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    text = """
        import assetgraph as dg

        @dg.asset(key_prefix="a_folder_with_a_very_long_name")
        def the_name_itself() -> int:
            return 1
    """
    page = open_page(f"{serve({'pipeline.py': text}).url}/lineage")
    name = page.locator(".graph-card-name.key-text")
    expect(name).to_have_text("a_folder_with_a_very_long_name/the_name_itself")
    ends = "(part) => part.lastChild.scrollWidth <= part.lastChild.clientWidth"
    assert name.evaluate(ends)


def test_the_panel_never_covers_a_card(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{look_at({'pipeline.py': PIPELINE}).url}/lineage?selected=trips")
    panel = page.get_by_role("complementary", name="Selection").bounding_box()
    cards = page.locator(".graph-card")
    expect(cards).to_have_count(3)
    assert panel
    for box in [one.bounding_box() for one in cards.all()]:
        assert box
        assert box["x"] + box["width"] <= panel["x"]


def test_arrow_keys_follow_the_edges_and_enter_opens(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = look_at({"pipeline.py": PIPELINE})
    page = open_page(f"{server.url}/lineage")
    graph = page.locator(".graph")
    graph.focus()
    for key, chosen in (
        ("ArrowRight", "trips_file"), ("ArrowRight", "trips"), ("ArrowRight", "city/fares"),
        ("ArrowRight", "city/fares"), ("ArrowLeft", "trips"),
    ):  # fmt: skip
        page.keyboard.press(key)
        expect(page.locator(".graph-card.selected")).to_have_attribute("data-id", chosen)
    expect(page.locator("#announcer")).to_have_text("trips, never materialized")
    expect(graph).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".graph-card.selected")).to_have_count(0)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("trips_file")


def test_the_list_beside_the_graph_holds_every_asset(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{look_at({'pipeline.py': PIPELINE}).url}/lineage")
    page.get_by_role("button", name="List").click()
    panel = page.get_by_role("complementary", name="All assets")

    expect(panel.get_by_role("listitem")).to_have_count(3)
    panel.get_by_role("button", name="city/fares").click()
    expect(page.locator(".graph-card.selected")).to_have_attribute("data-id", "city/fares")


@pytest.mark.parametrize("width", [1440, 360])
def test_a_long_list_scrolls_and_the_graph_stays_on_the_screen(
    serve: Callable[..., Server], open_page: Callable[..., Page], width: int
) -> None:
    server = serve({"pipeline.py": LAYERS.format(width=60, layers=5)})
    page = open_page(f"{server.url}/lineage?collapsed=", width=width)
    server.write("pipeline.py", (server.root / "pipeline.py").read_text() + "\n")
    expect(page.locator(".banner")).to_contain_text("Files changed")
    page.locator("#list-switch").click()
    expect(page.get_by_role("complementary").get_by_role("listitem")).to_have_count(300)

    assert page.evaluate("document.scrollingElement.scrollHeight") <= 800
    panel, graph = page.locator(".panel").bounding_box(), page.locator(".graph").bounding_box()
    assert panel
    assert graph
    assert panel["height"] > 160
    assert graph["height"] > 160


def test_search_finds_and_a_selection_cuts_the_graph(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{look_at({'pipeline.py': PIPELINE}).url}/lineage")
    field = page.get_by_label("Search assets")
    field.fill("fares")
    expect(page.locator(".graph-card.dim")).to_have_count(2)
    field.press("Enter")
    expect(page.locator(".graph-card.selected")).to_have_attribute("data-id", "city/fares")

    field.fill("group:")
    expect(page.locator("#search-note")).to_contain_text("group:")
    field.fill("group:made")
    expect(page.locator("#search-note")).to_have_count(0)
    expect(page.locator(".graph-card.dim")).to_have_count(1)
    field.press("Enter")
    expect(page.locator(".graph-card")).to_have_count(2)
    expect(page).to_have_url(re.compile("select=group"))
    page.reload()
    expect(page.locator(".graph-card")).to_have_count(2)
    page.get_by_role("button", name="group:made").click()
    expect(page.locator(".graph-card")).to_have_count(3)


def test_what_is_shown_of_the_graph_is_downloaded_as_a_picture(
    look_at: Callable[..., Server], open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page(f"{look_at({'pipeline.py': PIPELINE}).url}/lineage?select=trips_file")
    with page.expect_download() as download:
        page.get_by_role("link", name="SVG").click()
    assert download.value.suggested_filename == "lineage.svg"
    download.value.save_as(tmp_path / "lineage.svg")
    picture = (tmp_path / "lineage.svg").read_text()
    assert "Lineage of 1 asset" in picture


def test_focus_shows_so_many_steps_around_an_asset(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": LAYERS.format(width=1, layers=5)})
    page = open_page(f"{server.url}/lineage?selected=a2_0")
    around = page.get_by_role("group", name="How much to show around a2_0")
    around.get_by_role("button", name="1").click()
    expect(page.locator(".graph-card")).to_have_count(3)
    expect(page).to_have_url(re.compile("focus=a2_0"))
    around.get_by_role("button", name="All").click()
    expect(page.locator(".graph-card")).to_have_count(5)


def test_groups_fold_into_a_card_and_open_again(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{look_at({'pipeline.py': PIPELINE}).url}/lineage")
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Collapse all").click()
    expect(page.locator(".graph-card")).to_have_count(2)
    expect(page.locator('.graph-card[data-id="group:made"]')).to_contain_text("2 assets")
    page.locator('.graph-card[data-id="group:made"]').dblclick(position={"x": 20, "y": 40})
    expect(page.locator(".graph-card")).to_have_count(3)
    expect(page).to_have_url(re.compile("collapsed=raw"))


def test_two_thousand_assets_open_folded_and_unfold(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": LAYERS.format(width=100, layers=20)})
    page = open_page(f"{server.url}/lineage")
    page.get_by_role("button", name="List").click()
    panel = page.get_by_role("complementary", name="All assets")
    expect(panel.get_by_role("listitem")).to_have_count(10)
    expect(panel.get_by_role("listitem").first).to_contain_text("200 assets")

    visit(page, f"{server.url}/lineage?collapsed=")
    page.get_by_label("Search assets").fill("a19_77")
    page.get_by_label("Search assets").press("Enter")
    expect(page.locator(".graph-card.selected")).to_have_attribute("data-id", "a19_77")
    assert page.locator(".graph-card").count() < 200

    visit(page, f"{server.url}/assets")
    expect(page.locator(".state-filter")).to_contain_text("2000")
    assert page.locator(".table-row").count() < 100
    page.evaluate("scrollTo(0, document.scrollingElement.scrollHeight)")
    expect(page.locator('[data-key="a19_99"]')).to_be_visible()
