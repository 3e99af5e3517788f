"""Values in memory, from the step that made them to the last that reads them."""

from __future__ import annotations

from small_assets import graph_of

import assetgraph as dg
from assetgraph.run.passed_values import Handover


def _handover() -> Handover:
    @dg.asset
    def a() -> int:
        return 1

    @dg.asset
    def b(a: int) -> int:
        return a

    @dg.asset(ins={"one": "a", "other": "a"})
    def c(one: int, other: int) -> int:
        return one + other

    @dg.asset
    def unread() -> int:
        return 2

    graph = graph_of(a, b, c, unread)
    return Handover(graph, graph.order)


A, B, C, UNREAD = (dg.AssetKey(name) for name in ("a", "b", "c", "unread"))


def test_a_value_is_given_to_each_parameter_that_reads_it() -> None:
    handover = _handover()
    handover.keep(A, 1)
    assert handover.inputs(B) == {"a": 1}
    assert handover.inputs(C) == {"one": 1, "other": 1}
    assert handover.inputs(UNREAD) == {}


def test_a_value_leaves_memory_with_its_last_reader() -> None:
    handover = _handover()
    handover.keep(A, 1)
    handover.release(B)
    assert handover.inputs(C) == {"one": 1, "other": 1}
    handover.release(C)
    assert handover.inputs(C) == {}


def test_a_value_that_no_step_is_still_to_read_is_not_kept() -> None:
    handover = _handover()
    handover.release(B)
    handover.release(C)
    handover.keep(A, 1)
    assert handover.inputs(B) == {}
