"""The ready-made checks: of the rows and columns of every kind of table, and of its age."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import assetgraph as dg

pa = pytest.importorskip("pyarrow")
ROWS = [{"zone": 1, "fare": 2.5}, {"zone": 1, "fare": None}, {"zone": 2, "fare": 4.0}]


@pytest.fixture(autouse=True)
def apart() -> Iterator[None]:
    with dg.Registry():
        yield


def of_kind(kind: str) -> Any:
    if kind in ("pandas", "polars"):
        return pytest.importorskip(kind).DataFrame(ROWS)
    if kind == "duckdb":
        return pytest.importorskip("duckdb").from_arrow(pa.Table.from_pylist(ROWS))
    if kind == "partitions":
        return {"a": ROWS[:2], "b": pa.Table.from_pylist(ROWS[2:])}
    return ROWS if kind == "rows" else pa.Table.from_pylist(ROWS)


KINDS = ("rows", "table", "pandas", "polars", "duckdb", "partitions")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_table_is_looked_at(kind: str) -> None:
    nulls = dg.no_nulls_check("trips", ["zone", "fare"])(of_kind(kind))
    assert not nulls.passed
    assert nulls.metadata["nulls in fare"].value == 1
    assert nulls.metadata["failed rows"].value == [{"zone": 1, "fare": None}]
    assert dg.no_nulls_check("trips", ["zone"])(of_kind(kind)).passed
    repeated = dg.unique_check("trips", ["zone"])(of_kind(kind))
    assert not repeated.passed
    assert repeated.metadata["duplicates"].value == 1
    assert dg.unique_check("trips", ["zone", "fare"])(of_kind(kind)).passed
    count = dg.row_count_check("trips", at_least=4)(of_kind(kind))
    assert (count.passed, count.metadata["rows"].value) == (False, 3)
    assert count.description == "3 rows, which are fewer than 4"
    assert dg.row_count_check("trips", at_least=3, at_most=3)(of_kind(kind)).passed


def test_an_option_that_is_not_known_is_refused() -> None:
    with pytest.raises(TypeError, match="no option 'blockin'"):
        dg.no_nulls_check("trips", ["zone"], blockin=True)
    with pytest.raises(TypeError, match="no option 'additional_ins'"):
        dg.unique_check("trips", ["zone"], additional_ins={"value": "other"})
    with pytest.raises(TypeError, match="severity must be an AssetCheckSeverity, not 'BAD'"):
        dg.row_count_check("trips", at_least=1, severity="BAD")
    with pytest.raises(TypeError, match="@multi_asset_check has no option 'nam'"):
        dg.multi_asset_check(specs=[dg.AssetCheckSpec("a", "trips")], nam="x")  # type: ignore[call-arg]


def test_a_schema_is_compared_column_by_column() -> None:
    wanted = {"zone": "int64", "fare": "float64"}
    table = of_kind("table")
    assert dg.schema_check("trips", wanted)(table).passed
    found = dg.schema_check("trips", {"zone": "string", "tip": "double"})(table)
    assert found.description == (
        "tip is missing; zone is int64 instead of string; fare is unexpected"
    )
    assert dg.schema_check("trips", {"zone": "int64"}, extra_columns=True)(table).passed


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dg.row_count_check("trips"), "needs a bound"),
        (lambda: dg.no_nulls_check("trips", "fare"), "columns takes a list of names, not 'fare'"),
        (lambda: dg.pandera_check("trips", 3), "takes a schema of pandera, not an int"),
    ],
)
def test_what_says_no_check_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make()


@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_ready_made_checks_run_where_assets_do(executor: str) -> None:
    @dg.asset
    def trips() -> list[dict[str, Any]]:
        return ROWS

    checks = [
        dg.no_nulls_check(trips, ["fare"], severity=dg.AssetCheckSeverity.WARN, blocking=True),
        dg.unique_check("trips", ["zone", "tip"]),
    ]
    result = dg.materialize([trips, *checks], raise_on_error=False, executor=executor)
    (found,) = result.get_asset_check_evaluations()
    assert (found.check_name, found.severity) == ("no_nulls", dg.AssetCheckSeverity.WARN)
    assert "the table has no column 'tip'" in result.failures["trips:unique"].message
    number = dg.materialize([_one(), dg.row_count_check("one", at_least=1)], raise_on_error=False)
    assert "the value is an int" in number.failures["one:row_count"].message


def _one() -> dg.Asset:
    @dg.asset
    def one() -> int:
        return 1

    return one


def test_other_columns_make_a_check_look_again(tmp_path: Path) -> None:
    @dg.asset
    def trips() -> list[dict[str, Any]]:
        return ROWS

    instance = dg.Instance(tmp_path / "store")

    def states(column: str) -> list[str]:
        check = dg.no_nulls_check(trips, [column])
        dg.materialize([trips, check], instance=instance, selection="trips")
        graph = dg.Definitions([trips, check]).graph
        from assetgraph.planning.facts import StoreFacts
        from assetgraph.planning.request import RunRequest, plan_run

        other = dg.Definitions([trips, dg.no_nulls_check(trips, ["fare"])]).graph
        return [
            step.id
            for one in (graph, other)
            for step in plan_run(RunRequest(stale=True), StoreFacts(one, instance.store)).steps
        ]

    assert states("zone") == ["trips:no_nulls"]


def test_a_count_is_compared_with_those_of_the_values_before(tmp_path: Path) -> None:
    instance = dg.Instance(tmp_path / "store")

    def passes(rows: int) -> bool:
        @dg.asset
        def trips() -> list[dict[str, int]]:
            return [{"row": number} for number in range(rows)]

        check = dg.row_count_check(trips, last=3, tolerance=0.2)
        found = dg.materialize([trips, check], instance=instance).get_asset_check_evaluations()
        return found[0].passed

    assert [passes(rows) for rows in (100, 110, 60, 100, 105)] == [True, True, False, True, True]
    assert not any(passes(500) for _ in range(4))  # looking again is no value before


def test_freshness_is_evaluated_in_every_run_and_looks_at_the_last_update(tmp_path: Path) -> None:
    source = tmp_path / "orders.csv"
    source.write_text("1")
    os.utime(source, (0, 0))

    @dg.asset
    def trips() -> int:
        return 1

    orders = dg.source_file(source, key="orders")
    checks = dg.build_last_update_freshness_checks(
        assets=[trips, "orders"], lower_bound_delta=timedelta(hours=1)
    )
    assets, instance = [trips, orders, *checks], dg.Instance(tmp_path / "store")
    for _ in range(2):
        result = dg.materialize(assets, instance=instance)
        found = {e.asset_key.text: e for e in result.get_asset_check_evaluations()}
        assert {key: one.passed for key, one in found.items()} == {"trips": True, "orders": False}
        assert found["orders"].severity is dg.AssetCheckSeverity.WARN
        assert found["orders"].description == "it was last updated 1970-01-01 00:00 UTC"
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.request import RunRequest, plan_run

    facts = StoreFacts(dg.Definitions(assets).graph, instance.store)
    plan = plan_run(RunRequest(stale=True), facts)
    assert [step.id for step in plan.steps] == ["orders:freshness_check", "trips:freshness_check"]


def test_a_schema_of_pandera_shows_the_values_that_do_not_fit() -> None:
    pandera = pytest.importorskip("pandera.pandas")
    schema = pandera.DataFrameSchema({"zone": pandera.Column(int, pandera.Check.gt(1))})
    check = dg.pandera_check("trips", schema)
    for kind in ("rows", "table", "pandas"):
        found = check(of_kind(kind))
        assert (found.passed, found.metadata["failure cases"].value) == (False, 2)
        assert found.metadata["failed rows"].value[0]["column"] == "zone"
