"""`build_asset_context` and `build_asset_check_context`: contexts for tests, outside any run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from assetgraph.definitions.check_context import AssetCheckExecutionContext
from assetgraph.definitions.context import AssetExecutionContext
from assetgraph.definitions.partitions.keys import PartitionKeyRange
from assetgraph.definitions.resource_access import ResourceAccess
from assetgraph.errors import InvariantError, PartitionsError
from assetgraph.keys import AssetKey, Target

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping, Sequence

    from assetgraph.definitions.partitions.definition import PartitionsDefinition
    from assetgraph.definitions.partitions.time_window import TimeWindow

_RUN_ID = "EPHEMERAL"  # as in Dagster


def build_asset_context(
    *,
    resources: Mapping[str, Any] | None = None,
    partition_key: str | None = None,
    partition_key_range: PartitionKeyRange | None = None,
) -> AssetExecutionContext:
    """A context to call an asset with in a test, outside any run.

        context = build_asset_context(partition_key="2024-01")
        assert daily_fares(context, trips=[…]) == …

    `partition_key` is the partition that the asset is to make, and `partition_key_range` several.
    `resources` are taken by parameters that are not passed, and are in `context.resources`; any
    object will do. The context belongs to the asset that is called with it: from then on it knows
    the asset's key and its partitions. What was not given raises an error when it is read. `log` is
    a logger of `logging`, which pytest's `caplog` sees.

    Raises `PartitionsError` if both a key and a range are given.
    """
    return _BuiltAssetContext(_partitions(partition_key, partition_key_range), resources or {})


def build_asset_check_context(
    *,
    resources: Mapping[str, Any] | None = None,
    partition_key: str | None = None,
    partition_key_range: PartitionKeyRange | None = None,
) -> AssetCheckExecutionContext:
    """A context to call a check with in a test: see `build_asset_context`."""
    return _BuiltCheckContext(_partitions(partition_key, partition_key_range), resources or {})


Partitions = tuple[str, ...] | PartitionKeyRange


def _partitions(key: str | None, several: PartitionKeyRange | None) -> Partitions:
    if key is not None and several is not None:
        raise PartitionsError("partition_key= and partition_key_range= cannot be combined.")
    if several is not None:
        return PartitionKeyRange(*several)
    if key is not None and not isinstance(key, str):
        raise TypeError(f"partition_key must be text, not {key!r}")
    return () if key is None else (key,)


@dataclass(frozen=True)
class _BuiltStep:
    """The call that a built context is about."""

    partitions_def: PartitionsDefinition | None
    outputs: Sequence[Target]
    input_names: Sequence[str]
    output_names: Mapping[str, AssetKey]
    inputs: Sequence[Any] = ()


class _NoSink:
    """What a step reports, outside a run: nobody reads it."""

    reads = None

    def log(self, level: str, message: str, data: dict[str, Any]) -> None: ...

    def output(self, stream: str, text: str) -> None: ...

    def progress(self, done: float, total: float | None, unit: str) -> None: ...


class _Given(ResourceAccess):
    """The resources that a context is built with, as attributes."""

    def __getattr__(self, name: str) -> Any:
        if name in self._resources or name.startswith("__"):
            return super().__getattr__(name)
        raise InvariantError(
            f"the context is built without the resource {name!r}.",
            hint=f"Build it with: build_asset_context(resources={{{name!r}: …}})",
        )


class _Built(AssetExecutionContext):
    """A context that belongs to no asset until it is called with one."""

    def __init__(self, partitions: Partitions, resources: Mapping[str, Any]) -> None:
        super().__init__(AssetKey.unchecked("no_asset"), _RUN_ID, _NoSink())
        self.give_resources(dict(resources))
        self._given = partitions
        self._known_key: AssetKey | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open that would have to be closed."""

    @property
    def resources(self) -> Any:
        return _Given(self._resources, "the context")

    @property
    def given_resources(self) -> Mapping[str, Any]:
        """The resources by name, for parameters that are not passed."""
        return self._resources

    def bind(
        self,
        keys: Sequence[AssetKey],
        output_names: Mapping[str, AssetKey],
        input_names: Sequence[str],
        partitions_def: PartitionsDefinition | None,
    ) -> None:
        """Belong to a call that makes these assets. Raises `PartitionsError`."""
        given = self._given
        if isinstance(given, PartitionKeyRange):
            if partitions_def is None:
                raise PartitionsError(
                    f"the context has a partition_key_range, and {keys[0].text!r} has no "
                    "partitions.",
                    hint="Build the context without it.",
                )
            given = tuple(partitions_def.get_partition_keys_in_range(given))
        outputs = [Target(key, partition) for key in keys for partition in given or (None,)]
        self._known_key = keys[0]
        self.__dict__.pop("_partitions", None)  # of the call before
        self.__dict__.pop("log", None)
        self._step = _BuiltStep(partitions_def, outputs, input_names, output_names)

    @property
    def asset_key(self) -> AssetKey:
        if self._known_key is None:
            raise _not_called("asset_key")
        return self._known_key

    @asset_key.setter
    def asset_key(self, key: AssetKey) -> None:
        """Only a call says which asset it is."""

    @cached_property
    def log(self) -> logging.Logger:
        import logging

        name = self._known_key.text if self._known_key else "context"
        return logging.getLogger(f"assetgraph.{name.replace('/', '.')}")

    @cached_property
    def _partitions(self) -> tuple[str, ...]:
        if self._step is not None:
            found = dict.fromkeys(target.partition for target in self._step.outputs)
            return tuple(partition for partition in found if partition is not None)
        if isinstance(self._given, PartitionKeyRange):
            raise _not_called("partition_keys")
        return self._given

    @property
    def partition_key_range(self) -> PartitionKeyRange:
        if self._step is None and isinstance(self._given, PartitionKeyRange):
            return self._given
        return super().partition_key_range

    @property
    def partition_time_window(self) -> TimeWindow:
        if self._step is None and self._given:
            raise _not_called("partition_time_window")
        return super().partition_time_window


class _BuiltAssetContext(_Built):
    pass


class _BuiltCheckContext(_Built, AssetCheckExecutionContext):
    pass


def _not_called(name: str) -> InvariantError:
    return InvariantError(
        f"context.{name} is not known before the context is passed to an asset.",
        hint="Call the asset with the context, and read it there.",
    )
