"""Which partitions of the selected assets a request means."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import TYPE_CHECKING

from assetgraph.definitions.partitions.number_ranges import Numbers, in_ranges, joined
from assetgraph.errors import PartitionsError, SelectionError
from assetgraph.hints import command
from assetgraph.keys import EVERY, RANGE, AssetKey
from assetgraph.planning.selected_targets import (
    example_key,
    no_partitions,
    numbers_named,
)
from assetgraph.planning.target_numbers import TargetNumbers

if TYPE_CHECKING:
    from assetgraph.definitions.partitions.keys import PartitionKeys
    from assetgraph.planning.target_graph import TargetGraph


def targets_meant(
    graph: TargetGraph,
    keys: Sequence[AssetKey],
    partitions: Sequence[str],
    *,
    every: bool,
    default: str | None,
) -> TargetNumbers:
    """The targets that a request means of the assets that it selects.

    `partitions` are those that it names. Where it names none, it means all if `every`, and else the
    default of each definition, or `default`.

    Raises `PartitionsError` for a partition that an asset does not have, and if none of the assets
    has partitions; `SelectionError` if it does not say which partitions, and there is no default.
    """
    partitioned = [key for key in keys if graph.is_partitioned(key)]
    named = [text for text in partitions if text != EVERY]
    if named and not partitioned and keys:
        raise no_partitions(keys)
    found: dict[AssetKey, Numbers] = {}
    for key in keys:
        if not graph.is_partitioned(key) or EVERY in partitions or (every and not named):
            found[key] = graph.every_number(key)
        elif named:
            parts = [part for text in named for part in numbers_named(graph, key, text)]
            found[key] = joined(parts)
        else:
            found[key] = in_ranges([_default(graph, key, default)])
    return TargetNumbers(graph, found)


def _default(graph: TargetGraph, key: AssetKey, default: str | None) -> int:
    """The number of the default partition of an asset, as its definition or the project says."""
    definition, keys = graph.graph.asset(key).partitions_def, graph.keys(key)
    assert definition is not None
    assert keys is not None
    text = definition.default or default
    if text is None and not len(keys):
        from assetgraph.planning.target_graph import dynamic_names

        names = sorted(dynamic_names(graph.graph, [key]))
        add = f"Add one with: {command('partitions', 'add', names[0], 'KEY')}" if names else None
        raise SelectionError(f"{key.text!r} has no partitions yet.", hint=add)
    if text is None:
        raise SelectionError(
            f"{key.text!r} has {_how_many(keys)}: say which.",
            hint=f"Add --partition {quote(example_key(keys))}, --partitions FIRST..LAST or "
            "--all-partitions, or --stale for what is not up to date.",
        )
    try:
        return keys.find(text)
    except PartitionsError as error:
        error.about(f"the default partition of {key.text!r}")
        raise


def _how_many(keys: PartitionKeys) -> str:
    count = len(keys)
    if count == 1:
        return f"the partition {keys.key(0)}"
    return f"{count:,} partitions, {keys.key(0)}{RANGE}{keys.key(count - 1)}"
