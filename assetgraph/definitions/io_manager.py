"""`IOManager`: base class for storing the values of assets in a way of your own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from assetgraph.definitions.context import PartitionContext
from assetgraph.definitions.metadata import MetadataValue
from assetgraph.errors import AssetGraphError

if TYPE_CHECKING:
    from assetgraph.definitions.partitions.definition import PartitionsDefinition
    from assetgraph.keys import AssetKey
    from assetgraph.records import Materialization

# What an IO manager may say of a value that it stored.
Condition = Literal["intact", "changed", "gone", "damaged"]


class _OfPartition(PartitionContext):
    """The partition that a value belongs to, under Dagster's names."""

    __slots__ = ()
    partition: str | None
    asset_partitions_def: PartitionsDefinition | None

    @property
    def asset_partition_key(self) -> str:
        return self.partition_key

    @property
    def asset_partition_keys(self) -> tuple[str, ...]:
        return self.partition_keys

    @property
    def has_asset_partitions(self) -> bool:
        return self.has_partition_key

    @property
    def _partitions(self) -> tuple[str, ...]:
        return () if self.partition is None else (self.partition,)

    @property
    def _definition(self) -> PartitionsDefinition | None:
        return self.asset_partitions_def


@dataclass(frozen=True, slots=True)
class OutputContext(_OfPartition):
    """Describes a value to store: its asset's key and the id of the run that materializes it.

    `add_output_metadata` records metadata with the value. `partition_key` is the partition of the
    value, if `has_partition_key`.
    """

    asset_key: AssetKey
    run_id: str
    add_output_metadata: Callable[[Mapping[str, Any]], None]
    partition: str | None = None
    asset_partitions_def: PartitionsDefinition | None = None


@dataclass(frozen=True, slots=True)
class InputContext(_OfPartition):
    """Describes a value to load: its asset's key and the id of the run that materialized it.

    `partition_key` is the partition of the value, if `has_partition_key`. A step that reads several
    partitions loads each by itself.

    `annotation` is the annotation of the parameter that takes the value, or
    `inspect.Parameter.empty` if it has none.
    """

    asset_key: AssetKey
    run_id: str
    annotation: Any
    partition: str | None = None
    asset_partitions_def: PartitionsDefinition | None = None


@dataclass(frozen=True, slots=True)
class CheckContext(_OfPartition):
    """Describes a stored value to check: its asset's key, the id of the run that materialized it,
    and the metadata that was recorded with it, as plain values. `partition_key` is the partition of
    the value, if `has_partition_key`."""

    asset_key: AssetKey
    run_id: str
    metadata: Mapping[str, Any]
    partition: str | None = None
    asset_partitions_def: PartitionsDefinition | None = None


class IOManager(ABC):
    """Base class for storing and loading the values of assets in a way of your own.

        class Warehouse(IOManager):
            def handle_output(self, context, obj): write(context.asset_key.text, obj)
            def load_input(self, context): return read(context.asset_key.text)

        @asset(io_manager=Warehouse())
        def trips(): ...

    The data version of such a value is the id of its run, unless the asset returns a
    `MaterializeResult` with a `data_version`.
    """

    @abstractmethod
    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Store the value `obj`. An exception fails the step."""

    @abstractmethod
    def load_input(self, context: InputContext) -> Any:
        """Return the stored value. An exception fails the step that reads it."""

    def check(self, context: CheckContext) -> Condition:  # noqa: ARG002 - a subclass uses it
        """Return whether the value is still as it was stored: "intact", "changed" if it was
        changed from outside and can be used, and "gone" or "damaged" if it cannot.

        It is asked at every `status` and `plan`, so it should be quick: compare a size or a version
        that `handle_output` recorded with `context.add_output_metadata`. Without a `check`, every
        value counts as intact.
        """
        return "intact"


def checked_condition(
    manager: IOManager,
    key: AssetKey,
    made: Materialization,
    partitions_def: PartitionsDefinition | None,
) -> Condition:
    """What the IO manager says of the value that `made` records of an asset. Raises
    `AssetGraphError` if it cannot say."""
    if type(manager).check is IOManager.check:
        return "intact"
    name = key.text if made.partition is None else f"{key.text}@{made.partition}"
    metadata = {text: MetadataValue.from_json(one).value for text, one in made.metadata.items()}
    method = f"{type(manager).__qualname__}.check"
    try:
        condition = manager.check(
            CheckContext(key, made.run_id, metadata, made.partition, partitions_def)
        )
    except Exception as error:
        raise AssetGraphError(
            f"the value of {name!r} cannot be checked: {method} raised "
            f"{type(error).__name__}: {error}",
            hint=f'Mend {method}, or let it return "intact" where it cannot say.',
        ) from error
    if condition not in get_args(Condition):
        raise AssetGraphError(
            f"the value of {name!r} cannot be checked: {method} returned {condition!r}.",
            hint='Return "intact", "changed", "gone" or "damaged".',
        )
    return condition
