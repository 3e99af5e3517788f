"""How pickles name classes: those of the project, and the public ones of assetgraph.

A pickle names a class by its module. The modules of assetgraph may move between versions, so a
public class is found by its public name, and hashed under a module name that never changes.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

# The module name that counts in the data version of a pickle that names a public class. These are
# the modules of the first version. A class that is added later gets the module it has then.
_HASHED_MODULES = {
    "AllPartitionMapping": "assetgraph.definitions.partitions.simple_mappings",
    "Asset": "assetgraph.assets",
    "AssetCheckExecutionContext": "assetgraph.definitions.check_context",
    "AssetCheckResult": "assetgraph.definitions.check_results",
    "AssetCheckSeverity": "assetgraph.definitions.check_results",
    "AssetCheckSpec": "assetgraph.definitions.checks",
    "AssetChecksDefinition": "assetgraph.definitions.checks",
    "AssetDep": "assetgraph.definitions.asset",
    "AssetExecutionContext": "assetgraph.context",
    "AssetGraph": "assetgraph.graph",
    "AssetGraphError": "assetgraph.errors",
    "AssetIn": "assetgraph.assets",
    "AssetKey": "assetgraph.keys",
    "AssetOut": "assetgraph.definitions.multi_asset",
    "AssetSelection": "assetgraph.definitions.selection.asset_selection",
    "AssetSpec": "assetgraph.definitions.computation",
    "AssetsDefinition": "assetgraph.definitions.asset",
    "AutomationCondition": "assetgraph.definitions.automation.conditions",
    "BackfillPolicy": "assetgraph.definitions.backfill_policy",
    "Backoff": "assetgraph.retries",
    "CheckContext": "assetgraph.definitions.io_manager",
    "Config": "assetgraph.config",
    "ConfigurableResource": "assetgraph.definitions.resources",
    "DagsterAssetCheckFailedError": "assetgraph.errors",
    "DagsterInstance": "assetgraph.instance",
    "DagsterInvalidConfigError": "assetgraph.errors",
    "DagsterInvalidDefinitionError": "assetgraph.errors",
    "DagsterInvalidInvocationError": "assetgraph.errors",
    "DagsterInvalidMetadata": "assetgraph.errors",
    "DagsterInvalidSubsetError": "assetgraph.errors",
    "DagsterInvariantViolationError": "assetgraph.errors",
    "DagsterRunStatus": "assetgraph.states",
    "DagsterStepOutputNotFoundError": "assetgraph.errors",
    "DagsterTypeCheckDidNotPass": "assetgraph.errors",
    "DagsterUnknownPartitionError": "assetgraph.errors",
    "DailyPartitionsDefinition": "assetgraph.definitions.partitions.periods",
    "DataVersion": "assetgraph.definitions.external",
    "DefaultScheduleStatus": "assetgraph.definitions.automation.schedules",
    "DefaultSensorStatus": "assetgraph.definitions.automation.sensors",
    "Definitions": "assetgraph.definitions",
    "DimensionPartitionMapping": "assetgraph.definitions.partitions.multi_mapping",
    "DynamicPartitionsDefinition": "assetgraph.definitions.partitions.listed",
    "EnvVar": "assetgraph.definitions.env_var",
    "HourlyPartitionsDefinition": "assetgraph.definitions.partitions.periods",
    "IOManager": "assetgraph.io_manager",
    "IdentityPartitionMapping": "assetgraph.definitions.partitions.simple_mappings",
    "InitResourceContext": "assetgraph.definitions.resources",
    "InputContext": "assetgraph.io_manager",
    "Instance": "assetgraph.api",
    "Jitter": "assetgraph.retries",
    "JobDefinition": "assetgraph.definitions.automation.job",
    "LastPartitionMapping": "assetgraph.definitions.partitions.simple_mappings",
    "LazyDefinitions": "assetgraph.definitions.lazy_definitions",
    "MaterializeResult": "assetgraph.metadata",
    "MetadataValue": "assetgraph.metadata",
    "MonthlyPartitionsDefinition": "assetgraph.definitions.partitions.periods",
    "MultiPartitionKey": "assetgraph.definitions.partitions.keys",
    "MultiPartitionMapping": "assetgraph.definitions.partitions.multi_mapping",
    "MultiPartitionsDefinition": "assetgraph.definitions.partitions.multi",
    "MultiToSingleDimensionPartitionMapping": "assetgraph.definitions.partitions.multi_mapping",
    "ObserveResult": "assetgraph.definitions.external",
    "Output": "assetgraph.definitions.metadata",
    "OutputContext": "assetgraph.io_manager",
    "PartitionKeyRange": "assetgraph.definitions.partitions.keys",
    "PartitionMapping": "assetgraph.definitions.partitions.mapping",
    "PartitionsDefinition": "assetgraph.definitions.partitions.definition",
    "PartitionsError": "assetgraph.errors",
    "Registry": "assetgraph.registry",
    "ResourceDefinition": "assetgraph.definitions.resources",
    "RetryPolicy": "assetgraph.retries",
    "RetryRequested": "assetgraph.retries",
    "RunConfig": "assetgraph.api",
    "RunFailureSensorContext": "assetgraph.definitions.automation.contexts",
    "RunRequest": "assetgraph.definitions.automation.requests",
    "RunResult": "assetgraph.api",
    "RunStatusSensorContext": "assetgraph.definitions.automation.contexts",
    "ScheduleDefinition": "assetgraph.definitions.automation.schedules",
    "ScheduleEvaluationContext": "assetgraph.definitions.automation.contexts",
    "SensorDefinition": "assetgraph.definitions.automation.sensors",
    "SensorEvaluationContext": "assetgraph.definitions.automation.contexts",
    "SensorResult": "assetgraph.definitions.automation.requests",
    "SkipReason": "assetgraph.definitions.automation.requests",
    "SpecificPartitionsPartitionMapping": "assetgraph.definitions.partitions.simple_mappings",
    "StaticPartitionMapping": "assetgraph.definitions.partitions.simple_mappings",
    "StaticPartitionsDefinition": "assetgraph.definitions.partitions.listed",
    "TimeWindow": "assetgraph.definitions.partitions.time_window",
    "TimeWindowPartitionMapping": "assetgraph.definitions.partitions.time_mapping",
    "TimeWindowPartitionsDefinition": "assetgraph.definitions.partitions.time_window",
    "WeeklyPartitionsDefinition": "assetgraph.definitions.partitions.periods",
    "components": "assetgraph.project.defs_folder",
}
_HASHED_MODULES = {name: sys.intern(module) for name, module in _HASHED_MODULES.items()}


def hashed_module(item: Any) -> str | None:
    """The module name under which a class is hashed, if it is not the module's present name."""
    module = getattr(item, "__module__", None)
    if not isinstance(module, str) or not module.startswith("assetgraph."):
        return None
    name = item.__qualname__
    hashed = _HASHED_MODULES.get(name)
    if hashed is None or hashed == module or public_object(name) is not item:
        return None
    return hashed


def public_object(name: str) -> Any:
    """What assetgraph exports under a name, or None."""
    package = sys.modules["assetgraph"]
    return getattr(package, name) if name in package.__all__ else None


def class_exists(name: str) -> bool:
    """Whether `module:qualname` still names something. A module that is not imported is only looked
    for, never imported."""
    module_name, _, qualname = name.partition(":")
    found: Any = sys.modules.get(module_name)
    if found is None:
        return _module_exists(module_name)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found is not None


def _module_exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
