"""Assets that a step reads without naming them as upstreams: a file that another asset made, or its
value. A run may then start both at once, and it takes two runs until both are up to date."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import msgspec

from assetgraph.keys import recorded_target
from assetgraph.records import ReadKind

if TYPE_CHECKING:
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.keys import AssetKey
    from assetgraph.records import ObservedRead
    from assetgraph.storage.output_paths import OutputPaths

_OF_FILES = frozenset({ReadKind.FILE, ReadKind.FOLDER})


class UndeclaredEdge(msgspec.Struct, frozen=True):
    """A step that reads what `upstream` made, without naming it. `name` is the file, or "" for its
    value. `is_circle` says that the upstream is made from what the step makes."""

    upstream: str
    name: str = ""
    is_circle: bool = False

    @property
    def text(self) -> str:
        what = f"reads {self.name}, which {self.upstream} made" if self.name else (
            f"loads the value of {self.upstream}"
        )  # fmt: skip
        if self.is_circle:
            return (
                f"It {what}, but {self.upstream} is downstream of it. This is a circle: neither is "
                "up to date before the other."
            )
        return (
            f"It {what}, but {self.upstream} is not an upstream of it. So a run may start both at "
            f'once, and a change takes two runs. Add deps=["{self.upstream}"].'
        )


def undeclared_edges(
    graph: AssetGraph,
    made: OutputPaths,
    keys: Collection[AssetKey],
    reads: Iterable[ObservedRead],
) -> list[UndeclaredEdge]:
    """The edges that the call which materializes `keys` lacks, each once. `made` says which asset
    made a file."""
    found: dict[AssetKey, UndeclaredEdge] = {}
    for read in reads:
        maker = _maker(made, read)
        if maker is None or maker in keys or maker in found or maker not in graph:
            continue
        if any(maker in graph.upstream(key) for key in keys):
            continue
        below = {one for key in keys for one in graph.downstream(key)}
        name = "" if read.kind is ReadKind.ASSET else read.name
        found[maker] = UndeclaredEdge(maker.text, name, is_circle=maker in below)
    return list(found.values())


def _maker(made: OutputPaths, read: ObservedRead) -> AssetKey | None:
    if read.kind is ReadKind.ASSET:
        return recorded_target(read.name).key
    return made.maker(read.name) if read.kind in _OF_FILES else None
