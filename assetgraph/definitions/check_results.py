"""What a check found: as its function returns it, and as it is recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from assetgraph.definitions.annotations import described
from assetgraph.definitions.asset import Asset, unchecked_key
from assetgraph.definitions.computation import AssetSpec
from assetgraph.definitions.metadata import MetadataValue, metadata_value
from assetgraph.keys import AssetKey, Target, checked_asset

AssetLike = str | Sequence[str] | AssetKey | Asset | AssetSpec


class AssetCheckSeverity(StrEnum):
    """How bad it is that a check failed. Only an `ERROR` blocks what reads the asset."""

    WARN = "WARN"
    ERROR = "ERROR"


@dataclass(frozen=True, kw_only=True)
class AssetCheckResult:
    """What a check found.

        return AssetCheckResult(passed=not late, metadata={"late": len(late)})

    `metadata` is recorded with it, and shown. `severity` says how bad it is if the check failed. A
    function of several checks says which one it is about, with `check_name`, and with `asset_key`
    where checks of two assets have one name.

    Raises `TypeError` and `MetadataError` for a value that cannot be recorded.
    """

    passed: bool
    asset_key: AssetKey | None = None
    check_name: str | None = None
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    severity: AssetCheckSeverity = AssetCheckSeverity.ERROR
    description: str | None = None

    def __init__(
        self,
        *,
        passed: bool,
        asset_key: AssetLike | None = None,
        check_name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        severity: AssetCheckSeverity = AssetCheckSeverity.ERROR,
        description: str | None = None,
    ) -> None:
        given = {
            "passed": _bool(passed),
            "asset_key": None if asset_key is None else unchecked_key(asset_key),
            "check_name": check_name,
            "metadata": {str(k): metadata_value(str(k), v) for k, v in (metadata or {}).items()},
            "severity": severity_of(severity),
            "description": None if description is None else str(description),
        }
        for name, value in given.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True, kw_only=True)
class AssetCheckEvaluation:
    """What a check found in a run, as it is recorded: see `RunResult.get_asset_check_evaluations`.

    `partition` is that of the asset, of a check with partitions.
    """

    asset_key: AssetKey
    check_name: str
    passed: bool
    severity: AssetCheckSeverity
    metadata: Mapping[str, MetadataValue]
    description: str | None
    blocking: bool
    partition: str | None


def evaluation_of(target: Target, recorded: Mapping[str, Any]) -> AssetCheckEvaluation:
    """The evaluation that the event of a check has, by the check as a target."""
    asset = checked_asset(target.key)
    assert asset is not None
    metadata = recorded.get("metadata", {})
    return AssetCheckEvaluation(
        asset_key=asset,
        check_name=target.key.text[len(asset.text) + 1 :],
        passed=recorded["passed"],
        severity=AssetCheckSeverity(recorded.get("severity", "ERROR")),
        metadata={name: MetadataValue.from_json(value) for name, value in metadata.items()},
        description=recorded.get("description"),
        blocking=recorded.get("blocking", False),
        partition=target.partition,
    )


def _bool(given: Any) -> bool:
    if isinstance(given, bool):
        return given
    if type(given).__name__ in ("bool", "bool_") and hasattr(given, "item"):  # numpy's
        return bool(given.item())
    raise TypeError(f"passed must be True or False, not {described(given)}")


def severity_of(given: Any) -> AssetCheckSeverity:
    """The severity that is given, or its text. Raises `TypeError` for anything else."""
    try:
        return AssetCheckSeverity(given)
    except ValueError:
        raise TypeError(f"severity must be an AssetCheckSeverity, not {given!r}") from None
