"""Steps that do not run because a blocking check has not passed for what they read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from assetgraph.errors import CheckFailedError
from assetgraph.hints import command
from assetgraph.planning.gates import hold
from assetgraph.records import ErrorInfo, Event, EventType, StepState, now
from assetgraph.run.step_task import StepResult

if TYPE_CHECKING:
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.plan import Step


def held_step(step: Step, facts: StoreFacts) -> StepResult | None:
    """The result of a step that a blocking check holds; None for one that may run.

    Nothing was attempted, so the histories of its targets say nothing of it.
    """
    found = hold(facts.targets, facts, step.outputs)
    if found is None:
        return None
    check = found.check.text
    if found.failed_in is None:
        why = "which has not looked at the current value"
        hint = f"To let it look: {command('materialize', check)}"
    else:
        why = f"which failed (run {found.failed_in})"
        nevertheless = command("materialize", *_named(step, facts.graph), "--ignore-checks")
        hint = (
            f"Correct the data or the check, and run: {command('materialize', '--stale')}. "
            f"To run it nevertheless: {nevertheless}"
        )
    error = CheckFailedError(f"held by the check {check}, {why}.", hint=hint)
    info = ErrorInfo(type(error).__name__, error.message, hint=error.hint)
    text = f"{info.type}: {info.message}"
    data = {"error": msgspec.to_builtins(info), "attempt": 1}
    event = Event(EventType.STEP_FAILURE, now(), step.id, "ERROR", text, data)
    return StepResult(StepState.FAILURE, [event], error=info, exception=error)


def _named(step: Step, graph: AssetGraph) -> list[str]:
    """What a person types for just the assets of a step: the name of its function, if that says
    it."""
    keys = dict.fromkeys(target.key for target in step.outputs if target.key not in graph.checks)
    if set(graph.made_by(step.computation)) == keys.keys():
        return [step.id]
    _, at, partitions = step.id.partition("@")
    return [f"{key.text}{at}{partitions}" for key in keys]
