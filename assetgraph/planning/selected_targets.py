"""The targets that a selection with partitions names, as in `trips@2023-01..2023-03+`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from functools import cached_property
from typing import TYPE_CHECKING

from assetgraph.errors import PartitionsError
from assetgraph.graph.selection.evaluate import select
from assetgraph.hints import command
from assetgraph.keys import EVERY, AssetKey, Target
from assetgraph.text import listed

if TYPE_CHECKING:
    from assetgraph.definitions.computation import AssetSpec
    from assetgraph.definitions.partitions.keys import PartitionKeys
    from assetgraph.definitions.partitions.number_ranges import Numbers
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.target_graph import TargetGraph


class TargetChoice:
    """The targets of a graph as a selection needs them. A name without a partition means every
    partition of that asset."""

    def __init__(self, targets: TargetGraph) -> None:
        self._targets = targets

    @cached_property
    def order(self) -> Sequence[Target]:
        return self._targets.of(self._targets.graph.order)

    @property
    def asset_order(self) -> Sequence[AssetKey]:
        return self._targets.graph.order

    @property
    def externals(self) -> Set[AssetKey]:
        return self._targets.graph.externals

    @property
    def checks(self) -> Iterable[AssetKey]:
        return self._targets.graph.checks

    def __contains__(self, key: AssetKey) -> bool:
        return key in self._targets.graph

    def asset(self, key: AssetKey) -> AssetSpec:
        return self._targets.graph.asset(key)

    def made_by(self, function: str) -> Sequence[AssetKey]:
        return self._targets.graph.made_by(function)

    def named(self, key: AssetKey, partition: str | None) -> Iterable[Target]:
        if partition is None:
            return self._targets.targets(key)
        if not self._targets.is_partitioned(key):
            raise no_partitions([key])
        return partitions_named(self._targets, key, partition)

    def in_order(self, chosen: Iterable[Target]) -> Sequence[Target]:
        return self._targets.in_order(chosen)

    def parents(self, key: Target) -> Sequence[Target]:
        return self._targets.upstream_or_none(key)

    def children(self, key: Target) -> Sequence[Target]:
        return self._targets.downstream(key)

    def checks_of(self, key: Target) -> Iterable[Target]:
        from assetgraph.planning.gates import checks_of

        return checks_of(self._targets, key)


def selected_targets(
    texts: Sequence[str], facts: StoreFacts, *, with_checks: bool = False
) -> tuple[Target, ...]:
    """The targets that a selection with partitions names, upstream before downstream.

    Raises `SelectionError`.
    """
    choice = TargetChoice(facts.targets)
    return select(texts, choice, facts.target_state, with_checks=with_checks)


def partitions_named(targets: TargetGraph, key: AssetKey, text: str) -> list[Target]:
    """The targets of an asset that a text means: see `numbers_named`."""
    found = numbers_named(targets, key, text)
    return [one for numbers in found for one in targets.numbered(key, numbers)]


def numbers_named(targets: TargetGraph, key: AssetKey, text: str) -> Numbers:
    """The numbers of the partitions of an asset that a text means: `*`, a key, a shortened one of a
    time, or a range of these; of several dimensions, one of these for each too. Raises
    `PartitionsError`."""
    keys = targets.keys(key)
    assert keys is not None
    try:
        return targets.every_number(key) if text == EVERY else keys.among(text)
    except PartitionsError as error:
        error.about(f"asset {key.text!r}")
        raise


def needs_partition(
    targets: TargetGraph, key: AssetKey, verb: str, *options: str
) -> PartitionsError:
    """The error for an asset with partitions where one of them is needed."""
    named = f"{key.text}@{example_key(targets.keys(key))}"
    return PartitionsError(
        f"{key.text!r} has partitions: say which.",
        hint=f"As in: {command(verb, named, *options)}",
    )


def example_key(keys: PartitionKeys | None) -> str:
    """A key for a hint: the last, or where there is none yet, a word for it."""
    return keys.key(len(keys) - 1) if keys else "KEY"


def no_partitions(keys: Iterable[AssetKey]) -> PartitionsError:
    """The error for a partition of assets that have none."""
    names = [key.text for key in keys]
    have = "has" if len(names) == 1 else "have"
    return PartitionsError(
        f"{listed(names[:3])} {have} no partitions.",
        hint="Leave the partition out, or give the asset a partitions_def.",
    )
