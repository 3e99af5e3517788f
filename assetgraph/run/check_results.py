"""The results of an asset's own checks, which its function gives beside its value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from types import AsyncGeneratorType, GeneratorType
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.definitions.annotations import described
from assetgraph.definitions.check_results import AssetCheckResult
from assetgraph.definitions.metadata import MaterializeResult
from assetgraph.errors import ValueTypeError
from assetgraph.keys import Target, checked_asset
from assetgraph.run.evaluations import FoundChecks, evaluation_record

if TYPE_CHECKING:
    from assetgraph.records import Materialization
    from assetgraph.run.step_task import StepTask

Pairs = Iterable[tuple[Target, Any]]
Values = Callable[["StepTask", Any], tuple[Pairs, bool]]


def values_and_results(task: StepTask, returned: Any, values_of: Values) -> Iterator[Any]:
    """Each output of a step that also makes checks: an asset with what `values_of` finds for it,
    as the function gives them, and each check with its `AssetCheckResult`, once the function has
    ended: whoever reads both records goes by their order, and a second result makes void the first.

    Raises `ValueTypeError` if a check has no result, and at the end `CheckFailedError` if a
    blocking one failed.
    """
    checks = [one for one in task.outputs if checked_asset(one.key) is not None]
    found = FoundChecks(msgspec.structs.replace(task, outputs=tuple(checks)))
    assets = _without_checks(task)
    given: list[AssetCheckResult] = []
    if isinstance(returned, GeneratorType | AsyncGeneratorType):
        from assetgraph.run.named_outputs import iterated

        returned = _assets_only(iterated(returned), given)
    else:
        returned = _taken(returned, given)
    results: dict[Target, AssetCheckResult] = {}
    made: set[Target] = set()
    try:
        for target, value in values_of(assets, returned)[0]:
            yield target, value
            made.add(target)
            results.update(found.take(given))
        results.update(found.take(given))
        found.require_complete()
    except Exception:  # of the function: what it found before counts
        with suppress(ValueTypeError):
            results.update(found.take(given))
        sure = results.keys() - found.given_twice
        yield from [
            (one, results[one]) for one in results if one in sure and _asset_of(one) in made
        ]
        raise
    yield from results.items()
    found.require_passed()


def evaluated(
    task: StepTask, target: Target, given: Any, started: float
) -> tuple[Materialization, None] | None:
    """The uncommitted record of a check, and no value; None for an asset."""
    if checked_asset(target.key) is None:
        return None
    return evaluation_record(task, target, given, started, {}), None


def _asset_of(check: Target) -> Target:
    key = checked_asset(check.key)
    assert key is not None
    return Target(key, check.partition)


def _without_checks(task: StepTask) -> StepTask:
    """The same step, as one of its assets alone."""
    own = tuple(one for one in task.outputs if checked_asset(one.key) is None)
    computation = task.computation
    specs = tuple(spec for spec in computation.specs if checked_asset(spec.key) is None)
    return msgspec.structs.replace(task, outputs=own, computation=replace(computation, specs=specs))


def _assets_only(parts: Iterator[Any], given: list[AssetCheckResult]) -> Iterator[Any]:
    """What a function yields, without results of checks, which go into `given`."""
    for one in parts:
        if isinstance(one, AssetCheckResult):
            given.append(one)
        else:
            yield _taken(one, given)


def _taken(returned: Any, given: list[AssetCheckResult]) -> Any:
    """What a function returned, without the results of checks in it, which go into `given`."""
    if isinstance(returned, MaterializeResult) and returned.check_results:
        for one in returned.check_results:
            if not isinstance(one, AssetCheckResult):
                raise ValueTypeError(
                    f"check_results= has {described(one)}.",
                    hint="Give it AssetCheckResults, each with its check_name=.",
                )
            key = one.asset_key or returned.asset_key
            given.append(replace(one, asset_key=key))
        return replace(returned, check_results=())
    if isinstance(returned, tuple | list) and any(
        isinstance(one, AssetCheckResult | MaterializeResult) for one in returned
    ):
        given += [one for one in returned if isinstance(one, AssetCheckResult)]
        rest = [_taken(one, given) for one in returned if not isinstance(one, AssetCheckResult)]
        return rest[0] if len(rest) == 1 else tuple(rest)
    if isinstance(returned, Mapping) and any(
        isinstance(one, MaterializeResult) for one in returned.values()
    ):
        return {name: _taken(one, given) for name, one in returned.items()}
    return returned
