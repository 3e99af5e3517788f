"""What people do with the page: go back, click twice, open many tabs, mend what is broken."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Browser, Page, expect
from web_pages import PIPELINE

from browser.served import visit

if TYPE_CHECKING:
    from browser.served import Server

GROUPS = """
    import assetgraph as dg

    def make(n):
        @dg.asset(name=f"asset_{n:03}", group_name=f"group_{n % 4}")
        def made():
            return n
        return made

    assets = [make(n) for n in range(200)]
"""
PARTLY = """
    import assetgraph as dg

    @dg.asset
    def base():
        return 1

    @dg.asset
    def breaks(base):
        raise ValueError("no")

    @dg.asset
    def after(breaks):
        return 1
"""
SLOW = """
    import time
    import assetgraph as dg

    @dg.asset
    def slow():
        print("begun", flush=True)
        while True:
            time.sleep(0.05)

    @dg.asset
    def after(slow): ...
"""
LOOKS = [
    {},
    {"class": "a"},
    {"title": "t", "hidden": True},
    {"data": {"tick": "since", "since": "1"}},
    {"data": {"tick": None, "state": "x"}},
    {"style": {"width": "1px", "color": "red"}},
    {"style": {"width": "2px"}, "data": {}},
    {"aria-pressed": "true", "tabindex": "0"},
    {"disabled": True, "class": "b"},
]
PATCHED = """async (looks) => {
  const {h, patch} = await import('/static/x/dom.js');
  const wrong = [];
  for (const before of looks) {
    for (const after of looks) {
      const box = h('div', {}, h('button', before, 'x'));
      patch(box, h('button', after, 'x'));
      const fresh = h('div', {}, h('button', after, 'x'));
      const text = (one) => [...one.firstChild.attributes].map(({name, value}) => `${name}=${value}`).filter((each) => !/^(style|class)=$/.test(each)).sort().join(' ');
      if (text(box) !== text(fresh)) wrong.push([before, after, text(box)]);
    }
  }
  return wrong;
}"""


def test_an_element_that_is_redrawn_has_what_the_new_one_has_and_nothing_of_the_old(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(look_at({"pipeline.py": PIPELINE}).url)

    assert page.evaluate(PATCHED, LOOKS) == []


def test_a_duration_stops_at_the_end_of_its_run(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": SLOW})
    page = open_page(f"{server.url}/assets")
    page.get_by_role("button", name="Materialize all").click()
    page.get_by_role("dialog").get_by_role("button", name="Materialize").click()
    runs = open_page(f"{server.url}/runs")
    page.locator(".toast").get_by_role("link").click()
    expect(page.locator(".run-header [data-tick=since]")).to_be_visible()
    expect(runs.locator(".run-duration [data-tick=since]")).to_be_visible()
    page.get_by_role("button", name="Cancel run").click()

    for shown, place in ((page, ".run-header"), (runs, ".run-duration")):
        expect(shown.locator(f"{place} [data-tick=since]")).to_have_count(0)


def test_a_run_that_ended_prepares_nothing(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": SLOW})
    page = open_page(f"{server.url}/assets")
    page.get_by_role("button", name="Materialize all").click()
    page.get_by_role("dialog").get_by_role("button", name="Materialize").click()
    page.locator(".toast").get_by_role("link").click()
    expect(page.locator(".steps")).to_contain_text("Preparing")
    page.get_by_role("button", name="Cancel run").click()

    expect(page.locator(".run-header")).to_contain_text("canceled")
    expect(page.locator(".steps")).not_to_contain_text("Preparing")
    expect(page.locator(".steps")).to_contain_text("Not started")
    expect(page.get_by_role("button", name="From failure")).to_be_enabled()
    visit(page, f"{server.url}/runs")
    expect(page.locator(".step-counts")).to_have_attribute("title", re.compile("not started"))


def test_definitions_that_were_mended_can_be_reloaded_from_every_page(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE + "\n    not_defined\n"})
    page = open_page(f"{server.url}/assets")
    banner = page.locator(".banner")
    expect(banner).to_contain_text("do not load")
    expect(banner.get_by_role("button", name="Reload definitions")).to_be_visible()

    text = (server.root / "pipeline.py").read_text()
    server.write("pipeline.py", text.replace("not_defined", ""))
    expect(banner).to_contain_text("Files changed since then")
    expect(banner).not_to_contain_text("no run can start")
    banner.get_by_role("button", name="Reload definitions").click()
    expect(banner).to_have_count(0)
    expect(page.locator('[data-key="trips"]')).to_be_visible()


def test_a_second_click_starts_nothing_more(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE})
    server.terminal("materialize", "--all")
    page = open_page(f"{server.url}/runs/latest")
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    page.get_by_role("button", name="Re-execute all").dblclick()
    page.wait_for_url(re.compile(r"/runs/[0-9-]+"))
    expect(page.locator(".run-header")).to_contain_text("Re-execution of")

    assert len([url for url in sent if url.endswith("/rerun")]) == 1
    visit(page, f"{server.url}/assets")
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Materialize").dblclick()
    expect(page.locator(".toast").first).to_be_visible()
    assert len([url for url in sent if url.endswith("/api/runs")]) == 1


def test_a_note_about_a_failure_names_what_failed(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PARTLY})
    page = open_page(f"{server.url}/assets")
    expect(page.locator("#live")).to_have_attribute("data-live", "open")
    server.terminal("materialize", "--all")

    expect(page.locator(".toast").last).to_contain_text("Failed: breaks (of 3)")
    visit(page, f"{server.url}/runs")
    expect(page.locator(".run-assets")).to_have_text(re.compile("^breaks"))
    expect(page.locator(".run-assets")).not_to_contain_text("more")
    visit(page, server.url)
    expect(page.locator(".run-bar")).to_have_attribute(
        "title", re.compile("3 assets: failed .*1 of them failed")
    )


def test_a_selected_asset_is_shown_though_its_group_is_folded(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = look_at({"pipeline.py": GROUPS})
    page = open_page(f"{server.url}/lineage?selected=asset_006")

    expect(page.locator(".panel-title")).to_have_text("asset_006")
    expect(page.locator('.graph-card[data-id="asset_006"]')).to_be_visible()
    assert "selected=asset_006" in page.url
    folded = page.evaluate("new URLSearchParams(location.search).get('collapsed')")
    assert sorted(folded.split(",")) == ["group_0", "group_1", "group_3"]


def test_a_selected_asset_that_is_not_there_is_said(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(look_at({"pipeline.py": GROUPS}).url + "/lineage?selected=nothing_such")

    expect(page.locator(".toast")).to_contain_text("nothing_such is not in this graph.")


def test_back_undoes_one_step_on_every_page(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": GROUPS})
    page = open_page(f"{server.url}/lineage")
    page.get_by_label("Groups").click()
    count = page.locator(".menu-head")
    expect(count).to_contain_text("0 of 4 open")
    page.get_by_role("checkbox", name="group_1").check()
    expect(count).to_contain_text("1 of 4 open")
    page.go_back()
    expect(count).to_contain_text("0 of 4 open")
    page.go_forward()
    expect(count).to_contain_text("1 of 4 open")

    visit(page, f"{server.url}/assets")
    page.get_by_role("button", name="never materialized").click()
    expect(page).to_have_url(re.compile("state=missing"))
    page.go_back()
    expect(page).to_have_url(re.compile("/assets$"))
    expect(page.get_by_role("button", name="All 200")).to_have_attribute("aria-pressed", "true")

    server.terminal("materialize", "asset_001")
    visit(page, f"{server.url}/runs")
    page.get_by_role("group", name="Status").get_by_role("button", name="failed").click()
    expect(page.locator("main")).to_contain_text("No run matches")
    page.go_back()
    expect(page.locator(".runs-table .table-row")).to_have_count(1)


def test_back_to_a_list_returns_to_its_place(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = look_at({"pipeline.py": GROUPS})
    page = open_page(f"{server.url}/assets")
    page.evaluate("scrollTo(0, 5000)")
    link = page.locator('[data-key="asset_096"]').get_by_role("link", name="asset_096")
    link.click()
    page.locator("body[data-ready][data-page=asset]").wait_for()
    page.go_back()
    page.locator("body[data-ready][data-page=assets]").wait_for()

    page.wait_for_function("Math.abs(scrollY - 5000) < 60")
    expect(page.locator('[data-key="asset_096"]')).to_be_visible()


def test_a_shift_click_selects_all_rows_between(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{look_at({'pipeline.py': GROUPS}).url}/assets")
    page.get_by_role("checkbox", name="Select asset_001").click()
    page.get_by_role("checkbox", name="Select asset_006").click(modifiers=["Shift"])

    expect(page.get_by_role("button", name="Materialize 6 selected")).to_be_visible()
    page.get_by_role("checkbox", name="Select asset_004").click(modifiers=["Shift"])
    expect(page.get_by_role("button", name="Materialize 3 selected")).to_be_visible()


@pytest.mark.parametrize("query", ["status=failed", "state=failed", "status=FAILED"])
def test_a_status_is_taken_by_the_words_that_are_shown(
    look_at: Callable[..., Server], open_page: Callable[..., Page], query: str
) -> None:
    server = look_at({"pipeline.py": PARTLY}, "materialize --all", "materialize base")
    page = open_page(f"{server.url}/assets?{query}")
    expect(page.locator(".assets-table [data-key]")).to_have_count(1)
    if query.startswith("status"):
        visit(page, f"{server.url}/runs?{query}")
        expect(page.locator(".runs-table .table-row")).to_have_count(1)


FACETS = """
    import assetgraph as dg

    @dg.asset(owners=["team:a"], kinds={"csv"}, tags={"tier": "1", "core": ""}, group_name="g1")
    def one(): return 1

    @dg.asset(owners=["team:b"], kinds={"csv", "sql"}, tags={"tier": "2"}, group_name="g1")
    def two():
        columns = dg.MetadataValue.table([{"name": "fare<i>", "type": "double"}])
        return dg.MaterializeResult(value=1, metadata={"columns": columns})

    @dg.asset(group_name="g2")
    def three(): return 1
"""


def test_assets_are_filtered_by_group_owner_kind_and_tag(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{serve({'pipeline.py': FACETS}).url}/assets?tag=tier%3D2")
    rows = page.locator(".assets-table [data-key]")
    expect(rows).to_have_count(1)
    page.get_by_label("Filter by tag").select_option("")
    expect(rows).to_have_count(3)
    for facet, value, count in (("kind", "csv", 2), ("owner", "team:a", 1)):
        page.get_by_label(f"Filter by {facet}").select_option(value)
        expect(rows).to_have_count(count)
    expect(page).to_have_url(re.compile(r"kind=csv.*owner=team%3Aa|owner=team%3Aa.*kind=csv"))
    page.go_back()
    expect(rows).to_have_count(2)
    expect(page.get_by_label("Filter by owner")).to_have_value("")
    page.get_by_label("Filter by group").select_option("g2")
    expect(page.locator("main")).to_contain_text("No asset matches")

    visit(page, page.url.split("?")[0] + "/one")
    page.get_by_role("link", name="tier=1").click()
    expect(rows).to_have_count(1)


def test_a_slash_finds_assets_groups_columns_runs_and_pages_from_anywhere(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": FACETS})
    server.terminal("materialize", "two")
    page = open_page(f"{server.url}/definitions")
    page.keyboard.press("/")
    field = page.get_by_role("combobox", name="Find assets, groups, columns and runs")
    expect(page.get_by_role("option")).to_have_count(6)  # all pages, and the last run
    field.fill("team:b")
    expect(page.get_by_role("option").first).to_contain_text("two")
    field.fill("t")
    expect(page.locator(".find-item", has_text="three")).to_be_visible()
    field.fill("th")
    field.press("Enter")
    expect(page.locator("h1")).to_have_text("three")

    page.get_by_role("button", name="Find").click()
    field.fill("FARE<")
    expect(page.get_by_role("group", name="Columns")).to_contain_text("fare<i>of two")
    field.fill("g1")
    expect(page.get_by_role("group", name="Groups")).to_contain_text("2 assets")
    field.press("ArrowUp")  # from the first, to the last
    field.press("Enter")
    expect(page).to_have_url(re.compile(r"/assets\?group=g1$"))
    page.locator("body[data-ready]").wait_for()

    page.keyboard.press("Control+k")
    field.fill("nothing such")
    expect(page.locator(".find")).to_contain_text("Nothing is called that.")
    page.keyboard.press("Escape")
    expect(page.locator(".find")).to_have_count(0)


def test_a_log_and_an_output_are_downloaded_as_text(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = look_at({"pipeline.py": PIPELINE}, "materialize --all")
    page = open_page(f"{server.url}/runs/latest")
    page.get_by_label("Lowest level").select_option("INFO")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download").click()
    text = saved.value.path().read_text()
    assert saved.value.suggested_filename.endswith(".log")
    assert " INFO trips_file month 2023-03" in text
    assert text.count(chr(10)) == len(text.splitlines()) > 5

    page.get_by_role("tab", name="stdout and stderr").click()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download").click()
    assert saved.value.path().read_text() == "writing 3 rows" + chr(10)
    assert saved.value.suggested_filename.endswith(".trips_file.1.out.txt")


def test_the_definitions_of_many_assets_are_drawn_when_they_are_asked_for(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    many = GROUPS.replace("range(200)", "range(3000)").replace(":03", ":04")
    page = open_page(f"{serve({'pipeline.py': many}).url}/definitions")

    assert page.evaluate("document.querySelectorAll('main *').length") < 500
    page.locator(".module > summary").click()
    expect(page.get_by_role("link", name="All 3000 assets")).to_be_attached()
    assert page.evaluate("document.querySelectorAll('main *').length") < 2500


def test_ten_visible_tabs_all_follow_what_happens(
    serve: Callable[..., Server], browser: Browser
) -> None:
    server = serve({"pipeline.py": PIPELINE})
    context = browser.new_context()
    context.set_default_timeout(20_000)
    tabs = [context.new_page() for _ in range(10)]
    for tab in tabs:
        visit(tab, f"{server.url}/assets")
    for tab in tabs:
        expect(tab.locator("#live")).to_have_attribute("data-live", "open")
    server.terminal("materialize", "trips_file")
    for tab in tabs:
        expect(tab.locator('[data-key="trips_file"] .pill')).to_contain_text("materialized")
    for tab in tabs[:5]:  # among them those that read the stream themselves
        tab.close()
    server.terminal("materialize", "trips")
    for tab in tabs[5:]:
        expect(tab.locator('[data-key="trips"] .pill')).to_contain_text("materialized")
    visit(tabs[5], f"{server.url}/runs")
    server.terminal("materialize", "trips")
    expect(tabs[5].locator(".runs-table .table-row")).to_have_count(3)
    context.close()


def test_the_definitions_show_resources_without_secrets(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    code = """
        import assetgraph as dg

        class Warehouse(dg.ConfigurableResource):
            url: str
            password: str
            token: dg.Secret[str] = "tok_931bd77c02"

        @dg.asset
        def trips(warehouse: Warehouse) -> int:
            return 1

        resources = {"warehouse": Warehouse(url="https://a", password=dg.EnvVar("PASSWORD"))}
    """
    server = serve({"pipeline.py": code})
    page = open_page(f"{server.url}/definitions")
    shown = page.get_by_role("region", name="Resources")
    for text in ("warehouse", "url='https://a'", "password=EnvVar('PASSWORD')", "token=***"):
        expect(shown).to_contain_text(text)
    assert "tok_931bd77c02" not in page.content()
    shown.get_by_role("link", name="trips").click()
    expect(page.locator("main")).to_contain_text("warehouse: Warehouse")
    assert "tok_931bd77c02" not in page.locator("dl.facts").first.inner_text()
