"""The IO managers of a step: what stores its values and loads its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.definitions.io_manager import OutputContext
from assetgraph.definitions.metadata import metadata_json
from assetgraph.storage.value_store import Saved

if TYPE_CHECKING:
    from assetgraph.definitions.computation import AssetSpec
    from assetgraph.keys import Target
    from assetgraph.run.step_task import StepTask


def handled(
    spec: AssetSpec, task: StepTask, target: Target, value: Any, metadata: dict[str, Any]
) -> Saved:
    """What the IO manager of an asset has stored. It may add to `metadata`."""

    def add(more: Mapping[str, Any]) -> None:
        metadata.update(metadata_json(more, target.text))

    assert spec.io_manager is not None
    output = OutputContext(target.key, task.run_id, add, target.partition, spec.partitions_def)
    spec.io_manager.handle_output(output, value)
    return Saved.by_io_manager(value, task.run_id)


def with_managers(task: StepTask, managers: Mapping[str, Any]) -> StepTask:
    """The task, with these IO managers in place of those that are resources of these names."""

    def ready(spec: AssetSpec) -> AssetSpec:
        if spec.io_manager_key is None or spec.io_manager_key not in managers:
            return spec
        return msgspec.structs.replace(spec, io_manager=managers[spec.io_manager_key])

    computation = replace(task.computation, specs=tuple(map(ready, task.computation.specs)))
    inputs = tuple(
        one if one.maker is None else msgspec.structs.replace(one, maker=ready(one.maker))
        for one in task.inputs
    )
    return msgspec.structs.replace(task, computation=computation, inputs=inputs)
