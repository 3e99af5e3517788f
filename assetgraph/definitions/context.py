"""`AssetExecutionContext`: what an asset's function can use while it runs."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from assetgraph.definitions.metadata import metadata_json
from assetgraph.errors import MetadataError, PartitionsError
from assetgraph.text import did_you_mean, listed

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping, Sequence

    from assetgraph.definitions.partitions.definition import PartitionsDefinition
    from assetgraph.definitions.partitions.keys import PartitionKeyRange
    from assetgraph.definitions.partitions.time_window import TimeWindow
    from assetgraph.keys import AssetKey, Target
    from assetgraph.process.step_sink import StepSink


class PartitionContext:
    """The partitions that a context is about: none for an asset that is not partitioned."""

    __slots__ = ()

    @property
    def _partitions(self) -> tuple[str, ...]:
        return ()

    @property
    def _definition(self) -> PartitionsDefinition | None:
        return None

    @property
    def has_partition_key(self) -> bool:
        """Whether there is exactly one partition."""
        return len(self._partitions) == 1

    @property
    def has_partition_key_range(self) -> bool:
        """Whether there are several partitions."""
        return len(self._partitions) > 1

    @property
    def partition_key(self) -> str:
        """The key of the partition: a `MultiPartitionKey` if it has several dimensions.

        Raises `PartitionsError` if there is none, or if there are several.
        """
        from assetgraph.definitions.partition_context import not_partitioned, several

        keys = self.partition_keys
        if len(keys) == 1:
            return keys[0]
        raise several(keys) if keys else not_partitioned("partition_key")

    @property
    def partition_keys(self) -> tuple[str, ...]:
        """The keys of the partitions, in order."""
        from assetgraph.definitions.partition_context import keys_of

        return keys_of(self._partitions, self._definition)

    @property
    def partition_key_range(self) -> PartitionKeyRange:
        """The first and the last partition. Raises `PartitionsError` if there is none."""
        from assetgraph.definitions.partition_context import range_of

        return range_of(self.partition_keys, "partition_key_range")

    @property
    def partition_time_window(self) -> TimeWindow:
        """The time from the start of the first partition to the end of the last one, in the
        dimension of time if there are several dimensions.

        Raises `PartitionsError` if there is no partition, or no dimension of time.
        """
        from assetgraph.definitions.partition_context import window_of

        return window_of(self._partitions, self._definition, "partition_time_window")


class ContextInput(Protocol):
    """An upstream target, the parameter that loads it, and the partitions of its asset."""

    @property
    def target(self) -> Target: ...
    @property
    def parameter(self) -> str | None: ...
    @property
    def partitions_def(self) -> PartitionsDefinition | None: ...


class ContextStep(Protocol):
    """The step that a context is about."""

    @property
    def partitions_def(self) -> PartitionsDefinition | None: ...
    @property
    def input_names(self) -> Sequence[str]: ...
    @property
    def outputs(self) -> Sequence[Target]: ...
    @property
    def inputs(self) -> Sequence[ContextInput]: ...
    @property
    def output_names(self) -> Mapping[str, AssetKey]: ...


class AssetExecutionContext(PartitionContext):
    """The current step, as seen by its asset's function.

        @asset
        def trips(context: AssetExecutionContext):
            context.log.info("downloading")

    It is passed to a parameter with this annotation, or with the name `context`. `asset_key` is the
    asset, `run_id` the run, and `retry_number` how often this step was retried: 0 at first.

    `partition_key` is the partition that the step makes. A step of several has `partition_keys` and
    `partition_key_range`.
    """

    def __init__(
        self,
        asset_key: AssetKey,
        run_id: str,
        sink: StepSink,
        *,
        retry_number: int = 0,
        step: ContextStep | None = None,
    ) -> None:
        self.asset_key = asset_key
        self.run_id = run_id
        self.retry_number = retry_number
        self._sink = sink
        self._step = step
        self._metadata: dict[AssetKey, dict[str, Any]] = {}
        self._resources: Mapping[str, Any] = {}

    @property
    def resources(self) -> Any:
        """The resources of the asset, as attributes: `context.resources.warehouse`."""
        from assetgraph.definitions.resource_access import ResourceAccess

        return ResourceAccess(self._resources, self.asset_key.text)

    def give_resources(self, resources: Mapping[str, Any]) -> None:
        """Let `resources` have these, by name."""
        self._resources = resources

    @cached_property
    def log(self) -> logging.Logger:
        """A standard logger, whose records become events of the step."""
        import logging

        from assetgraph.process.logs import SinkHandler

        logger = logging.Logger(self.asset_key.text, logging.DEBUG)
        logger.addHandler(SinkHandler(self._sink))
        return logger

    @property
    def selected_asset_keys(self) -> frozenset[AssetKey]:
        """The assets that the step makes: with `can_subset`, those that were asked for."""
        outputs = self._step.outputs if self._step else ()
        return frozenset([one.key for one in outputs] or [self.asset_key])

    @property
    def selected_output_names(self) -> frozenset[str]:
        """The names of the outputs that the step makes."""
        keys = self.selected_asset_keys
        return frozenset(name for name, key in self._output_names.items() if key in keys)

    def add_output_metadata(
        self, metadata: Mapping[str, Any], output_name: str | None = None
    ) -> None:
        """Record `metadata` with the value, in addition to earlier calls. In a function of several
        assets, `output_name` says with whose.

        A later value for the same name wins. Raises `MetadataError` for a value that cannot be
        recorded, and for a name that is no output.
        """
        key = self._output(output_name)
        self._metadata.setdefault(key, {}).update(metadata_json(metadata, key.text))

    def progress(self, done: float, total: float | None = None, unit: str = "") -> None:
        """Report progress: `done` of `total`, or of an unknown total.

        The unit "B" is shown as bytes with a speed.
        """
        self._sink.progress(done, total, unit)

    @property
    def output_metadata(self) -> Mapping[str, Any]:
        """The metadata added so far, in its recorded form."""
        return self.metadata_of(self.asset_key)

    def metadata_of(self, key: AssetKey) -> Mapping[str, Any]:
        """The metadata added so far to one of the assets of the step."""
        return self._metadata.get(key, {})

    @property
    def asset_partitions_def(self) -> PartitionsDefinition | None:
        """The partitions that the asset has, or None if it is not partitioned."""
        return self._definition

    def asset_partition_key_for_output(self, output_name: str = "result") -> str:  # noqa: ARG002
        """`partition_key`, by another name of Dagster's: all outputs of a step have it."""
        return self.partition_key

    def asset_partition_keys_for_output(
        self,
        output_name: str = "result",  # noqa: ARG002
    ) -> tuple[str, ...]:
        """`partition_keys`, by another name of Dagster's: all outputs of a step have them."""
        return self.partition_keys

    def asset_partition_key_for_input(self, input_name: str) -> str:
        """The partition of an upstream that the step reads. `input_name` is a parameter, or the
        name of an asset in `deps`.

        Raises `PartitionsError` if it reads none or several, or has no such upstream.
        """
        keys = self.asset_partition_keys_for_input(input_name)
        if len(keys) != 1:
            raise PartitionsError(
                f"the step reads {len(keys) or 'no'} partitions of {input_name!r}.",
                hint=f"Use context.asset_partition_keys_for_input({input_name!r}).",
            )
        return keys[0]

    def asset_partition_keys_for_input(self, input_name: str) -> tuple[str, ...]:
        """The partitions of an upstream that the step reads, in order."""
        from assetgraph.definitions.partition_context import keys_of

        return keys_of(*self._read(input_name))

    def asset_partition_key_range_for_input(self, input_name: str) -> PartitionKeyRange:
        """The first and the last partition of an upstream that the step reads.

        Raises `PartitionsError` if it reads none.
        """
        from assetgraph.definitions.partition_context import range_of

        keys = self.asset_partition_keys_for_input(input_name)
        return range_of(keys, f"asset_partition_key_range_for_input({input_name!r})")

    def asset_partitions_time_window_for_input(self, input_name: str) -> TimeWindow:
        """The time from the start of the first partition of an upstream to the end of the last one.

        Raises `PartitionsError` if the step reads none, or if they are not windows of time.
        """
        from assetgraph.definitions.partition_context import window_of

        asked = f"asset_partitions_time_window_for_input({input_name!r})"
        return window_of(*self._read(input_name), asked)

    @property
    def _output_names(self) -> Mapping[str, AssetKey]:
        if self._step is None:
            return {self.asset_key.name: self.asset_key}
        return self._step.output_names

    def _output(self, name: str | None) -> AssetKey:
        """The asset that an output's name means. Raises `MetadataError`."""
        keys = self.selected_asset_keys
        if name is None and len(keys) == 1:
            return next(iter(keys))
        names = self._output_names
        if name is not None and name in names:
            return names[name]
        if name == "result" and len(names) == 1:  # as Dagster calls the output of one asset
            return self.asset_key
        raise MetadataError(
            "add_output_metadata does not say which of the function's assets it is about."
            if name is None
            else f"add_output_metadata names {name!r}, which is not one of the outputs.",
            hint=did_you_mean(name or "", names) or f"Give output_name=: {listed([*names][:5])}.",
        )

    @cached_property
    def _partitions(self) -> tuple[str, ...]:
        outputs = self._step.outputs if self._step else ()
        # A call that materializes several assets has the same partitions of each.
        found = dict.fromkeys(target.partition for target in outputs)
        return tuple(partition for partition in found if partition is not None)

    @property
    def _definition(self) -> PartitionsDefinition | None:
        return self._step.partitions_def if self._step else None

    def _read(self, name: str) -> tuple[tuple[str, ...], PartitionsDefinition | None]:
        """The partitions that the step reads under a name, and their definition."""
        inputs = self._step.inputs if self._step else ()
        found = [one for one in inputs if name == one.parameter or name in _names_of(one)]
        if not found:
            known = set(self._step.input_names) if self._step else set()
            if name not in known:
                names = known.union(one.parameter or one.target.key.name for one in inputs)
                raise PartitionsError(
                    f"{self.asset_key.text!r} reads no {name!r}.", hint=did_you_mean(name, names)
                )
        keys = (one.target.partition for one in found)
        definition = found[0].partitions_def if found else None
        return tuple(key for key in keys if key is not None), definition


def _names_of(source: ContextInput) -> tuple[str, ...]:
    """What an upstream in `deps` may be called."""
    key = source.target.key
    return () if source.parameter is not None else (key.name, key.text)
