"""The graph suits the window: whole and readable where it can be, in bands and frames where it is large."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, expect

from browser.test_looks import SCALE

if TYPE_CHECKING:
    from browser.served import Server

SEVEN = """
    import assetgraph as dg

    def make(key, *deps, group):
        @dg.asset(key=key, deps=list(deps), group_name=group)
        def made():
            return 1
        return made

    assets = [
        make("trips_file", group="raw"), make("zones_file", group="raw"),
        make("trips", "trips_file", group="ingested"), make("zones", "zones_file", group="ingested"),
        make("trips_by_week", "trips", group="metrics"),
        make("manhattan/manhattan_stats", "trips", "zones", group="metrics"),
        make("manhattan/manhattan_map", "manhattan/manhattan_stats", group="metrics"),
    ]
"""
GROUPS = """
    import assetgraph as dg

    NAMES = {names}

    def make(place, number):
        group = NAMES[place]
        deps = [f"g{{place - 1}}_{{number}}"] if place and {chained} else []
        @dg.asset(name=f"g{{place}}_{{number}}", deps=deps, group_name=group)
        def made():
            return 1
        return made

    assets = [make(place, number) for place in range(len(NAMES)) for number in range({size})]
"""
LONG_NAMES = [f"marts_marketing_attribution_{n:02}" for n in range(12)]


def groups(names: list[str], *, size: int, chained: bool = True) -> str:
    return GROUPS.format(names=names, size=size, chained=chained)


@pytest.mark.parametrize("width", [1024, 1280, 1440])
def test_a_small_graph_is_whole_and_readable_and_cuts_no_name(
    look_at: Callable[..., Server], open_page: Callable[..., Page], width: int
) -> None:
    page = open_page(f"{look_at({'pipeline.py': SEVEN}).url}/lineage", width=width)
    cards = page.locator(".graph-card")
    expect(cards).to_have_count(7)
    graph = page.locator(".graph").bounding_box()
    assert graph
    for box in [card.bounding_box() for card in cards.all()]:
        assert box
        assert graph["x"] <= box["x"]
        assert box["x"] + box["width"] <= graph["x"] + graph["width"]
    assert float(page.evaluate(SCALE)) >= (0.8 if width < 1280 else 1)
    cut = "(all) => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)"
    assert page.locator(".key-text.graph-card-name > :last-child").evaluate_all(cut) == []


def test_a_chain_of_groups_is_wrapped_to_the_window_and_its_names_are_readable(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    names = [f"step_{n:02}" for n in range(60)]
    page = open_page(f"{serve({'pipeline.py': groups(names, size=3)}).url}/lineage")
    expect(page.locator(".graph")).to_be_visible()
    page.wait_for_function("document.querySelector('.graph-cards').style.transform !== ''")
    assert float(page.evaluate(SCALE)) >= 0.45
    page.get_by_role("button", name="Fit everything").click()
    page.wait_for_function("document.querySelector('.graph-grid').style.opacity < 0.2")
    assert float(page.evaluate(SCALE)) >= 0.4


def test_no_name_of_a_folded_group_is_cut(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    text = groups(LONG_NAMES, size=13, chained=False)
    page = open_page(f"{serve({'pipeline.py': text}).url}/lineage")
    names = page.locator(".graph-card-name")
    expect(names).to_have_count(12)
    cut = "(all) => all.filter((one) => one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight + 1)"
    assert names.evaluate_all(cut) == []


def test_an_opened_group_stands_in_a_frame_whose_name_folds_it_again(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": groups(["raw", "made", "told"], size=60)})
    page = open_page(f"{server.url}/lineage")
    expect(page.locator(".graph-card")).to_have_count(3)
    page.locator('.graph-card[data-id="group:made"]').dblclick(position={"x": 20, "y": 40})
    expect(page).to_have_url(re.compile("collapsed=raw"))
    expect(page.locator(".graph-card")).to_have_count(0)  # the boxes of a large group
    scale = float(page.evaluate(SCALE))
    assert scale >= 0.45
    graph = page.locator(".graph").bounding_box()
    assert graph
    # The frame is higher than the window, and in its middle.
    page.mouse.dblclick(graph["x"] + graph["width"] / 2, graph["y"] + 28 + 20 * scale)
    expect(page.locator(".graph-card")).to_have_count(3)
    expect(page.locator('.graph-card[data-id="group:made"]')).to_be_visible()


def test_the_last_column_of_a_graph_that_is_higher_than_the_window_is_not_cut(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    names = [f"step_{n:02}" for n in range(12)]
    page = open_page(f"{serve({'pipeline.py': groups(names, size=17)}).url}/lineage")
    expect(page.locator(".graph-card").first).to_be_visible()
    graph = page.locator(".graph").bounding_box()
    assert graph
    assert float(page.evaluate(SCALE)) >= 0.8
    right = [
        box["x"] + box["width"]
        for card in page.locator(".graph-card").all()
        if (box := card.bounding_box())
    ]
    assert max(right) <= graph["x"] + graph["width"]


FULLEST = """async (places) => {
  const {Scene} = await import('/static/x/lineage/scene.js');
  const nodes = places.map(([x, y], number) => ({id: String(number), key: String(number), x, y}));
  const scene = new Scene({nodes, edges: [], groups: [], frames: [], card: [10, 10], group_card: [10, 10]});
  return scene.fullest(30, 50);
}"""


def test_the_fullest_part_of_a_graph_holds_the_most_cards_whole(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(look_at({"pipeline.py": SEVEN}).url)
    for places, expected in (
        ([], (0, 0, 0)),
        ([(0, 0)], (0, 0, 1)),
        ([(0, 500), (100, 0), (100, 20), (100, 41), (120, 10)], (100, 0, 3)),
        ([(0, 0), (0, 20), (100, 300), (120, 340)], (0, 0, 2)),
    ):
        found = page.evaluate(FULLEST, places)
        assert (found["x"], found["y"], found["count"]) == expected, places
