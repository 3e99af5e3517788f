"""What checks say when they fail, and when they are written wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import assetgraph as dg
from assetgraph.records import EventType


@pytest.fixture(autouse=True)
def apart() -> Iterator[None]:
    with dg.Registry():
        yield


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"description": "two fares are negative.\nMore of it."}, "(two fares are negative)."),
        ({"metadata": {"late": 3, "of": dg.MetadataValue.text("9")}}, "(late 3, of 9)."),
        ({}, "trips:sane."),
    ],
)
@pytest.mark.parametrize("own", [False, True])
def test_a_blocking_failure_says_what_was_found_and_shows_no_code(
    said: dict[str, Any], text: str, own: bool
) -> None:
    found = dg.AssetCheckResult(passed=False, **said)

    @dg.asset(
        check_specs=[dg.AssetCheckSpec("sane", asset="trips", blocking=True)] if own else None
    )
    def trips() -> Any:
        return dg.MaterializeResult(value=1, check_results=[found]) if own else 1

    @dg.asset_check(asset=trips, blocking=True)
    def sane() -> dg.AssetCheckResult:
        return found

    result = dg.materialize([trips] if own else [trips, sane], raise_on_error=False)
    (error,) = result.failures.values()
    assert error.message.startswith("1 blocking asset check failed")
    assert error.message.endswith(text)
    assert not error.frames


def test_a_function_with_checks_of_its_own_is_told_how_to_return_them() -> None:
    specs = [dg.AssetCheckSpec("sane", asset="trips"), dg.AssetCheckSpec("small", asset="trips")]

    @dg.asset(check_specs=specs)
    def trips() -> int:
        return 1

    result = dg.materialize([trips], raise_on_error=False)
    hint = result.failures["trips"].hint
    assert hint is not None
    assert hint.startswith(
        "Return MaterializeResult(value=…, check_results=[AssetCheckResult(check"
    )
    warned = [one.message for one in result.events if one.type is EventType.LOG]
    assert not any("materialized" in str(one) for one in warned)  # the one asset was


def test_checks_are_not_counted_as_assets_of_a_step_that_failed() -> None:
    @dg.multi_asset(
        specs=[dg.AssetSpec("evens"), dg.AssetSpec("odds")],
        check_specs=[dg.AssetCheckSpec("sane", asset="evens")],
    )
    def numbers() -> Iterator[Any]:
        yield dg.MaterializeResult(asset_key="evens", value=[2])
        yield dg.AssetCheckResult(passed=True, check_name="sane")
        raise ValueError("no odds")

    result = dg.materialize([numbers], raise_on_error=False)
    warned = [one.message for one in result.events if one.type is EventType.LOG]
    assert warned == [
        "1 of 2 assets were materialized before it failed: evens. Missing: odds",
    ]


@pytest.mark.parametrize("returns", [bool, None, dict, int])
def test_a_check_that_is_annotated_with_no_result_is_a_problem(returns: Any) -> None:
    @dg.asset
    def trips() -> int:
        return 1

    def sane(trips: int) -> Any:
        return dg.AssetCheckResult(passed=True)

    sane.__annotations__["return"] = returns
    made = dg.asset_check(asset="trips")(sane)
    found = str(dg.Definitions([trips], asset_checks=[made]).graph.validate())
    assert "but a check returns an AssetCheckResult" in found


@pytest.mark.parametrize("decorator", [dg.asset_check, dg.multi_asset_check])
def test_a_decorator_of_checks_says_what_it_needs(decorator: Callable[..., Any]) -> None:
    def sane() -> None: ...

    with pytest.raises(TypeError, match=r"is written without parentheses: write @\w+\("):
        decorator(sane)
    with pytest.raises(TypeError, match=r"is written without (asset|specs)=: write @\w+\("):
        decorator()


def test_the_hint_for_two_checks_of_one_name_names_no_option_that_a_check_lacks() -> None:
    @dg.asset
    def trips() -> int:
        return 1

    def sane(trips: int) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    twice = [dg.asset_check(asset=trips)(sane) for _ in range(2)]
    found = str(dg.Definitions([trips], asset_checks=twice).graph.validate())
    assert "defined twice" in found
    assert "key_prefix" not in found
