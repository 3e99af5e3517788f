"""What conditions ask for, evaluation by evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import assetgraph as dg
from assetgraph import AutomationCondition as Condition

START = datetime(2021, 5, 5, 0, 30, tzinfo=UTC)


class Ticks:
    """Evaluations of the conditions of some assets, an hour after each other unless told."""

    def __init__(self, *assets: dg.Asset, at: datetime = START) -> None:
        self.assets = list(assets)
        self.instance = dg.Instance.ephemeral()
        self.at = at
        self.cursor: Any = None

    def make(self, name: str, partition: str | None = None) -> None:
        made = next(one for one in self.assets if one.key.text == name)
        dg.materialize(
            [made], instance=self.instance, partition_key=partition, raise_on_error=False
        )

    def __call__(self, after: timedelta = timedelta(hours=1)) -> set[str]:
        self.at += after
        result = dg.evaluate_automation_conditions(
            self.assets, self.instance, cursor=self.cursor, evaluation_time=self.at
        )
        self.cursor = result.cursor
        found = {target.text for target in result.requested}
        assert result.total_requested == len(found)
        for one in self.assets:
            assert result.get_num_requested(one.key) == len(
                result.get_requested_partitions(one.key)
            )
        return found


def asset(
    name: str,
    *deps: str,
    condition: dg.AutomationCondition | None = None,
    partitions_def: dg.PartitionsDefinition | None = None,
) -> dg.Asset:
    def one() -> None: ...

    return dg.asset(
        name=name, deps=deps, automation_condition=condition, partitions_def=partitions_def
    )(one)


def played(ticks: Ticks, steps: Iterable[str]) -> list[set[str]]:
    found = []
    for step in steps:
        if step == "tick":
            found.append(ticks())
        else:
            name, _, partition = step.partition("@")
            ticks.make(name, partition or None)
    return found


NONE: set[str] = set()
EAGER = Condition.eager()


def test_eager_asks_once_for_each_update_of_an_upstream() -> None:
    ticks = Ticks(asset("up"), asset("down", "up", condition=EAGER))
    steps = ["tick", "up", "tick", "tick", "down", "tick", "up", "tick"]
    assert played(ticks, steps) == [NONE, {"down"}, NONE, NONE, {"down"}]


def test_eager_does_not_ask_for_what_was_made_with_its_upstream() -> None:
    ticks = Ticks(asset("up"), asset("down", "up", condition=EAGER))
    assert played(ticks, ["tick", "up", "down", "tick", "tick"]) == [NONE, NONE, NONE]


def test_eager_waits_for_missing_upstreams_and_asks_nothing_at_first() -> None:
    ticks = Ticks(
        asset("root", condition=EAGER), asset("a"), asset("b"),
        asset("down", "a", "b", condition=EAGER),
    )  # fmt: skip
    steps = ["tick", "tick", "a", "tick", "tick", "b", "tick", "tick"]
    assert played(ticks, steps) == [NONE, NONE, NONE, NONE, {"down"}, NONE]


def test_eager_asks_for_a_chain_at_once() -> None:
    ticks = Ticks(
        asset("up"),
        asset("middle", "up", condition=EAGER),
        asset("down", "middle", condition=EAGER),
    )
    ticks.make("middle")
    assert played(ticks, ["tick", "up", "tick", "tick"]) == [NONE, {"middle", "down"}, NONE]


def test_a_condition_that_changed_begins_anew() -> None:
    up = asset("up")
    ticks = Ticks(up, asset("down", "up", condition=EAGER))
    played(ticks, ["up", "tick"])
    ticks.assets = [up, asset("down", "up", condition=Condition.on_missing())]
    assert played(ticks, ["up", "tick", "tick"]) == [NONE, NONE]


DAYS = dg.DailyPartitionsDefinition("2021-05-01")


def test_eager_takes_only_the_newest_of_partitions_in_time() -> None:
    ticks = Ticks(
        asset("up", partitions_def=DAYS), asset("down", "up", condition=EAGER, partitions_def=DAYS)
    )
    steps = ["tick", "up@2021-05-02", "tick", "up@2021-05-04", "tick", "tick"]
    assert played(ticks, steps) == [NONE, NONE, {"down@2021-05-04"}, NONE]
    all_days = EAGER.without(Condition.in_latest_time_window())
    ticks = Ticks(
        asset("up", partitions_def=DAYS),
        asset("down", "up", condition=all_days, partitions_def=DAYS),
    )
    assert played(ticks, ["tick", "up@2021-05-02", "tick"]) == [NONE, {"down@2021-05-02"}]


def test_a_partition_that_comes_into_being_is_asked_for_with_its_child() -> None:
    ticks = Ticks(
        asset("root", condition=EAGER, partitions_def=DAYS),
        asset("child", "root", condition=EAGER, partitions_def=DAYS),
    )
    assert ticks() == NONE
    assert ticks(timedelta(days=1)) == {"root@2021-05-05", "child@2021-05-05"}
    assert ticks() == NONE


def test_static_partitions_follow_their_own_upstream() -> None:
    colors = dg.StaticPartitionsDefinition(["red", "blue"])
    ticks = Ticks(
        asset("up", partitions_def=colors),
        asset("down", "up", condition=EAGER, partitions_def=colors),
    )
    steps = ["tick", "up@red", "tick", "up@blue", "up@red", "tick", "tick"]
    assert played(ticks, steps) == [NONE, {"down@red"}, {"down@red", "down@blue"}, NONE]


def test_on_cron_asks_once_a_moment_when_all_upstreams_are_updated_since() -> None:
    daily = Condition.on_cron("0 0 * * *")
    ticks = Ticks(asset("a"), asset("b"), asset("down", "a", "b", condition=daily))
    played(ticks, ["tick", "a", "b", "tick"])
    assert ticks(timedelta(days=1)) == NONE  # what came before the moment does not count
    steps = ["a", "tick", "b", "tick", "tick", "a", "b", "tick"]
    assert played(ticks, steps) == [NONE, {"down"}, NONE, NONE]


def test_on_cron_without_upstreams_asks_at_the_moment() -> None:
    ticks = Ticks(
        asset("root", condition=Condition.on_cron("@daily")),
        asset("days", condition=Condition.on_cron("@daily"), partitions_def=DAYS),
    )
    assert [ticks(), ticks(), ticks(timedelta(days=1)), ticks()] == [
        NONE, NONE, {"root", "days@2021-05-05"}, NONE,
    ]  # fmt: skip


def test_parts_of_conditions() -> None:
    failed = Condition.execution_failed().newly_true()

    def breaks() -> None:
        raise ValueError

    broken = dg.asset(name="broken", automation_condition=failed)(breaks)
    ticks = Ticks(broken)
    assert played(ticks, ["tick", "broken", "tick", "tick"]) == [NONE, {"broken"}, NONE]

    window = Condition.in_latest_time_window(timedelta(days=2)) & Condition.missing()
    ticks = Ticks(asset("days", condition=window, partitions_def=DAYS))
    assert ticks() == {"days@2021-05-03", "days@2021-05-04"}

    some = Condition.any_deps_updated()
    up, other = asset("up"), asset("other")
    ticks = Ticks(
        up, other,
        asset("allows", "up", "other", condition=some.allow(dg.AssetSelection.assets("up"))),
        asset("ignores", "up", "other", condition=some.ignore(dg.AssetSelection.assets("up"))),
        asset("since", condition=Condition.cron_tick_passed("@daily").since(Condition.missing())),
    )  # fmt: skip
    assert played(ticks, ["tick", "up", "tick", "other", "tick"]) == [
        NONE, {"allows"}, {"ignores"},
    ]  # fmt: skip


def test_a_selection_says_which_conditions_count() -> None:
    assets = [asset("a", condition=Condition.missing()), asset("b", condition=Condition.missing())]
    result = dg.evaluate_automation_conditions(
        dg.Definitions(assets),
        dg.Instance.ephemeral(),
        asset_selection=dg.AssetSelection.assets("a"),
    )
    assert result.get_num_requested("a") == result.total_requested == 1
    assert result.get_requested_partitions(dg.AssetKey("a")) == {None}


@pytest.mark.parametrize("is_changed", [True, False])
def test_code_that_changed_is_noticed(is_changed: bool) -> None:
    def versioned(version: str) -> dg.Asset:
        return dg.asset(
            name="a", code_version=version, automation_condition=Condition.code_version_changed()
        )(lambda: None)

    ticks = Ticks(versioned("1"))
    assert ticks() == NONE
    ticks.assets = [versioned("2" if is_changed else "1")]
    assert ticks() == ({"a"} if is_changed else NONE)
