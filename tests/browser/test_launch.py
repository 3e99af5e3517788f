"""The dialog that starts a run: its plan, config, and errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")

from playwright.sync_api import Page, Route, expect
from web_pages import PIPELINE

from assetgraph.states import EXECUTORS

if TYPE_CHECKING:
    from browser.served import Server


def test_config_is_a_form_and_yaml_and_reaches_the_run(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{serve({'pipeline.py': PIPELINE}).url}/assets/trips_file")
    page.get_by_role("button", name="Materialize").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("month")).to_have_attribute("placeholder", "2023-03")
    dialog.get_by_label("rows").fill("6")
    dialog.get_by_role("button", name="YAML").click()
    expect(dialog.get_by_label("Config as YAML")).to_have_value(re.compile("rows: 6"))

    dialog.get_by_label("Config as YAML").fill("trips_file:\n  colour: red\n")
    expect(dialog.get_by_role("alert")).to_contain_text("colour")
    expect(dialog.get_by_role("button", name="Materialize")).to_be_disabled()
    dialog.get_by_label("Config as YAML").fill("trips_file:\n  rows: 7\n")
    dialog.get_by_text("Tags and execution").click()
    dialog.get_by_label("Name of tag 1").fill("reason")
    dialog.get_by_label("Value of tag 1").fill("tried out")
    dialog.get_by_role("button", name="Materialize").click()

    latest = page.get_by_role("region", name="Latest materialization")
    expect(latest.locator(".metadata")).to_contain_text("7")
    page.locator(".toast").get_by_role("link").click()
    expect(page.get_by_role("region", name="Facts")).to_contain_text("rows: 7")
    expect(page.get_by_role("region", name="Facts")).to_contain_text("reason=tried out")


def test_config_can_be_looked_at_as_yaml_before_any_is_given(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{look_at({'pipeline.py': PIPELINE}).url}/assets/trips_file")
    page.get_by_role("button", name="Materialize").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("month").wait_for()
    page.route("**/api/plan", lambda route: None)  # the switch waits for no answer
    dialog.get_by_role("button", name="YAML").click()
    expect(dialog.get_by_label("Config as YAML")).to_have_value(re.compile("# .*trips_file"))

    page.unroute("**/api/plan")
    with page.expect_response("**/api/plan"):
        dialog.get_by_role("button", name="Form").click()
    with page.expect_response("**/api/plan"):
        dialog.get_by_role("button", name="YAML").click()
    expect(dialog.get_by_role("alert")).to_have_count(0)
    expect(dialog.get_by_role("button", name="Materialize")).to_be_enabled()


def test_an_answer_that_arrives_while_one_types_leaves_the_focus_where_it_is(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{look_at({'pipeline.py': PIPELINE}).url}/assets/trips_file")
    page.get_by_role("button", name="Materialize").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("month").wait_for()
    dialog.get_by_role("button", name="YAML").click()
    dialog.get_by_label("Config as YAML").fill("trips_file:\n  colour: red\n")
    expect(dialog.get_by_role("alert")).to_contain_text("colour")
    dialog.get_by_text("Tags and execution").click()

    held: list[Route] = []
    page.route("**/api/plan", lambda route: held.append(route))
    with page.expect_request("**/api/plan"):
        dialog.get_by_label("Config as YAML").fill("trips_file:\n  rows: 7\n")
    dialog.get_by_label("Name of tag 1").focus()
    held[0].continue_()
    expect(dialog.get_by_role("alert")).to_have_count(0)
    expect(dialog.get_by_label("Name of tag 1")).to_be_focused()


def test_required_config_is_asked_for_before_the_start(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    text = PIPELINE.replace('month: str = "2023-03"', "month: str")
    page = open_page(f"{serve({'pipeline.py': text}).url}/assets/trips_file")
    page.get_by_role("button", name="Materialize").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("status")).to_contain_text("trips_file needs month")
    expect(dialog.get_by_role("button", name="Materialize")).to_be_disabled()

    dialog.get_by_label("month").fill("2023-04")
    expect(dialog.get_by_role("status")).to_have_count(0)
    dialog.get_by_role("button", name="Materialize").click()
    expect(page.get_by_role("region", name="Latest materialization")).to_be_visible()


def test_a_plan_that_arrives_late_does_not_hide_why_a_start_failed(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE})
    page = open_page(f"{server.url}/assets/trips_file")
    page.get_by_role("button", name="Materialize").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("rows").wait_for()
    held: list[Route] = []
    page.route("**/api/plan", lambda route: held.append(route))
    with page.expect_request("**/api/plan"):
        dialog.get_by_label("rows").fill("6")
    whole = (server.root / "pipeline.py").read_text()
    server.write("pipeline.py", whole + "\nundefined_thing\n")
    dialog.get_by_role("button", name="Materialize").click()
    expect(dialog.get_by_role("alert")).to_contain_text("undefined_thing")

    held[0].continue_()
    expect(dialog.locator(".warning-note")).to_contain_text("No run can start")
    expect(dialog.get_by_role("alert")).to_contain_text("undefined_thing")


def test_a_start_that_failed_can_be_tried_again_with_what_was_typed(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    server = serve({"pipeline.py": PIPELINE})
    page = open_page(f"{server.url}/assets/trips_file")
    whole = (server.root / "pipeline.py").read_text()
    page.get_by_role("button", name="Materialize").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("rows").fill("6")
    server.write("pipeline.py", whole + "\nundefined_thing\n")
    dialog.get_by_role("button", name="Materialize").click()
    expect(dialog.get_by_role("alert")).to_contain_text("undefined_thing")

    server.write("pipeline.py", whole)
    dialog.get_by_role("button", name="Materialize").click()
    latest = page.get_by_role("region", name="Latest materialization")
    expect(latest.locator(".metadata")).to_contain_text("6")


def test_the_plan_is_shown_with_its_reasons_before_anything_runs(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{look_at({'pipeline.py': PIPELINE}).url}/assets/city/fares")
    page.get_by_role("button", name="Materialize").click()

    steps = page.get_by_role("list", name="Steps in order").get_by_role("listitem")
    expect(steps).to_have_count(3)
    expect(steps.nth(0)).to_contain_text("trips_file")
    expect(steps.nth(0)).to_contain_text("has no value yet")
    expect(steps.nth(2)).to_contain_text("city/fares")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_launch_offers_every_executor_and_no_other(
    look_at: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{look_at({'pipeline.py': PIPELINE}).url}/assets/trips_file")
    page.get_by_role("button", name="Materialize").click()
    page.get_by_text("Tags and execution").click()
    offered = page.get_by_label("Executor").locator("option")
    expect(offered).to_have_text(["project default", *EXECUTORS])
