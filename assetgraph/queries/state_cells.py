"""`StateRuns`: the states of partitions in order, as runs of equal ones, or in buckets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

State = TypeVar("State", bound=StrEnum)
_RUN = re.compile(rb"(.)\1*", re.DOTALL)


class Cell(NamedTuple, Generic[State]):
    """Partitions that follow each other: the number of the first, how many they are, and the worst
    of their states. `counts` says how many are in each, if they are not all in one."""

    first: int
    size: int
    state: State
    counts: Mapping[State, int] | None = None


class StateRuns(NamedTuple, Generic[State]):
    """The states of partitions in order: a byte for each, the place of its state in `order`, which
    begins with what a person has to see first."""

    codes: bytes
    order: Sequence[State]

    def counts(self, numbers: range | None = None) -> dict[State, int]:
        """How many partitions are in each state: of all, or of those that follow each other."""
        shown = range(len(self.codes)) if numbers is None else numbers
        count = self.codes.count
        found = {one: count(n, shown.start, shown.stop) for n, one in enumerate(self.order)}
        return {state: number for state, number in found.items() if number}

    def at(self, number: int) -> State:
        return self.order[self.codes[number]]

    def row(self, numbers: range) -> StateRuns[State]:
        """The states of the partitions with these numbers alone."""
        return StateRuns(self.codes[numbers.start : numbers.stop : numbers.step], self.order)

    def numbers(self, state: State) -> Iterator[int]:
        """The numbers of the partitions in a state."""
        code, number = self.order.index(state), -1
        while (number := self.codes.find(code, number + 1)) >= 0:
            yield number

    def runs(self, numbers: range) -> Iterator[Cell[State]]:
        """The runs of equal states among partitions that follow each other."""
        for run in _RUN.finditer(self.codes, numbers.start, numbers.stop):
            yield Cell(run.start(), run.end() - run.start(), self.order[run[1][0]])

    def cells(self, numbers: range, most: int) -> list[Cell[State]]:
        """The runs among partitions that follow each other, if there are at most so many. Else
        buckets of equal size, of which those that follow each other in one state are one cell."""
        found: list[Cell[State]] = []
        for run in self.runs(numbers):
            found.append(run)
            if len(found) > most:
                return self._buckets(numbers, most)
        return found

    def _buckets(self, numbers: range, most: int) -> list[Cell[State]]:
        size = -(-len(numbers) // most)
        found: list[Cell[State]] = []
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

    def _bucket(self, first: int, end: int) -> Cell[State]:
        code = self.codes[first]
        if self.codes.count(code, first, end) == end - first:
            return Cell(first, end - first, self.order[code])
        counts = self.counts(range(first, end))
        return Cell(first, end - first, next(iter(counts)), counts)


def total(counts: Iterable[Mapping[State, int]], order: Iterable[State]) -> dict[State, int]:
    """Counts of several rows together."""
    summed: Counter[State] = Counter()
    for one in counts:
        summed.update(one)
    return {state: summed[state] for state in order if summed[state]}


def cell_json(cell: Cell[State]) -> tuple[object, ...]:
    """A cell as the page gets it: the first number, how many, the state, and if they are in
    several, how many are in each."""
    return (cell.first, cell.size, cell.state, *([cell.counts] if cell.counts else []))
