"""What `@multi_asset` declares: its assets, their keys and their options, and what is wrong."""

from __future__ import annotations

import re
import types
from typing import Any

import pytest

import assetgraph as dg


def problems_of(*assets: Any) -> list[str]:
    return [str(problem) for problem in dg.AssetGraph(assets).validate()]


def test_outs_have_keys_by_their_names_and_prefixes() -> None:
    @dg.multi_asset(
        outs={
            "one": dg.AssetOut(),
            "two": dg.AssetOut(key_prefix="p", group_name="g", tags={"a": "b"}),
            "three": dg.AssetOut(key=["q", "r"], is_required=False),
        },
        group_name="rest",
    )
    def several() -> Any: ...

    assert [spec.key.text for spec in several.specs] == ["one", "p/two", "q/r"]
    assert [spec.group_name for spec in several.specs] == ["rest", "g", "rest"]
    assert [spec.skippable for spec in several.specs] == [False, False, True]
    assert several.specs[1].tags == {"a": "b"}
    assert several.keys == {dg.AssetKey("one"), dg.AssetKey("p/two"), dg.AssetKey("q/r")}


def test_what_is_said_of_the_call_holds_for_all_of_its_assets() -> None:
    @dg.asset
    def base() -> None: ...

    days = dg.StaticPartitionsDefinition(["1", "2"])

    @dg.multi_asset(
        specs=[dg.AssetSpec("a", deps=[base]), dg.AssetSpec("b")],
        deps=["other"],
        partitions_def=days,
        retry_policy=dg.RetryPolicy(max_retries=1),
        timeout=5,
        pool="p",
        code_version="1",
    )
    def both() -> None: ...

    a, b = both.specs
    assert a.deps == (base.key, dg.AssetKey("other"))
    assert b.deps == (dg.AssetKey("other"),)
    assert a.partitions_def == b.partitions_def == days
    assert (both.timeout, both.pool, both.code_version) == (5, "p", "1")


def test_deps_may_name_a_function_of_several_assets() -> None:
    @dg.multi_asset(specs=[dg.AssetSpec("a"), dg.AssetSpec("b")])
    def both() -> None: ...

    @dg.asset(deps=[both])
    def after() -> None: ...

    assert [key.text for key in dg.AssetGraph([both, after]).parents(after.key)] == ["a", "b"]
    with pytest.raises(dg.AssetGraphError, match="'both' materializes 2 assets: a and b"):
        _ = both.key


def test_a_list_of_specs_in_a_module_is_not_external_too() -> None:
    module = types.ModuleType("of_specs")
    specs = [dg.AssetSpec("a"), dg.AssetSpec("b")]
    with dg.Registry():
        vars(module).update(
            specs=[*specs, dg.AssetSpec("elsewhere")],
            both=dg.multi_asset(specs=specs)(lambda: None),
        )
        assets = dg.load_assets_from_modules([module], key_prefix="p", group_name="g")
    graph = dg.AssetGraph(assets)
    assert not graph.validate()
    assert [key.text for key in graph.order] == ["p/a", "p/b", "p/elsewhere"]
    assert [key.text for key in graph.externals] == ["p/elsewhere"]
    assert {spec.group_name for spec in graph.assets.values()} == {"g"}
    result = dg.materialize(assets)
    assert result.materialization("p/a") is not None


def test_the_plain_function_can_be_called() -> None:
    @dg.multi_asset(specs=[dg.AssetSpec("a"), dg.AssetSpec("b")])
    def both(numbers: list[int]) -> Any:
        yield dg.Output(numbers[0], "a")

    assert [one.value for one in both([7])] == [7]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "'made' names no asset"),
        ({"specs": []}, "'made' names no asset"),
        ({"outs": {}}, "'made' names no asset"),
        ({"specs": ["a", "b"]}, "'made': specs= takes AssetSpecs, not 'a'. Write AssetSpec('a')."),
        ({"spec": []}, "@multi_asset has no option 'spec'. Did you mean 'specs'?"),
    ],
)
def test_a_function_of_no_asset_is_refused(options: dict[str, Any], message: str) -> None:
    def made() -> None: ...

    with pytest.raises(TypeError, match=re.escape(message)):
        dg.multi_asset(**options)(made)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"specs": [dg.AssetSpec("a"), dg.AssetSpec("a")]}, "two of its assets are called 'a'"),
        ({"specs": [dg.AssetSpec("a"), "b"]}, "specs= takes AssetSpecs, not 'b'"),
        ({"outs": {"a": dg.AssetOut(), "b": int}}, "outs= takes AssetOuts, not <class 'int'>"),
        (
            {"specs": [dg.AssetSpec("a")], "outs": {"b": dg.AssetOut()}},
            "specs= and outs= both name the assets",
        ),
        ({"specs": [dg.AssetSpec("a")], "can_subset": 1}, "can_subset= takes True or False"),
        ({"specs": [dg.AssetSpec("a", deps=5)]}, "deps= takes a list, not 5"),
    ],
)
def test_wrong_options_are_reported_with_their_place(options: dict[str, Any], message: str) -> None:
    made = dg.multi_asset(name="made", **options)(lambda: None)
    (problem,) = dg.AssetGraph([made]).validate()
    assert message in problem.message
    assert problem.message.startswith("asset 'made': ")
    assert problem.file == __file__


def test_specs_of_other_partitions_than_their_call_are_a_problem() -> None:
    made = dg.multi_asset(
        specs=[dg.AssetSpec("a", partitions_def=dg.StaticPartitionsDefinition(["1"]))],
        partitions_def=dg.StaticPartitionsDefinition(["2"]),
    )(lambda: None)
    assert "a has other partitions than its function" in problems_of(made)[0]
    made = dg.multi_asset(
        specs=[
            dg.AssetSpec("a", partitions_def=dg.StaticPartitionsDefinition(["1"])),
            dg.AssetSpec("b"),
        ],
        name="made",
    )(lambda: None)
    assert "have different partitions" in problems_of(made)[0]
