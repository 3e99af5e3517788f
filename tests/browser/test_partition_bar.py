"""The bar of an asset's partitions: what it shows, and runs of what is selected on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Locator, Page, expect

from browser.served import Server
from browser.test_accessibility import axe

if TYPE_CHECKING:
    from pathlib import Path

PIPELINE = """
    import assetgraph as dg

    days = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-04-11")
    places = dg.StaticPartitionsDefinition(["Asia", "Europe", "Oceania"])

    @dg.asset(partitions_def=days)
    def trips(context) -> int:
        if context.partition_key == "2026-01-31":
            raise ValueError("a bad day")
        return 1

    @dg.asset(partitions_def=dg.MultiPartitionsDefinition({"date": days, "place": places}))
    def sales(context) -> str:
        return context.partition_key
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root: Path = tmp_path_factory.mktemp("bar")
    (root / "pyproject.toml").write_text('[tool.assetgraph]\nmodule = "pipeline"\n')
    (root / "pipeline.py").write_text(dedent(PIPELINE))
    served = Server(root).start()
    served.terminal("materialize", "trips", "--partitions", "2026-01-01..2026-02-19", "-y")
    yield served
    served.close()


def at(stage: Locator, along: float, down: float = 0.5) -> tuple[float, float]:
    """A point of the bar, as shares of its width and height."""
    box = stage.bounding_box()
    assert box
    return box["x"] + along * box["width"], box["y"] + down * box["height"]


def test_the_bar_tells_selects_zooms_and_materializes(
    server: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{server.url}/assets/trips?tab=partitions")
    bar = page.get_by_role("region", name="Partitions")
    stage = bar.get_by_role("application", name="Partitions by state")
    expect(bar.get_by_role("list", name="Legend")).to_have_text(
        "failednever materializedmaterialized"
    )
    tip = page.locator(".partition-tip")
    page.mouse.move(*at(stage, 0.305))
    expect(tip).to_contain_text("2026-01-31")
    expect(tip).to_contain_text("ValueError: a bad day")

    page.mouse.move(*at(stage, 0.605))
    page.mouse.down()
    page.mouse.move(*at(stage, 0.655))
    page.mouse.up()
    expect(bar).to_contain_text("6 partitions selected")
    expect(bar).to_contain_text("2026-03-02 to 2026-03-07")
    bar.get_by_role("button", name="Materialize selected").click()
    dialog = page.get_by_role("dialog")
    plan = dialog.get_by_role("list", name="Steps in order")
    expect(plan).to_contain_text("trips@2026-03-02..2026-03-07")
    dialog.get_by_role("button", name="Materialize").click()
    expect(bar.get_by_role("button", name="fresh")).to_contain_text("55")

    bar.get_by_role("button", name="Clear").click()
    stage.focus()
    page.keyboard.press("Home")
    expect(bar.get_by_role("status").first).to_contain_text("2026-01-01: materialized")
    page.keyboard.press("End")
    page.keyboard.press("Shift+ArrowLeft")
    expect(bar).to_contain_text("2026-04-09 to 2026-04-10")
    page.keyboard.press("+")
    page.keyboard.press("+")
    expect(bar.get_by_role("button", name="Show all")).to_be_visible()
    page.keyboard.press("0")
    expect(bar.get_by_role("button", name="Show all")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(plan).to_contain_text("trips@2026-04-09..2026-04-10")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_dimensions_are_rows_and_a_part_of_them_is_planned(
    server: Server, open_page: Callable[..., Page], theme: str
) -> None:
    script = axe()
    page = open_page(
        f"{server.url}/assets/sales", width=390, color_scheme=theme, reduced_motion="reduce"
    )
    bar = page.get_by_role("region", name="Partitions")
    stage = bar.get_by_role("application", name="Partitions by state")
    expect(bar.locator(".partition-labels")).to_have_text("AsiaEuropeOceania")
    page.mouse.move(*at(stage, 0.02, 0.5))
    page.mouse.down()
    page.mouse.move(*at(stage, 0.5, 0.8))
    page.mouse.up()
    expect(bar).to_contain_text(re.compile("2026-01-0[23] to 2026-02-.., Europe to Oceania"))
    page.evaluate(script)
    assert [one["id"] for one in page.evaluate("axe.run()")["violations"]] == []
    bar.get_by_role("button", name="Materialize selected").click()
    plan = page.get_by_role("dialog").get_by_role("list", name="Steps in order")
    expect(plan).to_contain_text(re.compile(r"sales@2026-01-0[23]\|Europe"))
