"""Warns of columns of a table that are others than before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assetgraph.definitions.metadata import MetadataValue
from assetgraph.records import Event, EventType, now
from assetgraph.storage.column_changes import schema_change_text, schema_changes

if TYPE_CHECKING:
    from assetgraph.keys import Target
    from assetgraph.run.step_task import StepTask
    from assetgraph.storage.store import Store


def compare_columns(
    task: StepTask, store: Store, target: Target, metadata: dict[str, Any], events: list[Event]
) -> None:
    """Record how the columns differ from those of the previous value, and log a warning."""
    before = store.history.known(target)
    found = schema_changes(before.metadata if before else {}, metadata)
    if found:
        metadata["schema_changes"] = MetadataValue.table(found).to_json()
        message = f"The columns changed: {'; '.join(map(schema_change_text, found))}."
        about = task.named(target)
        events.append(Event(EventType.LOG, now(), task.step_id, "WARNING", message, {}, about))
