"""`State`: what is known of a project's assets, read once: the facts that plan, runner and views go
by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from assetgraph.keys import Target
from assetgraph.planning.plan import AssetFacts, Reason, asset_state, stale_reasons
from assetgraph.records import AssetState, Materialization, ValueCondition

if TYPE_CHECKING:
    from assetgraph.definitions.asset import Asset
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.keys import AssetKey
    from assetgraph.storage.store import Store


class State:
    """The facts of every asset of `graph`, each read from `store` when it is first asked for.

    An ephemeral store is asked for no code versions: nothing in it is older than the code.
    """

    def __init__(self, graph: AssetGraph, store: Store) -> None:
        self.graph = graph
        self.store = store
        self._facts: dict[AssetKey, AssetFacts] = {}

    def state(self, key: AssetKey) -> str:
        """The word for the state of `key`; the first call works out all of them."""
        return self._all_states[key][0].value

    @cached_property
    def _all_states(self) -> Mapping[AssetKey, tuple[AssetState, tuple[Reason, ...]]]:
        return self.states(self.graph.order)

    def of(self, key: AssetKey) -> AssetFacts:
        """Raises `DamagedStoreError` where the asset's history does not read."""
        known = self._facts.get(key)
        if known is None:
            known = self._facts[key] = self._read(key)
        return known

    def code_changes(self, key: AssetKey) -> tuple[str, ...]:
        current = self.of(key).current
        recorded = current.code_version if current else None
        return self.store.code.changes(self.graph.asset(key), recorded)

    def record_code(self) -> None:
        """Put the code that the facts so far cover on record, so that a later change can be named.
        Raises `StoreError`."""
        if not self.store.ephemeral:
            self.store.code.record()

    def take_over(self, key: AssetKey, made: Materialization) -> None:
        """Know what a step has just recorded, so that the next steps see it."""
        code_version = self.of(key).code_version
        self._facts[key] = AssetFacts(
            current=made, data_version=made.data_version, code_version=code_version
        )

    def forget(self, key: AssetKey) -> None:
        """Read the facts of `key` anew when they are next asked for."""
        self._facts.pop(key, None)
        self._untouched.discard(key)

    def states(
        self, keys: Iterable[AssetKey]
    ) -> Mapping[AssetKey, tuple[AssetState, tuple[Reason, ...]]]:
        """The state of each of `keys`, with the reasons where it is not fresh."""
        keys = list(keys)
        reasons = stale_reasons(self.graph, self, keys)
        return {key: (asset_state(self.of(key), reasons[key]), reasons[key]) for key in keys}

    @cached_property
    def _untouched(self) -> set[AssetKey]:
        """The assets that the store knew nothing of, found by one listing instead of two looks
        for each."""
        touched = set(self.store.history.keys())
        return {key for key in self.graph.assets if key.text not in touched}

    def _read(self, key: AssetKey) -> AssetFacts:
        code_version = self._code_version(self.graph.asset(key))
        if key in self._untouched:
            return AssetFacts(code_version=code_version)
        current, failed = self.store.history.current(Target(key))
        running = self.store.is_running(Target(key))
        if current is None:
            return AssetFacts(failed=failed, code_version=code_version, running=running)
        value, data_version = self._condition(self.graph.asset(key), current)
        return AssetFacts(current, failed, value, data_version, code_version, running)

    def _code_version(self, asset: Asset) -> str | None:
        return asset.code_version if self.store.ephemeral else self.store.code.version(asset)

    def _condition(
        self, asset: Asset, current: Materialization
    ) -> tuple[ValueCondition, str | None]:
        """Whether the value is as recorded, and the data version of what lies there now."""
        values, value = self.store.values, current.value
        if value.format == "custom" and asset.io_manager is None:
            return "unreadable", current.data_version
        condition = values.check(value)
        if condition == "changed":
            return condition, values.data_version(value)
        if condition == "intact" and value.meaning is not None:
            meaning = self.meaning(asset, current)
            if meaning != value.meaning:
                return condition, values.data_version(value, meaning)
        return condition, current.data_version

    def meaning(self, asset: Asset, current: Materialization) -> str | None:
        """What the project's classes of now make of the bytes of a pickle. Asked only where a
        change of them is no change of the asset's code, since it has a version of its own."""
        if asset.code_version is None or self.store.ephemeral:
            return current.value.meaning
        return self.store.values.meaning(current.value, self.store.code.named_version)
