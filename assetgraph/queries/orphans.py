"""Partitions on record that no definition has any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.keys import AssetKey, Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from assetgraph.planning.facts import StoreFacts


def orphaned_by_asset(
    facts: StoreFacts, keys: Iterable[AssetKey] | None = None
) -> Mapping[AssetKey, list[str]]:
    """The partitions on record that the definitions of these assets, or of all, do not have. A
    project that never had partitions pays for one look at the store's format."""
    if not facts.store.may_have_partitions:
        return {}
    touched = facts.store.history.touched()
    found: dict[AssetKey, list[str]] = {}
    for key in facts.graph.order if keys is None else keys:
        if key.text in touched:
            gone = facts.orphaned(key)
            if gone:
                found[key] = list(gone)
    return found


def orphaned_targets(facts: StoreFacts) -> list[Target]:
    """The partitions on record that no definition has any more."""
    return [Target(key, one) for key, gone in orphaned_by_asset(facts).items() for one in gone]
