"""What became of the partitions that a run makes, asset by asset, in the order of its plan."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from assetgraph.queries.state_cells import StateRuns
from assetgraph.records import StepState

if TYPE_CHECKING:
    from assetgraph.records import RunRecord

# What a person has to see first: of several states in one place, the first one is shown.
WORST_FIRST = (
    StepState.FAILURE,
    StepState.RUNNING,
    StepState.CANCELED,
    StepState.SKIPPED,
    StepState.WAITING,
    StepState.SUCCESS,
    StepState.UNCHANGED,
)
_CODES = {state: code for code, state in enumerate(WORST_FIRST)}


def partition_steps(record: RunRecord) -> Mapping[str, Sequence[int]]:
    """For each asset with partitions in a run, the number of the step that makes each of them."""
    found: dict[str, array[int]] = {}
    for number, step_id in enumerate(record.step_ids):
        for target in record.targets_of(step_id):
            asset, at, _ = target.partition("@")
            if at:
                found.setdefault(asset, array("l")).append(number)
    return found


def strip(steps: Sequence[int], states: Sequence[StepState]) -> StateRuns[StepState]:
    """The states of partitions that these steps make. `states` are those of all steps."""
    return StateRuns(bytes([_CODES[states[number]] for number in steps]), WORST_FIRST)
