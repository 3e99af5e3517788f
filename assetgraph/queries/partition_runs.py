"""The states of the partitions of an asset in order: as runs of equal ones, or in buckets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from assetgraph.planning.reasons import stale_reasons, target_state
from assetgraph.records import AssetState

if TYPE_CHECKING:
    from assetgraph.keys import AssetKey, Target
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.reason_kinds import Reason

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
_RUN = re.compile(rb"(.)\1*", re.DOTALL)


class Cell(NamedTuple):
    """Partitions that follow each other: the number of the first, how many they are, and the worst
    of their states. `counts` says how many are in each, if they are not all in one."""

    first: int
    size: int
    state: AssetState
    counts: Mapping[AssetState, int] | None = None


class StateRuns(NamedTuple):
    """The states of the partitions of an asset: a byte for each, its place in `WORST_FIRST`."""

    codes: bytes

    def counts(self, numbers: range | None = None) -> dict[AssetState, int]:
        """How many partitions are in each state: of all, or of those that follow each other."""
        shown = range(len(self.codes)) if numbers is None else numbers
        return _counts(self.codes, shown.start, shown.stop)

    def at(self, number: int) -> AssetState:
        return WORST_FIRST[self.codes[number]]

    def row(self, numbers: range) -> StateRuns:
        """The states of the partitions with these numbers alone."""
        return StateRuns(self.codes[numbers.start : numbers.stop : numbers.step])

    def numbers(self, state: AssetState | None) -> Iterator[int]:
        """The numbers of the partitions in a state, or of all."""
        if state is None:
            yield from range(len(self.codes))
            return
        code, number = _CODES[state], -1
        while (number := self.codes.find(code, number + 1)) >= 0:
            yield number

    def runs(self, numbers: range) -> Iterator[Cell]:
        """The runs of equal states among partitions that follow each other."""
        for run in _RUN.finditer(self.codes, numbers.start, numbers.stop):
            yield Cell(run.start(), run.end() - run.start(), WORST_FIRST[run[1][0]])

    def cells(self, numbers: range, most: int) -> list[Cell]:
        """The runs among partitions that follow each other, if there are at most so many. Else
        buckets of equal size, of which those that follow each other in one state are one cell."""
        found: list[Cell] = []
        for run in self.runs(numbers):
            found.append(run)
            if len(found) > most:
                return self._buckets(numbers, most)
        return found

    def _buckets(self, numbers: range, most: int) -> list[Cell]:
        size = -(-len(numbers) // most)
        found: list[Cell] = []
        first = numbers.start
        while first < numbers.stop:
            end = min(numbers.stop, (first // size + 1) * size)  # the same ones wherever one looks
            cell = self._bucket(first, end)
            before = found[-1] if found else None
            if before and not (before.counts or cell.counts) and before.state is cell.state:
                found[-1] = Cell(before.first, end - before.first, cell.state)
            else:
                found.append(cell)
            first = end
        return found

    def _bucket(self, first: int, end: int) -> Cell:
        code = self.codes[first]
        if self.codes.count(code, first, end) == end - first:
            return Cell(first, end - first, WORST_FIRST[code])
        counts = _counts(self.codes, first, end)
        return Cell(first, end - first, next(iter(counts)), counts)


def total(counts: Iterable[Mapping[AssetState, int]]) -> dict[AssetState, int]:
    """Counts of several rows together."""
    summed: Counter[AssetState] = Counter()
    for one in counts:
        summed.update(one)
    return {state: summed[state] for state in WORST_FIRST if summed[state]}


def state_runs(
    facts: StoreFacts,
    key: AssetKey,
    reasons: Mapping[Target, tuple[Reason, ...]] | None = None,
) -> StateRuns:
    """The state of every partition of an asset. `reasons` are those of its targets, if they are
    known already."""
    if facts.targets.is_too_many(key):
        return _of_too_many(facts, key)
    targets = facts.targets.targets(key)
    if reasons is None:
        reasons = stale_reasons(facts.targets, facts, targets)
    return StateRuns(
        bytes([_CODES[target_state(facts.of(target), reasons[target])] for target in targets])
    )


def _of_too_many(facts: StoreFacts, key: AssetKey) -> StateRuns:
    """The states where there are too many partitions to look at each: those with a value count as
    stale, as in `partition_states`."""
    numbers = facts.targets.keys(key)
    assert numbers is not None
    codes = bytearray([_CODES[AssetState.MISSING]]) * len(numbers)
    for partition, has_value in facts.store.history.partitions(key).items():
        number = None if partition is None else numbers.number(partition)
        if has_value and number is not None:
            codes[number] = _CODES[AssetState.STALE]
    return StateRuns(bytes(codes))


def _counts(codes: bytes, first: int, end: int) -> dict[AssetState, int]:
    counted = ((state, codes.count(code, first, end)) for state, code in _CODES.items())
    return {state: count for state, count in counted if count}
