"""Warns of a step that read what another asset made, without naming that as an upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.planning.undeclared_edges import undeclared_edges
from assetgraph.records import Event, EventType

if TYPE_CHECKING:
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.run.step_task import StepResult, StepTask


def warn_of_undeclared(facts: StoreFacts, task: StepTask, result: StepResult) -> None:
    """Add a warning for each edge that the step lacks, before the event that ends it."""
    keys = [target.key for target in task.outputs]
    edges = undeclared_edges(facts.graph, facts.outputs, keys, result.reads)
    if not (edges and result.events):
        return
    at = result.events[-1].timestamp
    result.events[-1:-1] = [
        Event(EventType.LOG, at, task.step_id, "WARNING", edge.text) for edge in edges
    ]
