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
    from assetgraph.definitions.check_results import AssetCheckResult, AssetCheckSeverity
    from assetgraph.definitions.checks import (
        AssetChecksDefinition,
        AssetCheckSpec,
        asset_check,
        multi_asset_check,
    )
    from assetgraph.definitions.computation import AssetSpec
    from assetgraph.definitions.config import Config
    from assetgraph.definitions.context import AssetExecutionContext
    from assetgraph.definitions.decorator import asset
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
    from assetgraph.states import DagsterRunStatus
    from assetgraph.version import __version__ as __version__

_HOME = {
    "AllPartitionMapping": "definitions.partitions.simple_mappings",
    "Asset": "definitions.asset",
    "AssetCheckExecutionContext": "definitions.check_context",
    "AssetCheckResult": "definitions.check_results",
    "AssetCheckSeverity": "definitions.check_results",
    "AssetCheckSpec": "definitions.checks",
    "AssetChecksDefinition": "definitions.checks",
    "AssetDep": "definitions.asset",
    "AssetExecutionContext": "definitions.context",
    "AssetGraph": "graph.asset_graph",
    "AssetGraphError": "errors",
    "AssetIn": "definitions.asset",
    "AssetKey": "keys",
    "AssetOut": "definitions.multi_asset",
    "AssetSelection": "definitions.selection.asset_selection",
    "AssetSpec": "definitions.computation",
    "AssetsDefinition": "definitions.asset",
    "AutomationCondition": "definitions.automation.conditions",
    "BackfillPolicy": "definitions.backfill_policy",
    "Backoff": "definitions.retries",
    "CheckContext": "definitions.io_manager",
    "Config": "definitions.config",
    "DagsterAssetCheckFailedError": "errors",
    "DagsterInstance": "instance",
    "DagsterInvalidConfigError": "errors",
    "DagsterInvalidDefinitionError": "errors",
    "DagsterInvalidInvocationError": "errors",
    "DagsterInvalidMetadata": "errors",
    "DagsterInvalidSubsetError": "errors",
    "DagsterInvariantViolationError": "errors",
    "DagsterRunStatus": "states",
    "DagsterStepOutputNotFoundError": "errors",
    "DagsterTypeCheckDidNotPass": "errors",
    "DagsterUnknownPartitionError": "errors",
    "DailyPartitionsDefinition": "definitions.partitions.periods",
    "DataVersion": "definitions.external",
    "DefaultScheduleStatus": "definitions.automation.schedules",
    "DefaultSensorStatus": "definitions.automation.sensors",
    "Definitions": "graph.definitions",
    "DimensionPartitionMapping": "definitions.partitions.multi_mapping",
    "DynamicPartitionsDefinition": "definitions.partitions.listed",
    "HourlyPartitionsDefinition": "definitions.partitions.periods",
    "IOManager": "definitions.io_manager",
    "IdentityPartitionMapping": "definitions.partitions.simple_mappings",
    "InputContext": "definitions.io_manager",
    "Instance": "instance",
    "Jitter": "definitions.retries",
    "JobDefinition": "definitions.automation.job",
    "LastPartitionMapping": "definitions.partitions.simple_mappings",
    "LazyDefinitions": "definitions.lazy_definitions",
    "MaterializeResult": "definitions.metadata",
    "MetadataValue": "definitions.metadata",
    "MonthlyPartitionsDefinition": "definitions.partitions.periods",
    "MultiPartitionKey": "definitions.partitions.keys",
    "MultiPartitionMapping": "definitions.partitions.multi_mapping",
    "MultiPartitionsDefinition": "definitions.partitions.multi",
    "MultiToSingleDimensionPartitionMapping": "definitions.partitions.multi_mapping",
    "ObserveResult": "definitions.external",
    "Output": "definitions.metadata",
    "OutputContext": "definitions.io_manager",
    "PartitionKeyRange": "definitions.partitions.keys",
    "PartitionMapping": "definitions.partitions.mapping",
    "PartitionsDefinition": "definitions.partitions.definition",
    "PartitionsError": "errors",
    "Registry": "definitions.registry",
    "RetryPolicy": "definitions.retries",
    "RetryRequested": "definitions.retries",
    "RunConfig": "definitions.run_config",
    "RunFailureSensorContext": "definitions.automation.contexts",
    "RunRequest": "definitions.automation.requests",
    "RunResult": "api",
    "RunStatusSensorContext": "definitions.automation.contexts",
    "ScheduleDefinition": "definitions.automation.schedules",
    "ScheduleEvaluationContext": "definitions.automation.contexts",
    "SensorDefinition": "definitions.automation.sensors",
    "SensorEvaluationContext": "definitions.automation.contexts",
    "SensorResult": "definitions.automation.requests",
    "SkipReason": "definitions.automation.requests",
    "SpecificPartitionsPartitionMapping": "definitions.partitions.simple_mappings",
    "StaticPartitionMapping": "definitions.partitions.simple_mappings",
    "StaticPartitionsDefinition": "definitions.partitions.listed",
    "TimeWindow": "definitions.partitions.time_window",
    "TimeWindowPartitionMapping": "definitions.partitions.time_mapping",
    "TimeWindowPartitionsDefinition": "definitions.partitions.time_window",
    "WeeklyPartitionsDefinition": "definitions.partitions.periods",
    "__version__": "version",
    "asset": "definitions.decorator",
    "asset_check": "definitions.checks",
    "asset_sensor": "definitions.automation.sensors",
    "build_asset_check_context": "definitions.built_context",
    "build_asset_context": "definitions.built_context",
    "build_run_status_sensor_context": "definitions.automation.contexts",
    "build_schedule_context": "definitions.automation.contexts",
    "build_schedule_from_partitioned_job": "definitions.automation.partitioned_schedule",
    "build_sensor_context": "definitions.automation.contexts",
    "components": "project.defs_folder",
    "define_asset_job": "definitions.automation.job",
    "definitions": "definitions",
    "file_relative_path": "project.defs_folder",
    "load": "api",
    "load_asset_checks_from_modules": "graph.definitions",
    "load_assets_from_current_module": "project.defs_folder",
    "load_assets_from_modules": "graph.definitions",
    "load_assets_from_package_module": "project.defs_folder",
    "load_assets_from_package_name": "project.defs_folder",
    "load_defs": "project.defs_folder",
    "load_from_defs_folder": "project.defs_folder",
    "map_asset_specs": "definitions.spec_changes",
    "materialize": "api",
    "multi_asset": "definitions.multi_asset",
    "multi_asset_check": "definitions.checks",
    "observable_source_asset": "definitions.external",
    "run_failure_sensor": "definitions.automation.sensors",
    "run_status_sensor": "definitions.automation.sensors",
    "schedule": "definitions.automation.schedules",
    "sensor": "definitions.automation.sensors",
    "source_file": "definitions.external",
}

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
    "HourlyPartitionsDefinition",
    "IOManager",
    "IdentityPartitionMapping",
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
    "RetryPolicy",
    "RetryRequested",
    "RunConfig",
    "RunFailureSensorContext",
    "RunRequest",
    "RunResult",
    "RunStatusSensorContext",
    "ScheduleDefinition",
    "ScheduleEvaluationContext",
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
    "build_run_status_sensor_context",
    "build_schedule_context",
    "build_schedule_from_partitioned_job",
    "build_sensor_context",
    "components",
    "define_asset_job",
    "definitions",
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
    "observable_source_asset",
    "run_failure_sensor",
    "run_status_sensor",
    "schedule",
    "sensor",
    "source_file",
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
