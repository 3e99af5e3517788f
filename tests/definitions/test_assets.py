"""`@asset`: the asset that it creates from a function and options, and its registry."""

from __future__ import annotations

import functools
import inspect
import sys
import textwrap
import types
from typing import TYPE_CHECKING

import pytest
from small_assets import asset_named, graph_of

from assetgraph import (
    Asset,
    AssetExecutionContext,
    AssetIn,
    AssetKey,
    Config,
    Definitions,
    IOManager,
    MetadataValue,
    Registry,
    asset,
    load_assets_from_modules,
    materialize,
)
from assetgraph.definitions.registry import default_registry
from assetgraph.errors import DefinitionsError

if TYPE_CHECKING:
    from decimal import Decimal


class Month(Config):
    month: str = "2023-03"


def test_a_bare_asset_is_named_and_described_by_its_function() -> None:
    @asset
    def taxi_trips_file() -> None:
        """
        The raw parquet files.

          With more.
        """

    assert taxi_trips_file.key == AssetKey("taxi_trips_file")
    assert taxi_trips_file.description == "The raw parquet files.\n\n  With more."
    assert taxi_trips_file.group_name == "default"
    assert taxi_trips_file.returns is None
    assert (taxi_trips_file.deps, taxi_trips_file.ins, taxi_trips_file.code_version) == (
        (),
        {},
        None,
    )


def test_every_option_is_kept() -> None:
    @asset(
        name="stats",
        key_prefix=["manhattan", "daily"],
        deps=["zones", AssetKey("a/b"), ["c", "d"]],
        ins={"trips": AssetIn(key_prefix="raw"), "fares": "x/y"},
        group_name="metrics",
        description="How much.",
        tags={"size": "big", "year": 2023},  # type: ignore[dict-item]
        owners=["team:data", "a@b.org"],
        kinds={"parquet"},
        metadata={"rows": 5, "home": MetadataValue.url("https://x.org")},
        code_version="7",
    )
    def anything(trips, fares):
        """Not this."""

    assert anything.key == AssetKey("manhattan/daily/stats")
    assert [dep.text for dep in anything.deps] == ["zones", "a/b", "c/d"]
    assert {name: key.text for name, key in anything.ins.items()} == {
        "trips": "raw/trips",
        "fares": "x/y",
    }
    assert anything.group_name == "metrics"
    assert anything.description == "How much."
    assert anything.tags == {"size": "big", "year": "2023"}
    assert anything.owners == ("team:data", "a@b.org")
    assert anything.kinds == {"parquet"}
    assert anything.metadata == {"rows": 5, "home": {"type": "url", "value": "https://x.org"}}
    assert anything.code_version == "7"


@pytest.mark.parametrize("key", ["a/b", ["a", "b"], AssetKey("a/b")])
def test_a_key_takes_the_place_of_name_and_prefix(key: object) -> None:
    assert asset(key=key)(lambda: 1).key == AssetKey("a/b")  # type: ignore[call-overload]
    both = asset(key=key, name="c")(lambda: 1)  # type: ignore[call-overload]
    assert "key= replaces name= and key_prefix=" in only_problem(both)


def test_a_prefix_may_be_text_with_slashes() -> None:
    assert asset(name="c", key_prefix="a/b")(lambda: 1).key == AssetKey("a/b/c")


def test_an_asset_can_be_called_as_the_plain_function() -> None:
    @asset
    def cookie_dough(dry_ingredients, wet_ingredients):
        """Flour first."""
        return dry_ingredients + wet_ingredients

    assert cookie_dough("flour, ", "milk") == "flour, milk"
    assert cookie_dough(wet_ingredients=1, dry_ingredients=2) == 3
    assert cookie_dough.__name__ == "cookie_dough"
    assert cookie_dough.__doc__ == "Flour first."
    assert list(inspect.signature(cookie_dough).parameters) == [
        "dry_ingredients",
        "wet_ingredients",
    ]
    assert Asset.__doc__
    assert Asset.__doc__.startswith("A function that materializes")


@pytest.mark.parametrize("option", ["resource_defs", "x"])
def test_an_option_that_is_not_there_is_refused(option: str) -> None:
    with pytest.raises(TypeError, match=option):
        asset(**{option: None})  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"deps": "raw"}, "deps= takes a list, not 'raw'. Write deps=['raw']."),
        ({"deps": [5]}, "5 is not an asset, an asset key or the text of a key. Correct deps=."),
        ({"owners": "team:data"}, "owners= takes a list, not 'team:data'."),
        ({"owners": [5]}, "owners= takes strings, not 5. Write '5'."),
        ({"kinds": "csv"}, "kinds= takes a list, not 'csv'. Write kinds=['csv']."),
        ({"kinds": 5}, "kinds= takes a list, not 5."),
        ({"compute_kind": 5}, "compute_kind= takes text, not 5."),
        ({"tags": ["a"]}, "tags= takes a dictionary, not ['a']. Write tags={…: …}."),
        ({"op_tags": "gpu"}, "op_tags= takes a dictionary, not 'gpu'."),
        ({"key": 5}, "5 is not an asset, an asset key or the text of a key. Correct key=."),
        (
            {"key_prefix": 5},
            "5 is not an asset, an asset key or the text of a key. Correct key_prefix=.",
        ),
        ({"name": 5}, "name= takes text, not 5. Write name='5'."),
        ({"ins": {"a": 5}}, "5 is not an asset, an asset key or the text of a key. Correct ins=."),
        ({"group_name": 5}, "group_name= takes text, not 5."),
        ({"description": 5}, "description= takes text, not 5."),
        ({"code_version": 2}, "code_version= takes text, not 2. Write code_version='2'."),
        ({"pool": 1}, "pool= takes text, not 1."),
        ({"metadata": {"rows": object}}, "'rows' is a type, which cannot be recorded. Pass text,"),
        ({"io_manager": IOManager}, "not the class IOManager. Write io_manager=IOManager()."),
        ({"io_manager": "s3"}, "takes an IO manager, not 's3'. Pass an object with the methods"),
        ({"retry_policy": 3}, "retry_policy= takes a RetryPolicy, not 3."),
        (
            {"timeout": 0},
            "timeout= must be a positive number of seconds, not 0. Pass at most 2592000 s, which is 30 days.",
        ),
        ({"timeout": float("inf")}, "timeout= must be a positive number of seconds, not inf."),
        ({"timeout": float("nan")}, "timeout= must be a positive number of seconds, not nan."),
        ({"timeout": True}, "timeout= must be a positive number of seconds, not True."),
        ({"timeout": "10"}, "timeout= must be a positive number of seconds, not '10'."),
    ],
)
def test_an_option_of_the_wrong_type_is_reported_with_every_other_problem(
    options: dict[str, object], message: str
) -> None:
    def made() -> int:
        return 1

    told = only_problem(asset(**options)(made))  # type: ignore[call-overload]
    assert f"test_assets.py:{made.__code__.co_firstlineno}: asset 'made': " in told
    assert message in told


def only_problem(made: Asset) -> str:
    """The single problem of an asset, found without running it."""
    with pytest.raises(DefinitionsError) as raised:
        materialize([made])
    (problem,) = raised.value.problems
    return str(problem)


def test_only_a_function_is_decorated_and_only_once() -> None:
    with pytest.raises(TypeError, match="decorates a function, not the class Trips"):
        asset(type("Trips", (), {}))
    with pytest.raises(TypeError, match="decorates a function, not an int: 5"):
        asset(5)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="is already an asset"):
        asset(asset_named("a"))


def test_a_method_and_a_callable_object_can_be_assets() -> None:
    class Maker:
        def __call__(self, trips: int) -> int:
            return trips + 1

        def method(self, trips: int) -> int:
            """More."""
            return trips + 2

    trips = asset(name="trips")(lambda: 5)
    called, method = asset(name="called")(Maker()), asset(Maker().method)
    result = materialize([trips, called, method])
    assert (result.value("called"), result.value("method")) == (6, 7)
    assert method.description == "More."
    assert called.file == method.file == __file__


def test_a_callable_object_without_a_name_asks_for_one() -> None:
    class Maker:
        def __call__(self) -> int:
            return 1

    told = only_problem(asset(Maker()))
    assert "asset 'Maker': a Maker has no name to use as the asset's name." in told
    assert "Give it one with name=." in told
    named = Maker()
    named.__name__ = "trips"  # type: ignore[attr-defined]
    assert asset(named).key == AssetKey("trips")


def test_a_builtin_without_a_signature_is_refused() -> None:
    with pytest.raises(TypeError, match=r"parameters of .* cannot be read"):
        asset(name="largest")(max)


def test_an_asset_does_not_change() -> None:
    with pytest.raises(AttributeError):
        asset_named("a").group_name = "other"  # type: ignore[misc]


def test_context_and_config_are_not_upstreams() -> None:
    @asset
    def by_annotation(where: AssetExecutionContext, which: Month, trips) -> None: ...

    @asset
    def by_name(context, trips) -> None: ...

    assert by_annotation.context_parameter == "where"
    assert by_annotation.config_type is Month
    assert by_name.context_parameter == "context"
    assert [p.name for p in by_annotation.inputs] == ["trips"]
    assert [p.name for p in by_name.inputs] == ["trips"]


def test_a_parameter_with_a_default_is_an_upstream_only_when_named() -> None:
    def function(trips, limit=5, zones=None, fares=None): ...

    plain = asset(name="plain")(function)
    by_ins = asset(name="by_ins", ins={"zones": "x/zones"})(function)
    by_deps = asset(name="by_deps", deps=["y/fares"])(function)
    assert [p.name for p in plain.inputs] == ["trips"]
    assert [p.name for p in by_ins.inputs] == ["trips", "zones"]
    assert [p.name for p in by_deps.inputs] == ["trips", "fares"]


def test_a_keyword_only_parameter_is_an_upstream() -> None:
    @asset
    def fares(*, trips, limit=3): ...

    assert [p.name for p in fares.inputs] == ["trips"]


def test_an_annotation_that_cannot_be_resolved_stays_text() -> None:
    @asset
    def fares(trips: list[Decimal], zones: int) -> Decimal: ...

    trips, zones = fares.inputs
    assert (trips.annotation, zones.annotation) == ("list[Decimal]", int)
    assert fares.returns == "Decimal"


def test_wrapped_and_partial_functions_are_found_by_their_own_line() -> None:
    def plain(trips, limit):
        """Fares."""

    @functools.wraps(plain)
    def wrapped(*args, **kwargs):
        return plain(*args, **kwargs)

    for made in (asset(wrapped), asset(functools.partial(plain, limit=3))):
        assert made.key == AssetKey("plain")
        assert made.description == "Fares."
        assert made.line == plain.__code__.co_firstlineno
        assert made.file == __file__
        assert [p.name for p in made.inputs][:1] == ["trips"]


def test_an_asset_says_where_it_was_defined() -> None:
    made = asset_named("a")
    assert made.place == "<string>:1"
    assert repr(made) == "<Asset a at <string>:1>"


def test_assets_go_to_the_current_registry_only(registry: Registry) -> None:
    before = len(default_registry)
    outer = asset_named("outer")
    with Registry() as inner:
        inside = asset_named("inside")
    after = asset_named("after")
    assert list(inner) == [inside]
    assert list(registry) == [outer, after]
    assert len(default_registry) == before
    assert [a.key.text for a in Definitions(inner).assets] == ["inside"]


def test_an_exception_leaves_the_registry_it_was_raised_in(registry: Registry) -> None:
    with pytest.raises(ValueError, match="no"), Registry():
        raise ValueError("no")
    made = asset_named("a")
    assert list(registry) == [made]


def module_of(name: str, text: str, file: str = "/project/cell.py") -> types.ModuleType:
    module = types.ModuleType(name)
    exec(compile(textwrap.dedent(text), file, "exec"), vars(module))
    return module


ONE = "from assetgraph import asset\n@asset\ndef trips():\n    return {}\n"


def test_the_same_line_defined_again_takes_the_place_of_what_was_there(registry: Registry) -> None:
    module_of("pipeline", ONE.format(1))
    module_of("pipeline", ONE.format(2))
    (only,) = registry
    assert only() == 2
    assert graph_of(*registry).validate() == ()


def test_the_same_key_on_another_line_is_kept_to_be_reported(registry: Registry) -> None:
    module_of("pipeline", ONE.format(1))
    module_of("pipeline", "\n\n" + ONE.format(2))
    module_of("other", ONE.format(3))
    assert len(registry) == 3


def test_a_notebook_may_define_an_asset_again_in_another_cell(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    module_of("__main__", ONE.format(1), "<cell 1>")
    module_of("__main__", ONE.format(2), "<cell 2>")
    (only,) = registry
    assert only() == 2


def test_assets_are_loaded_from_modules_by_name_in_lists_and_by_registration() -> None:
    module = module_of(
        "pipeline",
        """
        from assetgraph import asset
        def make(name):
            return asset(name=name)(lambda: name)
        named = make("named")
        several = [make("one"), make("two")]
        make("unnamed")
        also = named
        """,
    )
    loaded = load_assets_from_modules([module])
    assert sorted(a.key.text for a in loaded) == ["named", "one", "two", "unnamed"]


def test_loading_gives_a_group_and_a_prefix_to_what_is_loaded_together() -> None:
    module = module_of(
        "pipeline",
        """
        from assetgraph import asset
        @asset
        def raw(): ...
        @asset(group_name="own", deps=["outside", raw], ins={"x": "raw"})
        def fares(x): ...
        """,
    )
    outside = asset_named("outside")
    loaded = load_assets_from_modules([module], group_name="taxi", key_prefix="nyc")
    by_key = {a.key.text: a for a in loaded}
    assert by_key.keys() == {"nyc/raw", "nyc/fares"}
    assert (by_key["nyc/raw"].group_name, by_key["nyc/fares"].group_name) == ("taxi", "own")
    assert by_key["nyc/fares"].ins == {"x": AssetKey("nyc/raw")}
    graph = graph_of(outside, *loaded)
    assert graph.validate() == ()
    assert [k.text for k in graph.parents(AssetKey("nyc/fares"))] == ["nyc/raw", "outside"]


def test_definitions_take_assets_lists_and_registries_once_each(registry: Registry) -> None:
    a, b = asset_named("a"), asset_named("b", "a")
    assert Definitions([a, [b, a], registry]).assets == (a, b)
    assert Definitions.merge(Definitions([a]), Definitions([b, a])).assets == (a, b)
    assert [k.text for k in Definitions([b, a]).graph.order] == ["a", "b"]
    with pytest.raises(TypeError, match="is not an asset: decorate the function with @asset"):
        Definitions([len])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="'a' is not an asset"):
        Definitions(["a"])  # type: ignore[list-item]


def test_every_option_has_a_reader() -> None:
    from assetgraph.definitions import decorator

    read = {*decorator._SPEC_OPTIONS, *decorator.COMPUTATION_OPTIONS}
    assert read | {"name", "key", "key_prefix", "compute_kind", "check_specs"} == set(
        decorator.AssetOptions.__annotations__
    )


def test_a_compute_kind_is_one_more_kind() -> None:
    @asset(kinds={"csv"}, compute_kind="Python")
    def trips() -> None: ...

    assert trips.kinds == {"csv", "Python"}
