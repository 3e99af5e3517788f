"""An asset called as a function, as the tests of a project do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest

import assetgraph as dg
from assetgraph.errors import ConfigError, PartitionsError


class Limit(dg.Config):
    rows: int = 3


class Needed(dg.Config):
    rows: int


DAYS = dg.DailyPartitionsDefinition(start_date="2024-01-01")


@dg.asset
def plain(trips: list[int], factor: int = 2) -> int:
    return sum(trips) * factor


@dg.asset
def with_context(context: dg.AssetExecutionContext, trips: list[int], config: Limit) -> int:
    context.add_output_metadata({"rows": len(trips)})
    return len(trips) + config.rows


@dg.asset(partitions_def=DAYS)
def daily(context: dg.AssetExecutionContext) -> str:
    window = context.partition_time_window
    return f"{context.partition_key} {window.start:%d}-{window.end:%d} {context.asset_key.text}"


@dg.asset(deps=[plain])
def behind() -> int:
    return 1


@dg.asset
def needing(config: Needed) -> int:
    return config.rows


def test_inputs_config_and_context_go_by_position_or_by_name() -> None:
    assert plain([1, 2]) == plain(trips=[1, 2]) == 6
    assert plain([1], factor=5) == plain([1], 5) == 5
    context = dg.build_asset_context()
    assert with_context(context, [1], Limit(rows=1)) == 2
    assert with_context(context, config=Limit(rows=1), trips=[1]) == 2
    assert with_context(None, [1, 2]) == 5  # config of nothing but defaults
    assert with_context(context=None, trips=[], config={"rows": "7"}) == 7
    assert plain(context, [1, 2]) == 6  # a context is taken from a function that does without
    assert context.output_metadata == {"rows": 1}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plain(), r"'plain' is called without 'trips'\. .*plain\(trips=…, factor=…\)"),
        (lambda: plain([1], 2, 3), "too many values: it takes trips and factor"),
        (lambda: plain([1], trips=[1]), "two values for 'trips'"),
        (lambda: plain(trps=[1]), "takes no 'trps'. Did you mean 'trips'"),
        (lambda: behind(1), r"too many values: it takes none. What is in deps= \(plain\)"),
        (lambda: behind(plain=1), r"takes no 'plain'. What is in deps= \(plain\) is not loaded"),
        (lambda: with_context(trips=[1]), "without its context. .*build_asset_context"),
        (lambda: with_context([1], Limit()), "gets a value of the type list as its context"),
        (lambda: needing(), "without 'config': .*needs a value for its config field 'rows'"),
        (lambda: needing(Limit()), "gets a value of the type Limit as its config. Pass a Needed"),
    ],
)
def test_a_call_with_the_wrong_arguments_says_what_to_pass(call: Any, message: str) -> None:
    with pytest.raises(dg.DagsterInvalidInvocationError, match=message):
        call()


def test_a_wrong_field_of_config_is_the_same_error_as_in_a_run() -> None:
    with pytest.raises(dg.DagsterInvalidConfigError, match="rows: expected `int`"):
        needing({"rows": "x"})
    assert dg.DagsterInvalidConfigError is ConfigError


@dg.asset
def rows() -> list[dict[str, int]]:
    return [{"a": 1}, {"a": "x"}]  # type: ignore[dict-item]


@dg.asset
def no_text() -> str:
    return 2  # type: ignore[return-value]


@dg.asset
async def later(trips: list[int]) -> str:
    return sum(trips)  # type: ignore[return-value]


@dg.asset
def stream() -> Iterator[dg.MaterializeResult]:
    yield dg.MaterializeResult(metadata={"n": 1})


@dg.asset
def numbers() -> Iterator[int]:
    yield 1
    yield "x"  # type: ignore[misc]


def test_annotations_are_checked_down_to_the_members_of_lists_and_dicts() -> None:
    checked = pytest.raises(
        dg.DagsterTypeCheckDidNotPass, match=r"result\[1\]\['a'\] is a str: 'x'"
    )
    with checked:
        rows()
    with pytest.raises(dg.DagsterTypeCheckDidNotPass, match="`-> str` but returned an int: 2"):
        no_text()
    wrong = r"parameter 'trips' of 'plain' is annotated `list\[int\]`, but trips\[1\] is a str: 'x'"
    with pytest.raises(dg.DagsterTypeCheckDidNotPass, match=wrong):
        plain([1, "x"])


def test_a_run_checks_the_same() -> None:
    with pytest.raises(dg.DagsterTypeCheckDidNotPass, match=r"result\[1\]\['a'\] is a str: 'x'"):
        dg.materialize([rows])


def test_async_and_generator_functions_are_called_and_checked_too() -> None:
    with pytest.raises(dg.DagsterTypeCheckDidNotPass, match="returned an int: 3"):
        asyncio.run(later([1, 2]))
    assert [one.metadata for one in stream()] == [{"n": 1}]
    made = numbers()
    assert next(made) == 1
    with pytest.raises(dg.DagsterTypeCheckDidNotPass):
        next(made)


def test_a_built_context_knows_its_partition_and_then_its_asset() -> None:
    context = dg.build_asset_context(partition_key="2024-01-05")
    assert context.partition_key == "2024-01-05"
    for name in ("asset_key", "partition_time_window"):
        with pytest.raises(dg.AssetGraphError, match=f"context.{name} is not known before"):
            getattr(context, name)
    assert daily(context) == "2024-01-05 05-06 daily"
    assert context.asset_key == daily.key
    range_ = dg.PartitionKeyRange("2024-01-05", "2024-01-06")
    several = dg.build_asset_context(partition_key_range=range_)

    @dg.asset(partitions_def=DAYS)
    def first(context: dg.AssetExecutionContext) -> int:
        return len(context.partition_keys)

    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["2024-01-06", "2024-01-05"]))
    def backward(context: dg.AssetExecutionContext) -> int:
        return len(context.partition_keys)

    assert (first(several), backward(several), first(several)) == (2, 0, 2)


def test_a_range_of_partitions_is_known_once_the_asset_is() -> None:
    several = dg.PartitionKeyRange("2024-01-02", "2024-01-04")
    context = dg.build_asset_context(partition_key_range=several)
    assert context.partition_key_range == several

    @dg.asset(partitions_def=DAYS)
    def asked(context: dg.AssetExecutionContext) -> list[str]:
        assert context.partition_key_range == several
        return list(context.partition_keys)

    assert asked(context) == ["2024-01-02", "2024-01-03", "2024-01-04"]
    with pytest.raises(PartitionsError, match="'with_context' has no partitions"):
        with_context(context, [1])
    with pytest.raises(PartitionsError, match="cannot be combined"):
        dg.build_asset_context(partition_key="2024-01-02", partition_key_range=several)


def test_a_context_without_a_partition_says_so_and_logs_to_logging(
    caplog: pytest.LogCaptureFixture,
) -> None:
    context = dg.build_asset_context()
    with pytest.raises(PartitionsError, match=r"partition_key needs a partition"):
        _ = context.partition_key
    with caplog.at_level("INFO"):
        context.log.info("seen %s", 1)
    assert "seen 1" in caplog.text
    assert context.retry_number == 0
    context.progress(1, 2)


def test_checks_take_either_context_and_their_asset_under_any_name() -> None:
    @dg.asset_check(asset=plain)
    def positive(context: dg.AssetCheckExecutionContext, value: int) -> dg.AssetCheckResult:
        context.log.info("looked")
        return dg.AssetCheckResult(passed=value > 0)

    assert positive(dg.build_asset_check_context(), 1).passed
    assert not positive(dg.build_asset_context(), value=-1).passed
    assert positive(None, 1).passed


class Warehouse(dg.ConfigurableResource):
    url: str = "here"


@dg.asset
def queried(trips: list[int], warehouse: Warehouse, other: dg.ResourceParam[str]) -> str:
    return f"{trips} {warehouse.url} {other}"


@dg.asset(required_resource_keys={"warehouse"})
def asking(context: dg.AssetExecutionContext) -> str:
    return str(context.resources.warehouse.url)


def test_resources_go_by_position_by_name_or_with_the_context() -> None:
    given = dg.build_asset_context(resources={"warehouse": Warehouse(url="there"), "other": "o"})
    assert queried([1], Warehouse(), "x") == "[1] here x"
    assert queried([1], other="x", warehouse=Mock(url="mock")) == "[1] mock x"
    assert queried(given, [1]) == "[1] there o"
    assert asking(given) == "there"
    with pytest.raises(dg.DagsterInvalidInvocationError, match="without 'warehouse'"):
        queried([1])
    with pytest.raises(dg.AssetGraphError, match=r"without the resource 'warehouse'.*resources="):
        asking(dg.build_asset_context())
