"""`AutomationCondition` as data: what it equals, and how its parts change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import assetgraph as dg
from assetgraph import AutomationCondition as Condition


def test_an_asset_and_a_spec_keep_their_condition() -> None:
    @dg.asset(automation_condition=Condition.eager())
    def one() -> None: ...

    spec = dg.AssetSpec("two", automation_condition=Condition.on_cron("@daily"))
    defs = dg.Definitions([one, spec])
    kept = {s.key.text: s.automation_condition for s in defs.get_all_asset_specs()}
    assert kept == {"one": Condition.eager(), "two": Condition.on_cron("@daily", "UTC")}
    assert one.automation_condition == Condition.eager()

    @dg.asset(automation_condition="eager")  # type: ignore[arg-type]
    def wrong() -> None: ...

    (problem,) = dg.Definitions([wrong]).graph.validate()
    assert "automation_condition= takes an AutomationCondition, not 'eager'" in problem.message


def test_conditions_are_equal_if_they_are_made_alike() -> None:
    made = Condition.missing() & ~Condition.in_progress()
    assert made == (Condition.missing() & ~Condition.in_progress()).with_label("other")
    assert hash(made) == hash(made.with_label("other"))
    assert made != Condition.missing() | ~Condition.in_progress()
    assert Condition.on_cron("@daily") != Condition.on_cron("@hourly")
    assert Condition.in_latest_time_window(timedelta(days=1)) != Condition.in_latest_time_window()
    assert (made & Condition.missing().newly_true()).operands == (
        *made.operands, Condition.newly_missing(),
    )  # fmt: skip
    assert str(Condition.eager()) == "eager"
    assert str(made) == "(missing() & ~in_progress())"


def test_without_takes_a_part_away() -> None:
    eager = Condition.eager()
    smaller = eager.without(Condition.in_latest_time_window())
    assert smaller.operands == eager.operands[1:]
    assert smaller.label is None
    one = Condition.missing() & Condition.in_progress()
    assert one.without(Condition.missing()) == Condition.in_progress()
    for condition in (eager, Condition.missing(), smaller):
        with pytest.raises(dg.DagsterInvalidDefinitionError, match="is not a part of"):
            condition.without(Condition.execution_failed())


def test_replace_finds_a_part_by_its_label_and_by_what_it_is() -> None:
    new = Condition.execution_failed()
    by_label = Condition.eager().replace("any_deps_missing", new)
    by_part = Condition.eager().replace(Condition.any_deps_missing(), new)
    assert by_label == by_part != Condition.eager()
    assert ~new in by_label.operands
    assert Condition.eager().replace("nothing", new) == Condition.eager()
    deep = Condition.eager().replace("handled", new)
    assert deep.operands[1].operands[1] == new


def test_allow_and_ignore_reach_the_conditions_on_upstreams() -> None:
    a, b = dg.AssetSelection.assets("a"), dg.AssetSelection.assets("b")
    updated = Condition.any_deps_updated().allow(a).allow(b)
    assert updated.arguments[0] == a & b
    assert Condition.any_deps_updated().ignore(a).ignore(b).arguments[1] == a | b
    inner = Condition.eager().ignore(a)
    assert inner != Condition.eager()
    assert inner.operands[1].operands[0].operands[1] == Condition.any_deps_updated().ignore(a)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Condition.on_cron("0 5 * *"),
        lambda: Condition.on_cron("0 0 31 2 *"),
        lambda: Condition.on_cron("@daily", "Nowhere"),
        lambda: Condition.cron_tick_passed(["@daily"]),  # type: ignore[arg-type]
        lambda: Condition.in_latest_time_window(5),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_condition_is_an_error_when_it_is_made(wrong: Any) -> None:
    with pytest.raises(dg.DagsterInvalidDefinitionError):
        wrong()
    with pytest.raises(TypeError, match="is not an AutomationCondition"):
        Condition.missing() & 5  # type: ignore[operator]
