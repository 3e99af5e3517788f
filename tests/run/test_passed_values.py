"""Values kept in memory from the step that makes them to their last reader."""

from __future__ import annotations

from plan_of_assets import plan_of
from small_assets import graph_of

import assetgraph as dg
from assetgraph.keys import Target
from assetgraph.planning.facts import StoreFacts
from assetgraph.run.passed_values import PassedValues


def _passed() -> PassedValues:
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
    facts = StoreFacts(graph, dg.Instance.ephemeral().store)
    return PassedValues(plan_of(facts, graph.order))


A = Target(dg.AssetKey("a"))


def test_a_value_is_kept_for_each_step_that_reads_it() -> None:
    passed = _passed()
    passed.keep(A, 1)
    assert passed.of("b") == {A: 1}
    assert passed.of("c") == {A: 1}
    assert passed.of("unread") == {}


def test_a_value_leaves_memory_with_its_last_reader() -> None:
    passed = _passed()
    passed.keep(A, 1)
    passed.release("b")
    assert passed.of("c") == {A: 1}
    passed.release("c")
    assert passed.of("c") == {}


def test_a_value_without_a_reader_left_is_not_kept() -> None:
    passed = _passed()
    passed.release("b")
    passed.release("c")
    passed.keep(A, 1)
    assert passed.of("b") == {}
