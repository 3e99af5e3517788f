"""The states of partitions as runs, and in buckets that hide nothing."""

from __future__ import annotations

from itertools import groupby

from conftest import Instance
from hypothesis import given
from hypothesis import strategies as st

import assetgraph as dg
from assetgraph.graph.definitions import Definitions
from assetgraph.planning.facts import StoreFacts
from assetgraph.queries.partition_runs import WORST_FIRST, state_runs
from assetgraph.queries.state_cells import Cell, StateRuns
from assetgraph.records import AssetState

# Runs of a few, so that both runs and buckets come up.
columns = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9))).map(
    lambda runs: bytes(code for code, count in runs for _ in range(count))
)


@given(columns, st.integers(1, 12), st.data())
def test_cells_show_each_partition_once_and_the_worst_of_many(
    codes: bytes, most: int, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(codes)))
    numbers = range(first, data.draw(st.integers(first, len(codes))))
    states = [WORST_FIRST[code] for code in codes]
    cells = StateRuns(codes, WORST_FIRST).cells(numbers, most)

    assert len(cells) <= most + 1  # the first and the last bucket may be parts
    assert [n for one in cells for n in range(one.first, one.first + one.size)] == [*numbers]
    for cell in cells:
        inside = states[cell.first : cell.first + cell.size]
        assert cell.state is min(inside, key=WORST_FIRST.index)
        counted = {state: inside.count(state) for state in WORST_FIRST if state in inside}
        assert counted == (cell.counts or {cell.state: cell.size})
        assert cell.counts is None or len(cell.counts) > 1

    exact = [len([*group]) for _, group in groupby(states[first : numbers.stop])]
    if len(exact) <= most:
        assert [cell.size for cell in cells] == exact


@given(columns)
def test_counts_and_numbers_of_a_state(codes: bytes) -> None:
    runs = StateRuns(codes, WORST_FIRST)
    states = [runs.at(number) for number in range(len(codes))]
    assert runs.counts() == {one: states.count(one) for one in WORST_FIRST if one in states}
    for state in WORST_FIRST:
        assert [*runs.numbers(state)] == [n for n, one in enumerate(states) if one is state]


def test_a_bucket_covers_the_same_partitions_wherever_one_looks() -> None:
    runs = StateRuns(bytes([0, 4] * 50), WORST_FIRST)
    assert [one.first for one in runs.cells(range(20, 60), 10)] == [*range(20, 60, 4)]
    assert [one.first for one in runs.cells(range(21, 61), 10)] == [21, *range(24, 61, 4)]


def test_the_states_of_an_asset_are_in_the_order_of_its_partitions(instance: Instance) -> None:
    days = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-08")

    @dg.asset(partitions_def=days)
    def trips(context: dg.AssetExecutionContext) -> int:
        if context.partition_key == "2026-01-04":
            raise ValueError("a bad day")
        return 1

    @dg.asset(partitions_def=days)
    def clean(trips: int) -> int:
        return trips

    dg.materialize(
        [trips], partitions="2026-01-02..2026-01-05", instance=instance, raise_on_error=False
    )
    facts = StoreFacts(Definitions([trips, clean]).graph.require_valid(), instance.store)
    found = state_runs(facts, dg.AssetKey("trips"))
    assert [*found.runs(range(7))] == [
        Cell(0, 1, AssetState.MISSING),
        Cell(1, 2, AssetState.FRESH),
        Cell(3, 1, AssetState.FAILED),
        Cell(4, 1, AssetState.FRESH),
        Cell(5, 2, AssetState.MISSING),
    ]
    assert state_runs(facts, dg.AssetKey("clean")).counts() == {AssetState.MISSING: 7}
