"""Ready-made checks of assets: of the rows and columns of a table, and of its age.

    import assetgraph as dg

    checks = [
        dg.no_nulls_check("trips", ["zone", "fare"], blocking=True),
        dg.row_count_check("trips", at_least=1),
        *dg.build_last_update_freshness_checks(assets=["trips"], lower_bound_delta=ONE_DAY),
    ]

They take any kind of table (pandas, polars, pyarrow, DuckDB), a list of rows as dicts, and of an
asset with partitions a mapping of these.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from assetgraph.definitions.annotations import described
from assetgraph.definitions.check_context import AssetCheckExecutionContext
from assetgraph.definitions.check_nodes import AssetCheckSpec
from assetgraph.definitions.check_results import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetLike,
    severity_of,
)
from assetgraph.definitions.checks import (
    OF_SPEC,
    AssetChecksDefinition,
    OneCheckOptions,
    check_of,
)
from assetgraph.definitions.decorator import require_known
from assetgraph.definitions.metadata import MetadataValue
from assetgraph.definitions.registry import current_registry
from assetgraph.storage import table_checks as tables
from assetgraph.text import listed


def no_nulls_check(
    asset: AssetLike, columns: Sequence[str], *, name: str = "no_nulls", **options: Any
) -> AssetChecksDefinition:
    """A check that no value is missing in some columns. It shows the first rows that lack one.

    `options` are those of `asset_check`, such as `blocking`, and `severity`.
    """
    found = partial(tables.no_nulls, columns=_names(columns))
    return _check(asset, name, f"No value is missing in {listed(columns)}.", found, options)


def unique_check(
    asset: AssetLike, columns: Sequence[str], *, name: str = "unique", **options: Any
) -> AssetChecksDefinition:
    """A check that no two rows have the same values in some columns. It shows the first that do.

    `options` are those of `asset_check`, such as `blocking`, and `severity`.
    """
    found = partial(tables.unique, columns=_names(columns))
    return _check(asset, name, f"No two rows have the same {listed(columns)}.", found, options)


def row_count_check(
    asset: AssetLike,
    *,
    at_least: int | None = None,
    at_most: int | None = None,
    last: int | None = None,
    tolerance: float = 0.5,
    name: str = "row_count",
    **options: Any,
) -> AssetChecksDefinition:
    """A check that a table has as many rows as it should: from `at_least` to `at_most`, and, if
    `last` is given, as many as on average when the check last looked that often, give or take
    `tolerance`: 0.5 allows half of it more or less.

    `options` are those of `asset_check`, such as `blocking`, and `severity`. Raises `TypeError` if
    no bound is given.
    """
    if at_least is None and at_most is None and last is None:
        raise TypeError("row_count_check needs a bound: at_least=, at_most= or last=")
    found = partial(tables.row_count, bounds=(at_least, at_most), last=last, tolerance=tolerance)
    kind = _OfValue if last is None else _OfValueAndPast
    about = "The table has as many rows as it should."
    return _check(asset, name, about, found, options, kind=kind)


def schema_check(
    asset: AssetLike,
    schema: Mapping[str, str],
    *,
    extra_columns: bool = False,
    name: str = "schema",
    **options: Any,
) -> AssetChecksDefinition:
    """A check that a table has the columns of `schema`, each of the type that it says, by Arrow's
    names: `{"zone": "int64", "fare": "double"}`. Others are wrong unless `extra_columns`.

    `options` are those of `asset_check`, such as `blocking`, and `severity`.
    """
    found = partial(tables.schema, schema=tuple(schema.items()), extra=extra_columns)
    return _check(asset, name, f"The columns are {listed(schema)}.", found, options)


def pandera_check(
    asset: AssetLike, schema: Any, *, name: str = "pandera_schema", **options: Any
) -> AssetChecksDefinition:
    """A check that a table fits a schema of pandera: a `DataFrameSchema` or a `DataFrameModel`. It
    shows the first values that do not. pandera has to be installed.

    `options` are those of `asset_check`, such as `blocking`, and `severity`.
    """
    made = schema.to_schema() if hasattr(schema, "to_schema") else schema
    if not hasattr(made, "validate"):
        raise TypeError(f"pandera_check takes a schema of pandera, not {described(schema)}")
    found = partial(tables.pandera, schema=made)
    return _check(asset, name, "The table fits its pandera schema.", found, options)


def build_last_update_freshness_checks(
    *,
    assets: Iterable[AssetLike],
    lower_bound_delta: timedelta,
    deadline_cron: str | None = None,
    timezone: str = "UTC",
    severity: AssetCheckSeverity = AssetCheckSeverity.WARN,
    blocking: bool = False,
) -> list[AssetChecksDefinition]:
    """A check for each of `assets` that it was updated at most `lower_bound_delta` ago, or, if
    `deadline_cron` is given, at most that long before the last time of that cron line.

    The checks look at the clock, so every run that selects them evaluates them.
    """
    found = partial(
        _freshness, delta=lower_bound_delta, deadline_cron=deadline_cron, timezone=timezone
    )
    options = {"severity": severity, "blocking": blocking}
    about = f"It was updated within {lower_bound_delta}."
    return [
        _check(asset, "freshness_check", about, found, options, kind=_OfPast) for asset in assets
    ]


@dataclass(frozen=True)
class _Found:
    """The function of a check, which can be pickled: `find` looks at the value."""

    find: Any
    severity: AssetCheckSeverity

    def _result(self, value: Any, context: Any = None) -> AssetCheckResult:
        passed, metadata, description = self.find(value, context)
        return AssetCheckResult(
            passed=passed,
            metadata=metadata,
            severity=self.severity,
            description=None if passed else description,
        )


@dataclass(frozen=True)
class _OfValue(_Found):
    def __call__(self, value: Any) -> AssetCheckResult:
        return self._result(value)


@dataclass(frozen=True)
class _OfValueAndPast(_Found):
    def __call__(self, context: AssetCheckExecutionContext, value: Any) -> AssetCheckResult:
        return self._result(value, context)


@dataclass(frozen=True)
class _OfPast(_Found):
    def __call__(self, context: AssetCheckExecutionContext) -> AssetCheckResult:
        return self._result(None, context)


def _check(
    asset: AssetLike,
    name: str,
    description: str,
    find: partial[Any],
    options: Mapping[str, Any],
    *,
    kind: Callable[..., Callable[..., Any]] = _OfValue,
) -> AssetChecksDefinition:
    known = OneCheckOptions.__annotations__.keys() - {"additional_ins"} | {"severity"}
    require_known("a ready-made check", options, sorted(known))
    given = {"description": description, **options}
    severity = severity_of(given.pop("severity", AssetCheckSeverity.ERROR))
    of_spec = {option: given.pop(option) for option in OF_SPEC if option in given}
    settings = {key: repr(value) for key, value in find.keywords.items()}
    given.setdefault("code_version", json.dumps([find.func.__name__, 1, severity, settings]))
    caller = _caller()
    made = check_of(
        kind(find, severity),
        [AssetCheckSpec(name, asset, **of_spec)],
        caller,
        options=given,
        always=kind is _OfPast,
        place=(caller.f_code.co_filename, caller.f_lineno),
    )
    current_registry().add(made)
    return made


def _caller() -> Any:
    """The code outside this module that declares a check."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__") == __name__:
        frame = frame.f_back
    return frame


def _freshness(
    _: object,
    context: AssetCheckExecutionContext,
    *,
    delta: timedelta,
    deadline_cron: str | None,
    timezone: str,
) -> tables.Found:
    moment = now = datetime.now(UTC)
    if deadline_cron is not None:
        from zoneinfo import ZoneInfo

        from cronsim import CronSim

        moment = next(CronSim(deadline_cron, now.astimezone(ZoneInfo(timezone)), reverse=True))
    updated = context.asset_updated_at()
    if updated is None:
        return False, {}, "it was never materialized"
    late = (moment - delta) - updated
    metadata: dict[str, Any] = {"last updated": MetadataValue.timestamp(updated)}
    if late <= timedelta(0):
        return True, metadata, ""
    metadata["overdue seconds"] = round(late.total_seconds())
    return False, metadata, f"it was last updated {updated:%Y-%m-%d %H:%M} UTC"


def _names(columns: Sequence[str]) -> tuple[str, ...]:
    if isinstance(columns, str) or not columns:
        raise TypeError(f"columns takes a list of names, not {columns!r}")
    return tuple(columns)
