"""The states of the partitions of an asset, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.planning.asset_rows import STATES
from assetgraph.queries.state_cells import StateRuns
from assetgraph.records import AssetState

if TYPE_CHECKING:
    from assetgraph.keys import AssetKey
    from assetgraph.planning.asset_rows import KnownRows
    from assetgraph.planning.facts import StoreFacts

# What a person has to see first: of several states in one place, the first one is shown.
WORST_FIRST = (
    AssetState.FAILED,
    AssetState.RUNNING,
    AssetState.STALE,
    AssetState.MISSING,
    AssetState.FRESH,
    AssetState.EXTERNAL,
)
_CODES = {state: code for code, state in enumerate(WORST_FIRST)}
_AS_WORST_FIRST = bytes([_CODES[state] for state in STATES]).ljust(256)


def state_runs(
    facts: StoreFacts, key: AssetKey, known: KnownRows | None = None
) -> StateRuns[AssetState]:
    """The state of every partition of an asset. `known` has it, if it was computed already."""
    if facts.targets.is_too_many(key):
        return _of_too_many(facts, key)
    rows = (known or facts.row_states([key])).of(key)
    return StateRuns(rows.states.translate(_AS_WORST_FIRST), WORST_FIRST)


def _of_too_many(facts: StoreFacts, key: AssetKey) -> StateRuns[AssetState]:
    """The states where there are too many partitions to look at each: those with a value count as
    stale, as in `partition_states`."""
    numbers = facts.targets.keys(key)
    assert numbers is not None
    codes = bytearray([_CODES[AssetState.MISSING]]) * len(numbers)
    for partition, has_value in facts.store.history.partitions(key).items():
        number = None if partition is None else numbers.number(partition)
        if has_value and number is not None:
            codes[number] = _CODES[AssetState.STALE]
    return StateRuns(bytes(codes), WORST_FIRST)
