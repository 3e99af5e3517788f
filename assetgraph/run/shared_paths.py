"""Warns of partitions that return one path, so that each replaces what another wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.records import Event, EventType
from assetgraph.storage.formats.format_registry import location_of

if TYPE_CHECKING:
    from assetgraph.keys import Target
    from assetgraph.run.step_task import StepResult, StepTask


def warn_of_shared(returned: dict[str, Target], task: StepTask, result: StepResult) -> None:
    """Add a warning for each path that another partition of the asset has returned in this run.
    `returned` has the targets by their paths so far."""
    for target, made in result.outputs.items():
        path = made.value.path
        if path is None or location_of(made.value) != "project":
            continue
        other = returned.setdefault(path, target)
        if other == target or other.key is not target.key:  # an asset may pass a path on
            continue
        text = (
            f"{target.text} returned {path}, as {other.text} did: one of them replaces what the "
            "other wrote. Let each partition write a file of its own, with context.partition_key "
            "in its name."
        )
        event = Event(EventType.LOG, made.timestamp, task.step_id, "WARNING", text)
        result.events.insert(max(0, len(result.events) - 1), event)
