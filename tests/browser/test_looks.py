"""What can be read at first sight."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, expect
from web_pages import PIPELINE

from browser.served import visit
from browser.test_accessibility import axe

if TYPE_CHECKING:
    from browser.served import Server

CHAIN = """
    import assetgraph as dg

    def make(n):
        @dg.asset(name=f"asset_{n}", deps=[f"asset_{n - 1}"] if n else [])
        def made():
            return n
        return made

    assets = [make(n) for n in range(8)]
"""
SCALE = r"document.querySelector('.graph-cards').style.transform.match(/scale\(([^)]+)/)[1]"


def test_a_small_graph_begins_at_its_full_size_and_can_be_fitted(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    text = CHAIN.replace("range(8)", "range(30)")
    page = open_page(f"{serve({'pipeline.py': text}).url}/lineage")
    first = page.locator('.graph-card[data-id="asset_0"]')
    expect(first).to_be_visible()
    assert float(page.evaluate(SCALE)) == 1
    page.get_by_role("button", name="Fit everything").click()
    page.wait_for_function(f"{SCALE} < 0.7")


def test_a_chosen_card_leaves_the_graph_at_its_scale_and_stays_in_sight(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{serve({'pipeline.py': CHAIN}).url}/lineage")
    expect(page.locator(".graph-card").first).to_be_visible()
    before = page.evaluate(SCALE)
    for key in ("asset_3", "asset_2", "asset_1"):
        page.locator(f'.graph-card[data-id="{key}"]').click(position={"x": 20, "y": 40})
        panel = page.get_by_role("complementary", name="Selection")
        expect(panel).to_contain_text(key)
        assert page.evaluate(SCALE) == before
        page.wait_for_function(
            """(key) => document.querySelector(`.graph-card[data-id="${key}"]`).getBoundingClientRect().right
            <= document.querySelector('.panel').getBoundingClientRect().left""",
            arg=key,
        )


def test_the_focus_stays_in_the_panel_when_it_is_drawn_anew(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{look_at({'pipeline.py': PIPELINE}).url}/lineage")
    page.get_by_role("button", name="List").click()
    page.locator(".panel-item", has_text="city/fares").press("Enter")
    expect(page.get_by_role("button", name="Clear the selection")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.closest('.panel') !== null")


WIDE = """
    import assetgraph as dg

    @dg.asset(group_name="a_group_with_quite_a_long_name", owners=["team:a-long-name-of-a-team"])
    def one():
        return 1

    @dg.asset(group_name="a_group_with_quite_a_long_name", owners=["team:a-long-name-of-a-team"])
    def two():
        return 1
"""


def test_the_table_of_assets_cuts_no_short_text_and_hides_what_tells_nothing(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{serve({'pipeline.py': WIDE}).url}/assets", width=1600)
    row = page.locator('[data-key="one"]')
    for text in ("a_group_with_quite_a_long_name", "team:a-long-name-of-a-team"):
        found = row.get_by_text(text)
        expect(found).to_be_visible()
        assert found.evaluate("(one) => one.scrollWidth <= one.clientWidth + 1")
    heads = page.locator(".assets-table [role=columnheader]:visible")
    assert [text for text in heads.all_inner_texts() if text] == [
        "Asset", "Status", "Group", "Owner", "Last materialized", "Duration",
    ]  # fmt: skip


FORMATS = '''
    import json
    from pathlib import Path
    import assetgraph as dg

    @dg.asset
    def rows() -> Path:
        """Rows with *emphasis*.

        - a point
        """
        Path("rows.csv").write_text("name,fare,note\\nA,1.5,x\\nB,-2e3,1\\nC,,3\\n")
        return Path("rows.csv")

    @dg.asset
    def shapes() -> Path:
        Path("shapes.geojson").write_text(json.dumps({"features": [{"x": n} for n in range(900)]}))
        return Path("shapes.geojson")

    @dg.asset
    def told(context):
        context.add_output_metadata({"t": dg.MetadataValue.table([{"n": 1, "s": "a"}])})
'''


def test_numbers_stand_under_their_headers_and_long_lines_are_broken(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": FORMATS})
    server.terminal("materialize", "--all")
    page = open_page(f"{server.url}/assets/rows")
    for part, kinds in (("th", ["", "number", ""]), ("td", ["", "number", ""])):
        cells = page.locator(f".preview-table tr:first-child > {part}")
        expect(cells).to_have_count(3)
        assert [cell.get_attribute("class") or "" for cell in cells.all()] == kinds
    expect(page.locator(".asset-about em")).to_have_text("emphasis")
    expect(page.locator(".asset-about li")).to_have_text("a point")

    visit(page, f"{server.url}/assets/told")
    expect(page.locator(".metadata th").first).to_have_class("number")
    visit(page, f"{server.url}/assets/shapes")
    shown = page.locator(".preview pre")
    assert shown.evaluate("(one) => one.scrollWidth <= one.clientWidth + 1")


def test_charts_hold_links_that_can_be_reached_and_targets_are_large_enough(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    script = axe()
    server = serve({"pipeline.py": PIPELINE})
    for _ in range(3):
        server.terminal("materialize", "--all", "--tag", "reason=test")
    page = open_page(f"{server.url}/assets/trips_file")
    expect(page.locator(".chart").first).to_be_visible()
    for address in ("/assets/trips_file", "/assets", "/lineage?selected=trips", "/runs"):
        visit(page, server.url + address)
        page.evaluate(script)
        found = page.evaluate(
            """() => axe.run(document, {runOnly: {type: 'rule', values: ['target-size', 'nested-interactive']}})
            .then(({violations}) => violations.flatMap(({id, nodes}) => nodes.map(({html}) => `${id} ${html}`)))"""
        )
        assert found == [], address


READER = """
    import pyarrow as pa
    import assetgraph as dg

    @dg.asset
    def rows_with_quite_a_long_name() -> pa.RecordBatchReader:
        return pa.table({"n": [1, 2]}).to_reader()
"""


@pytest.mark.parametrize("width", [1280, 1000, 360])
def test_the_parts_of_a_head_never_overprint_each_other(
    look_at: Callable[..., Server], open_page: Callable[..., Page], width: int
) -> None:
    server = look_at({"pipeline.py": READER}, "materialize --all")
    page = open_page(f"{server.url}/assets/rows_with_quite_a_long_name", width=width)
    expect(page.locator(".preview-table")).to_be_visible()
    overprinted = page.evaluate(
        """() => [...document.querySelectorAll('.card-head')].flatMap((head) => {
          const boxes = [...head.children].map((one) => one.getBoundingClientRect()).filter((box) => box.width);
          const over = (a, b) => a.right > b.left + 1 && b.right > a.left + 1 && a.bottom > b.top + 1 && b.bottom > a.top + 1;
          const title = head.querySelector('h2');
          const cut = title && title.scrollWidth > title.clientWidth + 1;
          return cut || boxes.some((box, index) => boxes.slice(index + 1).some((other) => over(box, other))) ? [head.textContent] : [];
        })"""
    )
    assert overprinted == []


def test_names_that_differ_at_their_end_can_be_told_apart_in_the_table(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    text = """
        import assetgraph as dg

        @dg.asset(key_prefix="a_schema_with_a_long_name", owners=["team:somebody@example.com"])
        def manhattan_map(): ...

        @dg.asset(key_prefix="a_schema_with_a_long_name")
        def manhattan_stats(): ...
    """
    page = open_page(f"{serve({'pipeline.py': text}).url}/assets", width=1024)
    names = page.locator(".cell-name .key-text > :last-child")
    expect(names).to_have_text(["manhattan_map", "manhattan_stats"])
    cut = "(all) => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)"
    assert names.evaluate_all(cut) == []
