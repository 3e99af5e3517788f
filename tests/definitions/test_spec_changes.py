"""Specs that are made from others, and assets with other specs than they were declared with."""

from __future__ import annotations

from typing import Any

import pytest

import assetgraph as dg


def test_a_spec_has_a_key_whatever_it_was_made_with() -> None:
    for given in ("p/a", ["p", "a"], ("p", "a"), dg.AssetKey("p/a")):
        assert dg.AssetSpec(given).key is dg.AssetKey("p/a")  # type: ignore[arg-type]


def test_attributes_are_replaced_and_merged() -> None:
    spec = dg.AssetSpec("a", deps=["x"], tags={"a": "1"}, owners=["team:t"], kinds={"csv"})  # type: ignore[arg-type]
    other = spec.replace_attributes(key="b", group_name="g", deps=[dg.AssetKey("y")])
    assert (other.key, other.group_name, other.tags) == (dg.AssetKey("b"), "g", {"a": "1"})
    more = spec.merge_attributes(
        deps=["y"], tags={"b": "2"}, owners=["team:u"], kinds={"sql"}, metadata={"m": 1}
    )
    assert (more.deps, more.tags) == (("x", "y"), {"a": "1", "b": "2"})
    assert (more.owners, more.kinds, more.metadata) == (
        ("team:t", "team:u"),
        {"csv", "sql"},
        {"m": 1},
    )
    assert (spec.deps, spec.tags, spec.group_name) == (["x"], {"a": "1"}, "default")


def assets() -> list[dg.Asset]:
    @dg.asset(deps=["base"], metadata={"link": dg.MetadataValue.url("https://x.y")})
    def one() -> int:
        return 1

    @dg.multi_asset(specs=[dg.AssetSpec("evens"), dg.AssetSpec("odds", skippable=True)])
    def split(one: int) -> tuple[int, int]:
        return one, one

    return [one, split]


def test_assets_get_the_specs_that_a_function_makes() -> None:
    def changed(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.merge_attributes(
            deps=["more"], tags={"team": "taxi"}, metadata={"day": 1}
        ).replace_attributes(key=spec.key.with_prefix("p"))

    one, split = dg.map_asset_specs(changed, assets())
    assert one.key == dg.AssetKey("p/one")
    assert one.deps == (dg.AssetKey("base"), dg.AssetKey("more"))
    assert one.metadata == {"link": {"type": "url", "value": "https://x.y"}, "day": 1}
    assert [spec.skippable for spec in split.specs] == [False, True]
    more = [dg.AssetSpec(name) for name in ("base", "more")]
    graph = dg.Definitions([one, split, *more]).graph
    assert not graph.validate()
    assert all(
        graph.assets[key].tags == {"team": "taxi"} for key in set(graph.order) - graph.externals
    )
    result = dg.materialize([one, split, *more])
    assert result.value("p/odds") == 1
    assert dg.map_asset_specs(changed, [dg.AssetSpec("x")])[0].key == dg.AssetKey("p/x")


def test_definitions_change_the_selected_specs() -> None:
    defs = dg.Definitions([*assets(), dg.AssetSpec("base")])
    grouped = defs.map_asset_specs(
        func=lambda spec: spec.replace_attributes(group_name="g"), selection="evens or base"
    )
    groups = {key.text: spec.group_name for key, spec in grouped.graph.assets.items()}
    assert groups == {"base": "g", "evens": "g", "odds": "default", "one": "default"}
    assert {spec.group_name for spec in defs.graph.assets.values()} == {"default"}


def test_what_is_wrong_in_a_changed_spec_is_reported() -> None:
    one, _ = assets()
    wrong = one.map_asset_specs(lambda spec: spec.replace_attributes(tags=5))
    problems = map(str, dg.AssetGraph([wrong]).validate())
    assert any("tags= takes a dictionary, not 5" in problem for problem in problems)
    with pytest.raises(TypeError, match="returned None for one: it must return an AssetSpec"):
        one.map_asset_specs(lambda _spec: None)  # type: ignore[arg-type,return-value]


def test_functions_of_several_assets_that_a_loop_makes_do_not_replace_each_other() -> None:
    def make(number: int, **options: Any) -> None:
        @dg.multi_asset(specs=[dg.AssetSpec(f"a{number}"), dg.AssetSpec(f"b{number}")], **options)
        def both() -> None: ...

    with dg.Registry() as registry:
        for number in (1, 1, 2):
            make(number, name=f"both{number}")
        assert len(registry) == 2
        make(3, name="both1")
    problems = [problem.message for problem in dg.AssetGraph(registry).validate()]
    assert problems
    assert all("two computations are called 'both1'" in message for message in problems)


def test_a_teams_own_decorator_makes_assets() -> None:
    def team_asset(**options: Any) -> Any:
        return lambda function: dg.asset(group_name="team", **options)(function)

    @team_asset(tags={"a": "b"})
    def trips() -> int:
        return 1

    assert isinstance(trips, dg.AssetsDefinition)
    assert (trips.group_name, trips.tags) == ("team", {"a": "b"})
    assert dg.materialize([trips]).value("trips") == 1
