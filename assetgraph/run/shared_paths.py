"""Warns of targets that return one path, so that each replaces what the other wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.records import Event, EventType
from assetgraph.storage.formats.format_registry import location_of

if TYPE_CHECKING:
    from assetgraph.keys import Target
    from assetgraph.run.step_task import StepResult, StepTask


def warn_of_shared(returned: dict[str, Target], task: StepTask, result: StepResult) -> None:
    """Add a warning for each path that another target of the run has returned before. `returned`
    has the targets by their paths so far."""
    for target, made in result.outputs.items():
        path = made.value.path
        if path is None or location_of(made.value) != "project":
            continue
        other = returned.setdefault(path, target)
        if other == target:
            continue
        own = "each partition" if other.key is target.key else "each asset"
        text = (
            f"{target.text} returned {path}, as {other.text} did: one of them replaces what the "
            f"other wrote. Let {own} write a file of its own"
        )
        if other.key is target.key:
            text += ", with context.partition_key in its name"
        event = Event(EventType.LOG, made.timestamp, task.step_id, "WARNING", f"{text}.")
        result.events.insert(max(0, len(result.events) - 1), event)
