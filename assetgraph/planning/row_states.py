"""`RowStates`: the states of all targets of assets, and why each is not fresh, by columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import reduce
from typing import TYPE_CHECKING

from assetgraph.graph.walk import walk
from assetgraph.keys import AssetKey, Target
from assetgraph.planning import columns
from assetgraph.planning.asset_rows import (
    CODES,
    STATES,
    AssetRows,
    Reasons,
    RowFacts,
    above_of,
    one_version,
)
from assetgraph.planning.partition_labels import LabelledRows
from assetgraph.planning.reason_kinds import Reason, ReasonKind
from assetgraph.planning.reasons import Configs, reasons_given, stale_reasons, target_state
from assetgraph.process.garbage_collector import paused_collector
from assetgraph.records import AssetState
from assetgraph.storage.row_file import DamagedIndexError

if TYPE_CHECKING:
    from assetgraph.planning.target_graph import TargetGraph

_TRIES = 2


class RowStates:
    """The states of assets, each computed once, upstream first. `config` is what is given for a
    run."""

    def __init__(self, facts: RowFacts, config: Configs | None = None) -> None:
        self._facts = facts
        self._config = config or {}
        self._found: dict[AssetKey, AssetRows] = {}

    @property
    def _graph(self) -> TargetGraph:
        return self._facts.targets

    def compute(self, keys: Iterable[AssetKey]) -> None:
        """Compute the states of these assets and of everything upstream of them."""
        graph = self._graph.graph
        every = walk(keys, lambda key: (*graph.parents(key), *graph.mates(key)))
        with paused_collector():
            for key in graph.in_order(every):
                if key not in self._found:
                    self.renew(key)

    def renew(self, key: AssetKey) -> None:
        """Compute the states of an asset anew, given those of everything upstream of it."""
        self._found[key] = AssetRows(0)
        if not self._graph.is_too_many(key):
            self._compute(key)
            together = self._graph.graph.siblings.get(key, ())
            if together and all(one in self._found for one in together):
                self._share(together)

    def of(self, key: AssetKey) -> AssetRows:
        """The states of an asset that was computed."""
        return self._found[key]

    def __getitem__(self, target: Target) -> Reasons:
        number = 0 if target.partition is None else self._graph.number(target)
        if number is None:
            return ()
        rows = self._found[target.key]
        if self._graph.is_too_many(target.key) and number not in rows.exact:
            self._look_at(target)
        return rows.reasons_of(number)

    def _look_at(self, target: Target) -> None:
        """Find the reasons of a target whose asset has too many of them to look at each, and of
        those that it is made from."""
        for one, why in stale_reasons(self._graph, self._facts, [target], self._config).items():
            number = self._graph.number(one)
            if number is not None and self._graph.is_too_many(one.key):
                self._found[one.key].exact[number] = why

    def _compute(self, key: AssetKey) -> None:
        keys = self._graph.keys(key)
        if keys is None:
            self._found[key] = self._of_one(self._graph.graph.targets[key])
        elif not len(keys):
            pass
        elif self._graph.graph.computation(key).is_external:
            self._found[key] = self._of_external(key, len(keys))
        else:
            self._found[key] = self._labelled(key)

    def _labelled(self, key: AssetKey) -> AssetRows:
        given = self._config.get(key)
        for _ in range(_TRIES):
            labelled = LabelledRows(self, self._facts, key, given)
            self._found[key] = labelled.found  # partitions may depend on others of the asset
            with suppress(DamagedIndexError):
                labelled.compute(self._facts.rows(key))
                return labelled.found
            self._facts.distrust_rows(key)
        labelled.compute(None)
        return labelled.found

    def _share(self, together: Sequence[AssetKey]) -> None:
        """Call every output of a call stale if one of them is: the call materializes all of
        them."""
        rows = [self._found[key] for key in together]
        stale = [one.stale() for one in rows]
        any_stale = reduce(columns.either, stale)
        for one, own in zip(rows, stale, strict=True):
            fresh = columns.where_not(any_stale, own)
            numbers = [n for part in columns.numbers_of(fresh, 1) for n in part]
            for number in numbers:
                first = next(place for place, column in enumerate(stale) if column[number])
                name = self._graph.target(together[first], number).text
                shared = {"asset": name, "state": STATES[rows[first].above[number]].value}
                one.exact[number] = (Reason(ReasonKind.MADE_TOGETHER, shared),)
            one.call_stale(numbers)

    def _of_one(self, target: Target) -> AssetRows:
        """An asset without partitions, or a partition that stands for all."""
        found = AssetRows(1)
        running = target.partition is None and self._facts.is_running(target)
        reasons = self.exactly(target)
        known = self._facts.of(target)
        found.exact[0] = reasons
        state = AssetState.RUNNING if running else target_state(known, reasons)
        found.states = bytes([CODES[state]])
        found.above = bytes([above_of(known, reasons)])
        found.versions = one_version(known.data_version)
        return found

    def _of_external(self, key: AssetKey, count: int) -> AssetRows:
        """What something else makes is known of all its partitions together."""
        found = self._of_one(self._graph.target(key, 0))
        found.reasons = {0: found.exact.pop(0)}
        found.labels, found.states = bytes(count), found.states * count
        found.above *= count
        return found

    def exactly(self, target: Target) -> Reasons:
        """Why a target is not up to date, with what is said of this one alone."""
        given = self._config.get(target.key)
        return reasons_given(self, self._graph, self._facts, target, given)


class ExactReasons:
    """The reasons of targets, with what is said of each alone."""

    def __init__(self, states: RowStates) -> None:
        self._states = states

    def __getitem__(self, target: Target) -> Reasons:
        return self._states.exactly(target)
