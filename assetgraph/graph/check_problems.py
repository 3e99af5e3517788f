"""Problems of the checks of a graph, together with the assets that they are of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from assetgraph.definitions.annotations import annotation_text
from assetgraph.errors import Problem
from assetgraph.graph.walk import walk

if TYPE_CHECKING:
    from assetgraph.definitions.check_nodes import CheckNode
    from assetgraph.definitions.computation import Computation
    from assetgraph.graph.connected import Connected
    from assetgraph.keys import AssetKey


def check_problems(graph: Connected) -> Iterator[Problem]:
    for key, node in graph.checks.items():
        if node.checks not in graph.assets:
            continue  # reported as an unknown upstream
        maker = graph.computation(key)
        for message, remedy in (
            *_returns_no_result(maker, node),
            *_other_partitions(graph, node),
            *_waits_for_reader(graph, node),
        ):
            yield Problem(maker.file, maker.line, message, remedy, key.text)


_NO_RESULTS = (bool, int, float, str, dict, None, type(None))


def _returns_no_result(maker: Computation, node: CheckNode) -> Iterator[tuple[str, str]]:
    """The function of checks says that it returns something that is no result of one."""
    if (
        maker.is_check
        and node is maker.specs[0]
        and any(maker.returns is one for one in _NO_RESULTS)
    ):
        yield (
            f"the {maker.label} is annotated `-> {annotation_text(maker.returns)}`, but a check "
            "returns an AssetCheckResult.",
            "Return AssetCheckResult(passed=…), and annotate it: -> AssetCheckResult.",
        )


def _other_partitions(graph: Connected, node: CheckNode) -> Iterator[tuple[str, str]]:
    own, of_asset = node.partitions_def, graph.asset(node.checks).partitions_def
    if own is not None and own != of_asset:
        has = f"has {of_asset!r}" if of_asset is not None else "has no partitions"
        yield (
            f"the check {node.key.text!r} has a different partitions definition than its asset: "
            f"{own!r}, and {node.checks.text!r} {has}.",
            "Give it that of the asset, or none: it then looks at all partitions at once.",
        )


def _waits_for_reader(graph: Connected, node: CheckNode) -> Iterator[tuple[str, str]]:
    """A blocking check cannot read what waits for it."""
    if not node.blocking:
        return

    def behind(key: AssetKey) -> tuple[AssetKey, ...]:
        return tuple(graph.children(key))

    waiting = walk([node.checks], behind).keys() - {node.checks}
    for read in graph.parents(node.key):
        if read in waiting:
            yield (
                f"the blocking check {node.key.text!r} reads {read.text!r}, which waits for it: it "
                f"reads {node.checks.text!r}.",
                "Leave out blocking=, or let the check read only what does not depend on its "
                "asset.",
            )
            return
