"""`GraphChecks`: the checks of the assets of a graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assetgraph.definitions.check_nodes import CheckNode
    from assetgraph.keys import AssetKey

Rows = Mapping["AssetKey", tuple["AssetKey", ...]]


class GraphChecks(dict["AssetKey", "CheckNode"]):
    """Every check by its key. A check is a node like an asset, except that nothing reads it."""

    @cached_property
    def by_asset(self) -> Rows:
        """The checks of each asset that has any, by name."""
        found: dict[AssetKey, list[AssetKey]] = {}
        for key, node in self.items():
            found.setdefault(node.checks, []).append(key)
        return {asset: tuple(keys) for asset, keys in found.items()}

    @cached_property
    def gates(self) -> Rows:
        """The blocking checks of each asset that has any: what reads it waits for them."""
        blocking = {
            asset: tuple([key for key in keys if self[key].blocking])
            for asset, keys in self.by_asset.items()
        }
        return {asset: keys for asset, keys in blocking.items() if keys}

    @cached_property
    def always(self) -> frozenset[AssetKey]:
        """The checks that look at the time, so that what they found does not last."""
        return frozenset([key for key, node in self.items() if node.always])

    def of(self, asset: AssetKey) -> tuple[AssetKey, ...]:
        """The checks of an asset, by name."""
        return self.by_asset.get(asset, ()) if self else ()

    def along(self, keys: Iterable[AssetKey]) -> Sequence[AssetKey]:
        """`keys`, and the checks of these assets."""
        keys = tuple(keys)
        return tuple(dict.fromkeys([*keys, *(check for key in keys for check in self.of(key))]))

    def followers(self, children: Rows, parents: Rows) -> Rows:
        """What comes after each node: what reads it, and behind a blocking check also what reads
        its asset."""
        if not self:
            return children
        found = {key: list(row) for key, row in children.items()}
        for check in self:
            for parent in parents[check]:
                found[parent].append(check)
        for asset, gates in self.gates.items():
            for gate in gates:
                found[gate] += children.get(asset, ())
        return {key: tuple(row) for key, row in found.items()}
