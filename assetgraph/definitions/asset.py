"""`Asset`, the computation of a single asset, and the ways to name an asset or an upstream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.computation import AssetSpec, Computation
from assetgraph.definitions.registry import public_object
from assetgraph.keys import AssetKey

if TYPE_CHECKING:
    from assetgraph.definitions.io_manager import IOManager
    from assetgraph.definitions.partitions.definition import PartitionsDefinition
    from assetgraph.definitions.partitions.mapping import PartitionMapping


@dataclass(frozen=True, slots=True)
class AssetIn:
    """The upstream that a parameter loads: `key`, or the parameter's name under `key_prefix`.

    `partition_mapping` says which of its partitions a partition reads. A table of several
    partitions has their keys in a column if `partition_column` names one.
    """

    key: str | Sequence[str] | AssetKey | Asset | None = None
    key_prefix: str | Sequence[str] | None = None
    partition_mapping: PartitionMapping | None = None
    partition_column: str | None = None

    def __getstate__(self) -> list[Any]:
        """The state to pickle: the same bytes as of earlier versions where it means the same."""
        more = [self.partition_mapping, self.partition_column]
        return [self.key, self.key_prefix, *(more if any(more) else ())]

    def __setstate__(self, state: list[Any]) -> None:
        names = ("key", "key_prefix", "partition_mapping", "partition_column")
        for name, value in zip(names, [*state, None, None], strict=False):
            object.__setattr__(self, name, value)

    def resolve(self, parameter: str) -> AssetKey:
        key = _checked_key(self.key) if self.key is not None else AssetKey(parameter)
        return key.with_prefix(self.key_prefix) if self.key_prefix else key


@dataclass(frozen=True, slots=True)
class AssetDep:
    """An upstream that is not loaded. `partition_mapping` says which of its partitions a partition
    depends on."""

    asset: str | Sequence[str] | AssetKey | Asset | AssetSpec
    partition_mapping: PartitionMapping | None = None


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Asset(Computation):
    """A function that materializes one asset. `@asset` returns it; calling it calls the
    function."""

    @property
    def asset_spec(self) -> AssetSpec:
        return self.specs[0]

    @property
    def key(self) -> AssetKey:
        return self.specs[0].key

    @property
    def __name__(self) -> str:
        return self.specs[0].key.name

    @property
    def deps(self) -> tuple[AssetKey, ...]:
        """The upstreams that are not loaded."""
        return self.specs[0].deps

    @property
    def group_name(self) -> str:
        return self.specs[0].group_name

    @property
    def description(self) -> str | None:
        return self.specs[0].description

    @property
    def tags(self) -> Mapping[str, str]:
        return self.specs[0].tags

    @property
    def owners(self) -> tuple[str, ...]:
        return self.specs[0].owners

    @property
    def kinds(self) -> frozenset[str]:
        return self.specs[0].kinds

    @property
    def metadata(self) -> Mapping[str, Any]:
        return self.specs[0].metadata

    @property
    def io_manager(self) -> IOManager | None:
        return self.specs[0].io_manager

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        return self.specs[0].partitions_def

    def map_asset_specs(self, func: Callable[[AssetSpec], AssetSpec]) -> Asset:
        """The same function, for assets of the specs that `func` makes of its specs."""
        made: Asset = public_object("map_asset_specs")(func, [self])[0]
        return made

    @property
    def automation_condition(self) -> Any:
        """The `AutomationCondition`, or None. Nothing acts on it."""
        return self.specs[0].automation_condition

    def of_specs(self, specs: tuple[AssetSpec, ...], ins: Mapping[str, AssetKey]) -> Asset:
        """The same function for assets of other specs, with other upstreams for its parameters."""
        return replace(self, name=specs[0].key.text, specs=specs, ins=ins)


def unchecked_key(given: str | Sequence[str] | AssetKey | Asset | AssetSpec) -> AssetKey:
    """A key as written. The graph checks it later, together with everything else.

    Raises `TypeError` for anything that does not name an asset.
    """
    if isinstance(given, AssetSpec):
        return unchecked_key(given.key)
    if isinstance(given, Asset):
        return given.key
    if isinstance(given, AssetKey):
        return given
    if isinstance(given, Sequence) and all(isinstance(part, str) for part in given):
        return AssetKey.unchecked(given)
    raise TypeError(f"{given!r} is not an asset, an asset key or the text of a key")


def _checked_key(given: str | Sequence[str] | AssetKey | Asset) -> AssetKey:
    return AssetKey(unchecked_key(given).parts)


AssetsDefinition = Asset  # what Dagster calls it
