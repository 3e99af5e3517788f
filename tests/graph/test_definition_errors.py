"""Problems of definitions: all are reported at once, each with its place and a remedy."""

from __future__ import annotations

import random
import textwrap
import types
from pathlib import Path

import pytest
from small_assets import asset_named, graph_of

from assetgraph import (
    AssetExecutionContext,
    AssetIn,
    AssetKey,
    Config,
    Registry,
    asset,
    materialize,
)
from assetgraph.errors import DefinitionsError, Problem


class Month(Config):
    month: str = "2023-03"


class Limit(Config):
    limit: int = 1


def defined(text: str, file: str = "pipeline.py") -> Registry:
    """The assets that `text` defines, as if it were a file."""
    module = types.ModuleType(Path(file).stem)
    with Registry() as registry:
        exec(
            compile("from assetgraph import *\n" + textwrap.dedent(text), file, "exec"),
            vars(module),
        )
    return registry


def problems(*assets: object) -> list[str]:
    return [str(problem) for problem in graph_of(*assets).validate()]  # type: ignore[arg-type]


def test_an_upstream_that_nothing_defines_is_named_with_a_guess() -> None:
    registry = defined(
        """
        @asset
        def raw_trips(): ...
        @asset
        def fares(raw_tripss): ...
        @asset
        def report(): ...
        @asset(deps=["raw_trip"])
        def later(): ...
        @asset(ins={"x": "raw/trips"})
        def renamed(x): ...
        @asset
        def odd(qqq): ...
        @asset(deps=["zzz"])
        def odder(): ...
        """
    )
    assert problems(*registry) == [
        "pipeline.py:5: asset 'fares' needs 'raw_tripss' (a parameter), which nothing defines. "
        "Did you mean 'raw_trips'?",
        "pipeline.py:9: asset 'later' needs 'raw_trip' (deps=), which nothing defines. "
        "Did you mean 'raw_trips'?",
        "pipeline.py:11: asset 'renamed' needs 'raw/trips' (ins=), which nothing defines. "
        "Did you mean 'raw_trips'?",
        "pipeline.py:13: asset 'odd' needs 'qqq' (a parameter), which nothing defines. "
        "Define it with @asset, or give the parameter a default if it is not an asset.",
        "pipeline.py:15: asset 'odder' needs 'zzz' (deps=), which nothing defines. "
        'Define it with @asset, or, if something else makes it, with AssetSpec("zzz").',
    ]


def test_a_guess_is_never_the_asset_itself() -> None:
    (problem,) = problems(asset_named("trips_a", "trips_b"))
    assert "Did you mean" not in problem
    (problem,) = problems(asset_named("trips_a", "trips_b"), asset_named("trips_c"))
    assert "Did you mean 'trips_c'?" in problem


def test_the_guess_for_a_name_that_many_assets_miss_is_made_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    monkeypatch.setattr(
        "assetgraph.graph.connections.did_you_mean",
        lambda name, known: asked.append(name) or "Did you mean?",
    )
    assert len(problems(*(asset_named(f"reader_{n}", "lost") for n in range(50)))) == 50
    assert asked == ["lost"]


def test_a_parameter_that_could_be_several_assets_lists_them() -> None:
    several = [asset_named("trips", key_prefix=city) for city in ("boston", "nyc")]
    (problem,) = problems(*several, asset_named("fares", "trips"))
    assert "parameter 'trips' of asset 'fares' could be any of: boston/trips, nyc/trips." in problem
    assert "Say which: ins={'trips': 'boston/trips'}." in problem


@pytest.mark.parametrize(
    ("signature", "message", "remedy"),
    [
        (
            "*trips",
            "takes *trips, which does not name an upstream",
            "list those that are not loaded in deps=",
        ),
        (
            "**trips",
            "takes **trips, which does not name an upstream",
            "Name each upstream as a parameter",
        ),
        ("raw, /", "takes 'raw' by position only", "remove the '/'"),
    ],
)
def test_parameters_that_cannot_name_an_upstream(signature: str, message: str, remedy: str) -> None:
    registry = defined(
        f"""
        @asset
        def raw(): ...
        @asset
        def fares({signature}): ...
        """
    )
    (problem,) = problems(*registry)
    assert problem.startswith("pipeline.py:5: asset 'fares' ")
    assert message in problem
    assert remedy in problem


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("..", "starts with a dot"),
        ("", "has an empty part"),
        ("a b", "contains ' '"),
        ("a/b", "contains '/'"),
        ("k" * 300, "300 bytes long: at most 200"),
    ],
)
def test_a_name_that_cannot_be_a_key_is_reported_with_everything_else(name: str, why: str) -> None:
    (problem, other) = problems(asset_named("x", "nothing"), asset(name=name)(lambda: 1))
    assert why in problem + other
    assert "Rename it, or give it a key with key=." in problem + other


def test_a_lambda_without_a_name_is_reported() -> None:
    (problem,) = problems(asset(lambda: 1))
    assert "contains '<'" in problem


def test_a_key_that_is_defined_twice_names_both_places() -> None:
    registry = defined("@asset\ndef trips(): ...\n\n@asset\ndef trips(): ...\n")
    assert problems(*registry) == [
        "pipeline.py:5: asset 'trips' is defined twice: pipeline.py:2 and pipeline.py:5. "
        "Rename one, or give it a key_prefix=."
    ]


def test_a_key_that_is_defined_three_times_is_reported_at_each_later_place() -> None:
    a, b, c = (defined("@asset\ndef trips(): ...\n", f"{name}.py") for name in "abc")
    found = problems(*c, *a, *b)
    assert [text.split(" Rename")[0] for text in found] == [
        "b.py:2: asset 'trips' is defined twice: a.py:2 and b.py:2.",
        "c.py:2: asset 'trips' is defined twice: a.py:2 and c.py:2.",
    ]


def test_keys_that_differ_only_in_case_are_one_file_on_many_machines() -> None:
    (problem,) = problems(asset_named("Trips"), asset_named("trips"), asset_named("x"))
    assert "the assets 'Trips'" in problem
    assert "and 'trips'" in problem
    assert "differ only in case" in problem
    (folded,) = problems(
        asset_named("straße", key_prefix="a"), asset_named("STRASSE", key_prefix="A")
    )
    assert "differ only in case" in folded


def test_a_key_may_be_the_start_of_another() -> None:
    assert problems(asset_named("a"), asset_named("b", key_prefix="a"), asset_named("a.b")) == []


def test_a_cycle_is_shown_as_the_path_that_data_would_take() -> None:
    registry = defined(
        """
        @asset
        def fares(zones): ...
        @asset
        def zones(trips): ...
        @asset
        def trips(fares): ...
        @asset
        def report(fares): ...
        """
    )
    assert problems(*registry) == [
        "pipeline.py:3: assets depend on each other in a cycle: "
        "fares -> trips -> zones -> fares. Remove one of these dependencies."
    ]


def test_every_separate_cycle_is_shown_and_an_asset_that_reads_itself() -> None:
    found = problems(
        asset_named("a", "b"),
        asset_named("b", "a"),
        asset_named("c", "d", deps=["a"]),
        asset_named("d", "c"),
        asset_named("own", "own"),
    )
    assert [text.partition("cycle: ")[2].partition(". ")[0] for text in found] == [
        "a -> b -> a",
        "c -> d -> c",
        "own -> own",
    ]


def test_a_graph_with_a_cycle_can_still_be_inspected() -> None:
    graph = graph_of(
        asset_named("a", "b"), asset_named("b", "a"), asset_named("root"), asset_named("z", "a")
    )
    assert [key.text for key in graph.order] == ["root", "a", "b", "z"]
    assert len(graph.levels) >= 1
    assert [key.text for key in graph.upstream(AssetKey("z"))] == ["a", "b"]


def test_an_asset_takes_config_only_once() -> None:
    @asset
    def trips(one: Month, two: Limit): ...

    (problem,) = problems(trips)
    assert "takes config twice: one and two" in problem
    assert "Put all fields into one Config class." in problem


def test_ins_names_parameters_only() -> None:
    (problem,) = problems(asset_named("a"), asset_named("b", "a", ins={"trips": AssetIn("a")}))
    assert "ins= of asset 'b' names 'trips', which is not a parameter" in problem
    assert "Its parameters: a." in problem


def test_an_owner_is_an_address_or_a_team() -> None:
    (problem,) = problems(asset_named("a", owners=["me@x.org", "team:data", "data"]))
    assert "the owner 'data' of asset 'a'" in problem
    assert "Write 'team:data' for a team." in problem


def test_annotations_that_contradict_each_other_on_an_edge_are_a_problem() -> None:
    registry = defined(
        """
        @asset
        def trips() -> int: ...
        @asset
        def fares(trips: str) -> int: ...
        @asset
        def fine(trips: int, fares) -> str: ...
        """
    )
    (problem,) = problems(*registry)
    assert problem.startswith(
        "pipeline.py:5: parameter 'trips' of asset 'fares' does not fit what 'trips' "
        "(pipeline.py:3) returns: "
    )
    assert problem.endswith("Change one of the two annotations.")


def test_all_problems_come_at_once_in_the_order_of_the_files() -> None:
    texts = {
        "b.py": "@asset\ndef x(nothing): ...\n@asset\ndef y(*z): ...\n",
        "a.py": "@asset\ndef p(q): ...\n@asset\ndef q(p): ...\n@asset(name='..')\ndef r(): ...\n",
        "c.py": "@asset\ndef w(): ...\n@asset\ndef W(): ...\n",
    }
    assets = [a for file, text in texts.items() for a in defined(text, file)]
    first = graph_of(*assets).validate()
    assert [(p.file, p.line) for p in first] == [
        ("a.py", 2), ("a.py", 6), ("b.py", 2), ("b.py", 4), ("c.py", 2),
    ]  # fmt: skip
    assert all(isinstance(p, Problem) and p.remedy for p in first)
    random.Random(5).shuffle(assets)
    assert graph_of(*assets).validate() == first


def test_nothing_runs_while_a_definition_is_wrong() -> None:
    called = []
    fine = asset(name="fine")(lambda: called.append(1))
    with pytest.raises(DefinitionsError, match="2 problems in the definitions") as caught:
        materialize([fine, asset_named("x", "nothing"), asset_named("y", "nothing")])
    assert len(caught.value.problems) == 2
    assert not called


def test_context_and_config_together_are_fine() -> None:
    @asset
    def trips(context: AssetExecutionContext, config: Month, *, limit: int = 5): ...

    assert problems(trips) == []
