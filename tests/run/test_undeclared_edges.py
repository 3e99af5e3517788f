"""A step that reads what another asset made, without naming it as an upstream, says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from observing import observe, read_file, used

import assetgraph as dg
from assetgraph.records import EventType, ReadKind


@pytest.fixture(autouse=True)
def observing(monkeypatch: pytest.MonkeyPatch) -> None:
    observe(monkeypatch)


@dg.asset
def orders() -> Path:
    Path("orders.csv").write_text("a")
    return Path("orders.csv")


@dg.asset
def exports() -> Path:
    Path("exports").mkdir(exist_ok=True)
    Path("exports/jan.csv").write_text("a")
    return Path("exports")


def warnings(result: dg.RunResult, step: str) -> list[str]:
    return [
        event.message or ""
        for event in result.events
        if event.type is EventType.LOG and event.level == "WARNING" and event.step == step
    ]


def test_a_step_that_reads_a_file_of_another_asset_says_which_upstream_to_name(
    instance: dg.Instance,
) -> None:
    @dg.asset
    def report() -> str:
        read_file("orders.csv")
        return read_file("exports/jan.csv") + read_file("exports/jan.csv")

    assets = [orders, exports, report]
    result = dg.materialize(assets, instance=instance)

    assert warnings(result, "report") == [
        "It reads orders.csv, which orders made, but orders is not an upstream of it. So a run "
        'may start both at once, and a change takes two runs. Add deps=["orders"].',
        "It reads exports/jan.csv, which exports made, but exports is not an upstream of it. So a "
        'run may start both at once, and a change takes two runs. Add deps=["exports"].',
    ]
    kinds = [event.type for event in result.events if event.step == "report"]
    assert kinds[0] is EventType.STEP_START
    assert kinds[-1] is EventType.STEP_SUCCESS


def test_a_step_that_names_the_asset_or_made_the_file_itself_says_nothing(
    instance: dg.Instance,
) -> None:
    @dg.asset(deps=[orders])
    def report() -> str:
        return read_file("orders.csv") + read_file("plain.csv")

    @dg.asset(deps=[report])
    def summary() -> str:
        return read_file("orders.csv")  # an upstream of its upstream, so the order is known

    @dg.asset
    def again() -> Path:
        Path("again.csv").write_text(read_file("again.csv") + "a")
        return Path("again.csv")

    for _ in range(2):
        result = dg.materialize([orders, report, summary, again], instance=instance)
        assert [warnings(result, step) for step in ("report", "summary", "again")] == [[], [], []]


def test_a_step_that_reads_a_file_made_from_its_own_value_is_told_of_the_circle(
    instance: dg.Instance,
) -> None:
    @dg.asset
    def first() -> str:
        return read_file("second.csv")

    @dg.asset
    def second(first: str) -> Path:
        Path("second.csv").write_text(first)
        return Path("second.csv")

    dg.materialize([first, second], instance=instance)
    result = dg.materialize([first, second], instance=instance)

    assert warnings(result, "first") == [
        "It reads second.csv, which second made, but second is downstream of it. This is a circle: "
        "neither is up to date before the other."
    ]


def test_an_asset_that_the_project_no_longer_has_is_not_suggested(instance: dg.Instance) -> None:
    @dg.asset
    def report() -> str:
        return read_file("orders.csv")

    dg.materialize([orders], instance=instance)

    assert warnings(dg.materialize([report], instance=instance), "report") == []


def test_a_step_that_loads_the_value_of_another_asset_says_which_upstream_to_name(
    instance: dg.Instance,
) -> None:
    @dg.asset
    def report() -> int:
        return 1

    used(ReadKind.ASSET, "orders")
    result = dg.materialize([orders, report], instance=instance)

    assert warnings(result, "orders") == []
    assert warnings(result, "report") == [
        "It loads the value of orders, but orders is not an upstream of it. So a run may start "
        'both at once, and a change takes two runs. Add deps=["orders"].'
    ]
