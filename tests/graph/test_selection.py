"""The selection language: what a text selects, and the error if it selects nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetgraph.definitions.computation import AssetSpec, Computation
from assetgraph.definitions.selection.syntax import MAX_DEPTH, And, Filter, Not, Or
from assetgraph.errors import SelectionError
from assetgraph.graph.asset_graph import AssetGraph
from assetgraph.graph.selection import parse, select
from assetgraph.keys import AssetKey
from assetgraph.records import AssetState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def graph_of(edges: Mapping[str, Iterable[str]], **options: dict[str, Any]) -> AssetGraph:
    """A graph from `{child: (parents)}`."""
    return AssetGraph(
        Computation(
            name=name,
            function=lambda: None,
            specs=(
                AssetSpec(
                    key=AssetKey(name),
                    deps=tuple(AssetKey(parent) for parent in parents),
                    **options.get(name, {}),
                ),
            ),
        )
        for name, parents in edges.items()
    )


# raw_trips -> trips -> fares -> report, zones -> fares, and two that stand alone
TAXI = graph_of(
    {
        "raw_trips": (),
        "zones": (),
        "trips": ("raw_trips",),
        "manhattan/fares": ("trips", "zones"),
        "report": ("manhattan/fares",),
        "2024_plan": (),
        "택시_운행": (),
    },
    raw_trips={"group_name": "raw", "tags": {"size": "big"}, "kinds": frozenset({"parquet"})},
    zones={"group_name": "raw", "tags": {"size": "small", "daily": ""}, "owners": ("team:geo",)},
    trips={"tags": {"size": "big"}, "owners": ("ada@example.com",)},
)
STATES = {"raw_trips": "fresh", "zones": "stale", "trips": "stale", "report": "failed"}


def state(key: AssetKey) -> str:
    return STATES.get(key.text, "missing")


def chosen(*texts: str, graph: AssetGraph = TAXI) -> list[str]:
    return [key.text for key in select(texts, graph, state)]


def refused(*texts: str, graph: AssetGraph = TAXI) -> SelectionError:
    with pytest.raises(SelectionError) as caught:
        select(texts, graph, state)
    assert caught.value.exit_code == 2
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("trips", "trips"),
        ("manhattan/fares", "manhattan/fares"),
        ("+trips", "raw_trips trips"),
        ("trips+", "trips manhattan/fares report"),
        ("trips+1", "trips manhattan/fares"),
        ("1+manhattan/fares", "zones trips manhattan/fares"),
        ("+manhattan/fares+", "raw_trips zones trips manhattan/fares report"),
        ("1+trips+1", "raw_trips trips manhattan/fares"),
        ("0+trips+0", "trips"),
        ("2 + manhattan/fares", "raw_trips zones trips manhattan/fares"),
        ("+(zones or trips)", "raw_trips zones trips"),
        ('key:"trips"', "trips"),
        ("key:'trips'+", "trips manhattan/fares report"),
        ('"trips"', "trips"),
        ('key:"*trips"', "raw_trips trips"),
        ("*trips", "raw_trips trips"),
        ("*a*a*/*", "manhattan/fares"),
        ("key:2024_plan", "2024_plan"),
        ("1+key:2024_plan", "2024_plan"),
        ("택시*", "택시_운행"),
        ("group:raw", "raw_trips zones"),
        ("tag:daily", "zones"),
        ("tag:size=big", "raw_trips trips"),
        ('tag:"size"="big"', "raw_trips trips"),
        ("tag:daily=''", "zones"),
        ("kind:parquet", "raw_trips"),
        ("owner:team:geo", "zones"),
        ("owner:*@example.com", "trips"),
        ("status:stale", "zones trips"),
        ("status:STALE", "zones trips"),
        ("status:fresh or status:failed", "raw_trips report"),
        ("status:materialized", "raw_trips"),
        ('status:"never materialized" and *fares', "manhattan/fares"),
        ("status:never materialized and *fares", "manhattan/fares"),
        ("roots() and +report", "raw_trips zones"),
        ("roots(trips+)", "trips"),
        ("sinks(+trips or zones)", "zones trips"),
        ("sinks() and trips+", "report"),
        ("sources() and +report", "raw_trips zones"),
        ("leaves (+trips or zones)", "zones trips"),
        ("trips or zones and report", "trips"),
        ("(trips or zones) and not zones", "trips"),
        ("not not trips", "trips"),
        ("NOT *a* AND group:default", "trips report 택시_운행"),
    ],
)
def test_a_text_selects_assets(text: str, expected: str) -> None:
    assert sorted(chosen(text)) == sorted(expected.split())


def test_everything_is_selected_only_by_a_star() -> None:
    assert chosen("*") == [key.text for key in TAXI.order]
    assert "nothing is selected" in refused().message
    assert "empty" in refused("  ").message


def test_several_texts_are_joined_by_or_in_the_order_of_the_graph() -> None:
    assert chosen("zones", "report", "raw_trips") == ["raw_trips", "zones", "report"]
    assert chosen("status:running", "zones") == ["zones"]


def test_a_name_matches_however_its_letters_are_composed() -> None:
    graph = graph_of({"caf\u00e9": ()})
    assert chosen("cafe\u0301", graph=graph) == chosen("key:cafe\u0301*", graph=graph) == ["café"]


def test_a_word_of_the_language_is_a_name_after_key() -> None:
    graph = graph_of({"and": (), "roots": (), "-x": (), "status": ("and",)})
    assert chosen("key:and+", graph=graph) == ["and", "status"]
    assert chosen("key:roots or key:-x or status", graph=graph) == ["-x", "roots", "status"]


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("trips and", 9, "ends where a name is expected", "Name an asset"),
        ("and trips", 0, "'and' is a word of the selection language", "'key:and'"),
        ("roots", 0, "'roots' is a word", "'roots()'"),
        ("(trips or zones", 0, "not closed", "')'"),
        ("trips)", 5, "never opened", "Remove it"),
        ("trips zones", 6, "'zones' does not belong here", "'or'"),
        ("(trips zones)", 7, "'zones' does not belong here", "'or'"),
        ("trips,zones", 5, "',' does not belong here", "'and'"),
        ("trips + zones", 8, "'zones' does not belong here", "'or'"),
        ("trips or ()", 10, "expected a name, not ')'", None),
        ('zones or key:"trips', 13, "quote is not closed", '"'),
        ("2024_plan", 0, "starts with '2'", "'key:2024_plan'"),
        ("trips or -x", 9, "starts with '-'", "'key:-x'"),
        ("trips+2x", 6, "number of levels", "'a+2'"),
        ("9999999999+trips", 0, "the number of levels is too large", "Leave the number out"),
        ("grup:raw", 0, "no field 'grup'", "'group'"),
        ("wat:raw", 0, "no field 'wat'", "key, group, tag"),
        ("zones or group:", 15, "missing after 'group:'", "'group:name'"),
        ("tag:size=", 9, "missing after 'tag:size='", "'tag:size=name'"),
        ("status:stal", 7, "no status 'stal'", "'stale'"),
        ("status:'xyz'", 7, "no status 'xyz'", "running, failed, missing"),
        ("root()", 0, "there is no function 'root'", "Did you mean 'roots()'?"),
        ("leafs(trips)", 0, "there is no function 'leafs'", "Did you mean 'leaves()'?"),
        ("upstream(trips)", 0, "there is no function 'upstream'", "roots(), sinks() and checks()"),
        ("trips (zones)", 6, "'(' does not belong here", "'or'"),
        ("++trips", 1, "expected a name, not '+'", "or '2+a' for two levels"),
        ("trips++", 6, "'+' does not belong here", "or 'a+2' for two levels"),
        ("raw", 0, "no asset is named 'raw'", "Did you mean 'group:raw'?"),
        ("parquet", 0, "no asset is named 'parquet'", "Did you mean 'kind:parquet'?"),
        ("trips or tripz", 9, "no asset is named 'tripz'", "'trips'"),
        ("not tripz", 4, "no asset is named 'tripz'", "'trips'"),
        ("fares", 0, "no asset is named 'fares'", "'manhattan/fares'"),
        ("Trips", 0, "no asset is named 'Trips'", "'trips'"),
        ("TRIPS", 0, "no asset is named 'TRIPS'", "'trips'"),
        ("a/../b", 0, "no asset is named 'a/../b'", "See them with: assetgraph list"),
        ("trips or group:rwa", 9, "no asset is in the group 'rwa'", "'raw'"),
        ("tag:siez", 0, "no asset has the tag 'siez'", "'size'"),
        ("tag:size=bigg", 0, "no asset has the tag 'size' with the value 'bigg'", "'big'"),
        ("kind:parket", 0, "no asset has the kind 'parket'", "'parquet'"),
        ("owner:team:go", 0, "no asset is owned by 'team:go'", "'team:geo'"),
        ("trips or x*", 9, "no asset matches 'x*'", None),
    ],
)
def test_a_refusal_says_what_is_wrong_where_and_what_to_type(
    text: str, column: int, message: str, hint: str | None
) -> None:
    error = refused(text)
    assert message in error.message
    assert (error.text, error.column) == (text, column)
    assert hint in error.hint if hint else error.hint is None


def test_a_selection_from_no_assets_says_so() -> None:
    assert "there are no assets" in refused("*", graph=graph_of({})).message


def test_a_status_without_the_record_of_runs_says_what_it_needs() -> None:
    with pytest.raises(SelectionError, match="needs the records of past runs") as caught:
        select(["trips or status:stale"], TAXI)
    assert caught.value.column == 9


def test_every_state_can_be_selected() -> None:
    for word in AssetState:
        assert parse(f"status:{word}") == Filter("status", word, None, 0, len(f"status:{word}"))


def test_not_binds_more_tightly_than_and_and_and_more_tightly_than_or() -> None:
    match parse("a or not b and c"):
        case Or((Filter(value="a"), And((Not(Filter(value="b")), Filter(value="c"))))):
            pass
        case other:
            pytest.fail(f"parsed as {other}")


@pytest.mark.parametrize("opening", ["(", "not ", "roots("])
def test_nesting_is_accepted_only_up_to_the_limit(opening: str) -> None:
    closing = ")" if "(" in opening else ""
    deepest = opening * MAX_DEPTH + "trips" + closing * MAX_DEPTH
    assert "trips" in chosen(deepest)
    error = refused(opening * 100_000 + "trips" + closing * 100_000)
    assert "nested more than" in error.message
    assert error.column == len(opening) * MAX_DEPTH


@pytest.mark.parametrize(
    "text",
    [
        "status:running",
        "+(trips and status:running)+",
        "trips and (zones or report)",
        "not *",
        "not (status:running or not status:running)",
        "roots(status:running)",
        "sinks(trips and zones)",
        "2+status:running+1",
        "status:running or trips and report",
        "group:raw and owner:ada@example.com",
        "tag:size=small and kind:parquet",
        "not (zones+ or +zones or *)",
    ],
)
def test_what_exists_and_matches_nothing_now_is_an_answer_and_never_everything(text: str) -> None:
    assert chosen(text) == []
    assert chosen(text, "trips") == ["trips"]
    assert chosen(f"({text}) or trips") == ["trips"]
    assert chosen(f"not ({text})") == chosen("*")


@pytest.mark.parametrize(
    "unknown",
    [
        "tirps",
        "x*",
        "group:rwa",
        "tag:sise",
        "tag:size=huge",
        "kind:parket",
        "owner:ada",
        "key:x/*",
    ],
)
@pytest.mark.parametrize(
    "around",
    [
        "{}", "not {}", "not not {}", "+{}", "{}+2", "roots({})", "sinks({})", "trips or {}",
        "trips and {}", "status:running and {}", "{} and status:running", "status:stale or {}",
        "(not *) and {}", "not (trips and {})",
    ],
)  # fmt: skip
def test_what_exists_nowhere_is_refused_wherever_it_stands(unknown: str, around: str) -> None:
    error = refused(around.format(unknown))
    assert error.column == around.index("{}")
    assert error.text == around.format(unknown)


OPERANDS = st.sampled_from(
    ["trips", "report", "status:stale", "status:running", "group:raw", "not *", "kind:parquet"]
)
SELECTIONS = st.recursive(
    OPERANDS,
    lambda inner: st.one_of(
        st.builds("({} or {})".format, inner, inner),
        st.builds("({} and {})".format, inner, inner),
        st.builds("(not {})".format, inner),
        st.builds("(1+({})+)".format, inner),
        st.builds("roots({})".format, inner),
        st.builds("sinks({})".format, inner),
    ),
    max_leaves=6,
)


@given(SELECTIONS, st.booleans())
def test_only_an_unknown_name_makes_any_combination_an_error(text: str, typo: bool) -> None:
    if typo:
        assert "trisp" in refused(text.replace("trips", "trisp") + " or trisp").message
    else:
        found, rest = set(chosen(text)), set(chosen(f"not ({text})"))
        assert not found & rest
        assert found | rest == set(chosen("*"))


@pytest.mark.parametrize(
    ("words", "state"),
    [
        (["fresh", "materialized", "Materialized", "success", "succeeded"], "fresh"),
        (["failed", "failure", "FAILURE"], "failed"),
        (
            ["missing", '"never materialized"', "never materialized", "never_materialized"],
            "missing",
        ),
        (["stale"], "stale"),
        (["running", "started"], "running"),
    ],
)
def test_each_word_for_a_state_selects_the_same_assets(words: list[str], state: str) -> None:
    found = {tuple(chosen(f"status:{word}")) for word in words}
    assert found == {
        tuple(key.text for key in TAXI.order if STATES.get(key.text, "missing") == state)
    }


@given(st.text(st.sampled_from("ab+()\"'*: =,-2not rsk택\x00\u202e"), max_size=30))
def test_any_text_is_either_read_or_refused_with_a_column_inside_it(text: str) -> None:
    column: int | None = 0
    try:
        select([text], TAXI, state)
    except SelectionError as error:
        column = error.column
    assert column is not None
    assert 0 <= column <= len(text)


def test_ten_thousand_assets_and_names_take_no_longer_than_a_few_passes() -> None:
    names = [f"a{n}" for n in range(10_000)]
    chain = graph_of({name: names[max(n - 1, 0) : n] for n, name in enumerate(names)})
    started = time.process_time()
    assert len(select([" or ".join(names)], chain)) == 10_000
    assert len(select(names, chain)) == 10_000
    assert len(select(["a0+ and +a9999 and not key:*00 and a*"], chain)) == 9_901
    assert time.process_time() - started < 30  # a quadratic evaluation takes minutes


def test_a_hostile_pattern_is_matched_in_linear_time() -> None:
    graph = graph_of({"a" * 200: ()})
    assert "no asset matches" in refused("a*" * 60 + "b", graph=graph).message


@pytest.mark.parametrize("part", ["*", "*+", "+*+", "roots(*)", "not not *", "(*)"])
def test_a_part_that_a_selection_repeats_is_worked_out_once(part: str) -> None:
    asked: list[str] = []

    class Counted:
        """A graph that notes how often all its assets are asked for."""

        def __getattr__(self, name: str) -> Any:
            asked.append(name)
            return getattr(TAXI, name)

        def __contains__(self, key: AssetKey) -> bool:
            return key in TAXI

    once = select([part], Counted())
    few = asked.count("order")
    many = select([" or ".join([part] * 500)], Counted())

    assert many == once
    assert asked.count("order") <= 2 * few
