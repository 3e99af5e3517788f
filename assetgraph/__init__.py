"""A standalone asset-graph engine: functions become assets, parameters become lineage.

    import assetgraph as dg

    @dg.asset
    def raw_trips() -> list[dict[str, int]]: ...

    @dg.asset
    def daily_fares(raw_trips): ...

A concept that Dagster has too has Dagster's name. Each name is imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assetgraph.api import RunResult, load, materialize
    from assetgraph.checks import (
        build_last_update_freshness_checks,
        no_nulls_check,
        pandera_check,
        row_count_check,
        schema_check,
        unique_check,
    )
    from assetgraph.definitions import definitions
    from assetgraph.definitions.asset import Asset, AssetDep, AssetIn, AssetsDefinition
    from assetgraph.definitions.automation.conditions import AutomationCondition
    from assetgraph.definitions.automation.contexts import (
        RunFailureSensorContext,
        RunStatusSensorContext,
        ScheduleEvaluationContext,
        SensorEvaluationContext,
        build_run_status_sensor_context,
        build_schedule_context,
        build_sensor_context,
    )
    from assetgraph.definitions.automation.job import JobDefinition, define_asset_job
    from assetgraph.definitions.automation.partitioned_schedule import (
        build_schedule_from_partitioned_job,
    )
    from assetgraph.definitions.automation.requests import RunRequest, SensorResult, SkipReason
    from assetgraph.definitions.automation.schedules import (
        DefaultScheduleStatus,
        ScheduleDefinition,
        schedule,
    )
    from assetgraph.definitions.automation.sensors import (
        DefaultSensorStatus,
        SensorDefinition,
        asset_sensor,
        run_failure_sensor,
        run_status_sensor,
        sensor,
    )
    from assetgraph.definitions.backfill_policy import BackfillPolicy
    from assetgraph.definitions.built_context import build_asset_check_context, build_asset_context
    from assetgraph.definitions.check_context import AssetCheckExecutionContext
    from assetgraph.definitions.check_nodes import AssetCheckSpec
    from assetgraph.definitions.check_results import AssetCheckResult, AssetCheckSeverity
    from assetgraph.definitions.checks import AssetChecksDefinition, asset_check, multi_asset_check
    from assetgraph.definitions.computation import AssetSpec
    from assetgraph.definitions.config import Config
    from assetgraph.definitions.context import AssetExecutionContext
    from assetgraph.definitions.decorator import asset
    from assetgraph.definitions.env_var import EnvVar
    from assetgraph.definitions.external import (
        DataVersion,
        ObserveResult,
        observable_source_asset,
        source_file,
    )
    from assetgraph.definitions.io_manager import (
        CheckContext,
        InputContext,
        IOManager,
        OutputContext,
    )
    from assetgraph.definitions.lazy_definitions import LazyDefinitions
    from assetgraph.definitions.metadata import MaterializeResult, MetadataValue, Output
    from assetgraph.definitions.multi_asset import AssetOut, multi_asset
    from assetgraph.definitions.partitions.definition import PartitionsDefinition
    from assetgraph.definitions.partitions.keys import MultiPartitionKey, PartitionKeyRange
    from assetgraph.definitions.partitions.listed import (
        DynamicPartitionsDefinition,
        StaticPartitionsDefinition,
    )
    from assetgraph.definitions.partitions.mapping import PartitionMapping
    from assetgraph.definitions.partitions.multi import MultiPartitionsDefinition
    from assetgraph.definitions.partitions.multi_mapping import (
        DimensionPartitionMapping,
        MultiPartitionMapping,
        MultiToSingleDimensionPartitionMapping,
    )
    from assetgraph.definitions.partitions.periods import (
        DailyPartitionsDefinition,
        HourlyPartitionsDefinition,
        MonthlyPartitionsDefinition,
        WeeklyPartitionsDefinition,
    )
    from assetgraph.definitions.partitions.simple_mappings import (
        AllPartitionMapping,
        IdentityPartitionMapping,
        LastPartitionMapping,
        SpecificPartitionsPartitionMapping,
        StaticPartitionMapping,
    )
    from assetgraph.definitions.partitions.time_mapping import TimeWindowPartitionMapping
    from assetgraph.definitions.partitions.time_window import (
        TimeWindow,
        TimeWindowPartitionsDefinition,
    )
    from assetgraph.definitions.registry import Registry
    from assetgraph.definitions.resources import (
        ConfigurableResource,
        InitResourceContext,
        ResourceDefinition,
        ResourceParam,
        Secret,
    )
    from assetgraph.definitions.retries import Backoff, Jitter, RetryPolicy, RetryRequested
    from assetgraph.definitions.run_config import RunConfig
    from assetgraph.definitions.selection.asset_selection import AssetSelection
    from assetgraph.definitions.spec_changes import map_asset_specs
    from assetgraph.errors import (
        AssetGraphError,
        DagsterAssetCheckFailedError,
        DagsterInvalidConfigError,
        DagsterInvalidDefinitionError,
        DagsterInvalidInvocationError,
        DagsterInvalidMetadata,
        DagsterInvalidSubsetError,
        DagsterInvariantViolationError,
        DagsterStepOutputNotFoundError,
        DagsterTypeCheckDidNotPass,
        DagsterUnknownPartitionError,
        PartitionsError,
    )
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.graph.definitions import (
        Definitions,
        load_asset_checks_from_modules,
        load_assets_from_modules,
    )
    from assetgraph.instance import DagsterInstance, Instance
    from assetgraph.keys import AssetKey
    from assetgraph.project.defs_folder import (
        components,
        file_relative_path,
        load_assets_from_current_module,
        load_assets_from_package_module,
        load_assets_from_package_name,
        load_defs,
        load_from_defs_folder,
    )
    from assetgraph.queries.automation_ticks import evaluate_automation_conditions
    from assetgraph.states import DagsterRunStatus
    from assetgraph.version import __version__ as __version__

# The public names, by the module that has them.
_NAMES = {
    "api": "RunResult load materialize",
    "checks": (
        "build_last_update_freshness_checks no_nulls_check pandera_check row_count_check "
        "schema_check unique_check"
    ),
    "definitions": "definitions",
    "definitions.asset": "Asset AssetDep AssetIn AssetsDefinition",
    "definitions.automation.conditions": "AutomationCondition",
    "definitions.automation.contexts": (
        "RunFailureSensorContext RunStatusSensorContext ScheduleEvaluationContext "
        "SensorEvaluationContext build_run_status_sensor_context build_schedule_context "
        "build_sensor_context"
    ),
    "definitions.automation.job": "JobDefinition define_asset_job",
    "definitions.automation.partitioned_schedule": "build_schedule_from_partitioned_job",
    "definitions.automation.requests": "RunRequest SensorResult SkipReason",
    "definitions.automation.schedules": "DefaultScheduleStatus ScheduleDefinition schedule",
    "definitions.automation.sensors": (
        "DefaultSensorStatus SensorDefinition asset_sensor run_failure_sensor run_status_sensor "
        "sensor"
    ),
    "definitions.backfill_policy": "BackfillPolicy",
    "definitions.built_context": "build_asset_check_context build_asset_context",
    "definitions.check_context": "AssetCheckExecutionContext",
    "definitions.check_results": "AssetCheckResult AssetCheckSeverity",
    "definitions.check_nodes": "AssetCheckSpec",
    "definitions.checks": "AssetChecksDefinition asset_check multi_asset_check",
    "definitions.computation": "AssetSpec",
    "definitions.config": "Config",
    "definitions.context": "AssetExecutionContext",
    "definitions.decorator": "asset",
    "definitions.env_var": "EnvVar",
    "definitions.external": "DataVersion ObserveResult observable_source_asset source_file",
    "definitions.io_manager": "CheckContext IOManager InputContext OutputContext",
    "definitions.lazy_definitions": "LazyDefinitions",
    "definitions.metadata": "MaterializeResult MetadataValue Output",
    "definitions.multi_asset": "AssetOut multi_asset",
    "definitions.partitions.definition": "PartitionsDefinition",
    "definitions.partitions.keys": "MultiPartitionKey PartitionKeyRange",
    "definitions.partitions.listed": "DynamicPartitionsDefinition StaticPartitionsDefinition",
    "definitions.partitions.mapping": "PartitionMapping",
    "definitions.partitions.multi": "MultiPartitionsDefinition",
    "definitions.partitions.multi_mapping": (
        "DimensionPartitionMapping MultiPartitionMapping MultiToSingleDimensionPartitionMapping"
    ),
    "definitions.partitions.periods": (
        "DailyPartitionsDefinition HourlyPartitionsDefinition MonthlyPartitionsDefinition "
        "WeeklyPartitionsDefinition"
    ),
    "definitions.partitions.simple_mappings": (
        "AllPartitionMapping IdentityPartitionMapping LastPartitionMapping "
        "SpecificPartitionsPartitionMapping StaticPartitionMapping"
    ),
    "definitions.partitions.time_mapping": "TimeWindowPartitionMapping",
    "definitions.partitions.time_window": "TimeWindow TimeWindowPartitionsDefinition",
    "definitions.registry": "Registry",
    "definitions.resources": (
        "ConfigurableResource InitResourceContext ResourceDefinition ResourceParam Secret"
    ),
    "definitions.retries": "Backoff Jitter RetryPolicy RetryRequested",
    "definitions.run_config": "RunConfig",
    "definitions.selection.asset_selection": "AssetSelection",
    "definitions.spec_changes": "map_asset_specs",
    "errors": (
        "AssetGraphError DagsterAssetCheckFailedError DagsterInvalidConfigError "
        "DagsterInvalidDefinitionError DagsterInvalidInvocationError DagsterInvalidMetadata "
        "DagsterInvalidSubsetError DagsterInvariantViolationError "
        "DagsterStepOutputNotFoundError DagsterTypeCheckDidNotPass DagsterUnknownPartitionError "
        "PartitionsError"
    ),
    "graph.asset_graph": "AssetGraph",
    "graph.definitions": "Definitions load_asset_checks_from_modules load_assets_from_modules",
    "instance": "DagsterInstance Instance",
    "keys": "AssetKey",
    "project.defs_folder": (
        "components file_relative_path load_assets_from_current_module "
        "load_assets_from_package_module load_assets_from_package_name load_defs "
        "load_from_defs_folder"
    ),
    "queries.automation_ticks": "evaluate_automation_conditions",
    "states": "DagsterRunStatus",
    "version": "__version__",
}
_HOME = {name: home for home, names in _NAMES.items() for name in names.split()}

__all__ = [
    "AllPartitionMapping",
    "Asset",
    "AssetCheckExecutionContext",
    "AssetCheckResult",
    "AssetCheckSeverity",
    "AssetCheckSpec",
    "AssetChecksDefinition",
    "AssetDep",
    "AssetExecutionContext",
    "AssetGraph",
    "AssetGraphError",
    "AssetIn",
    "AssetKey",
    "AssetOut",
    "AssetSelection",
    "AssetSpec",
    "AssetsDefinition",
    "AutomationCondition",
    "BackfillPolicy",
    "Backoff",
    "CheckContext",
    "Config",
    "ConfigurableResource",
    "DagsterAssetCheckFailedError",
    "DagsterInstance",
    "DagsterInvalidConfigError",
    "DagsterInvalidDefinitionError",
    "DagsterInvalidInvocationError",
    "DagsterInvalidMetadata",
    "DagsterInvalidSubsetError",
    "DagsterInvariantViolationError",
    "DagsterRunStatus",
    "DagsterStepOutputNotFoundError",
    "DagsterTypeCheckDidNotPass",
    "DagsterUnknownPartitionError",
    "DailyPartitionsDefinition",
    "DataVersion",
    "DefaultScheduleStatus",
    "DefaultSensorStatus",
    "Definitions",
    "DimensionPartitionMapping",
    "DynamicPartitionsDefinition",
    "EnvVar",
    "HourlyPartitionsDefinition",
    "IOManager",
    "IdentityPartitionMapping",
    "InitResourceContext",
    "InputContext",
    "Instance",
    "Jitter",
    "JobDefinition",
    "LastPartitionMapping",
    "LazyDefinitions",
    "MaterializeResult",
    "MetadataValue",
    "MonthlyPartitionsDefinition",
    "MultiPartitionKey",
    "MultiPartitionMapping",
    "MultiPartitionsDefinition",
    "MultiToSingleDimensionPartitionMapping",
    "ObserveResult",
    "Output",
    "OutputContext",
    "PartitionKeyRange",
    "PartitionMapping",
    "PartitionsDefinition",
    "PartitionsError",
    "Registry",
    "ResourceDefinition",
    "ResourceParam",
    "RetryPolicy",
    "RetryRequested",
    "RunConfig",
    "RunFailureSensorContext",
    "RunRequest",
    "RunResult",
    "RunStatusSensorContext",
    "ScheduleDefinition",
    "ScheduleEvaluationContext",
    "Secret",
    "SensorDefinition",
    "SensorEvaluationContext",
    "SensorResult",
    "SkipReason",
    "SpecificPartitionsPartitionMapping",
    "StaticPartitionMapping",
    "StaticPartitionsDefinition",
    "TimeWindow",
    "TimeWindowPartitionMapping",
    "TimeWindowPartitionsDefinition",
    "WeeklyPartitionsDefinition",
    "__version__",
    "asset",
    "asset_check",
    "asset_sensor",
    "build_asset_check_context",
    "build_asset_context",
    "build_last_update_freshness_checks",
    "build_run_status_sensor_context",
    "build_schedule_context",
    "build_schedule_from_partitioned_job",
    "build_sensor_context",
    "components",
    "define_asset_job",
    "definitions",
    "evaluate_automation_conditions",
    "file_relative_path",
    "load",
    "load_asset_checks_from_modules",
    "load_assets_from_current_module",
    "load_assets_from_modules",
    "load_assets_from_package_module",
    "load_assets_from_package_name",
    "load_defs",
    "load_from_defs_folder",
    "map_asset_specs",
    "materialize",
    "multi_asset",
    "multi_asset_check",
    "no_nulls_check",
    "observable_source_asset",
    "pandera_check",
    "row_count_check",
    "run_failure_sensor",
    "run_status_sensor",
    "schedule",
    "schema_check",
    "sensor",
    "source_file",
    "unique_check",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'assetgraph' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"assetgraph.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
