"""`StoreFacts`: the facts that the store holds about the targets of a graph, each read once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import msgspec

from assetgraph.errors import AssetGraphError, StoreError
from assetgraph.keys import Target, checked_asset
from assetgraph.planning.partitions_on_record import PartitionsOnRecord
from assetgraph.planning.reason_kinds import Reason
from assetgraph.planning.reasons import (
    AssetStates,
    Configs,
    KnownReasons,
    TargetFacts,
    stale_reasons,
    target_state,
)
from assetgraph.records import (
    AssetState,
    FailedAttempt,
    Materialization,
    ValueCondition,
)

if TYPE_CHECKING:
    from assetgraph.definitions.computation import AssetSpec, Computation
    from assetgraph.definitions.external import ExternalAsset
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.keys import AssetKey
    from assetgraph.planning.asset_rows import KnownRows
    from assetgraph.planning.row_states import RowStates
    from assetgraph.storage.histories import AssetHistory
    from assetgraph.storage.known_histories import KnownHistories
    from assetgraph.storage.output_paths import OutputPaths
    from assetgraph.storage.read_changes import Changes, ReadChanges
    from assetgraph.storage.store import Store

_MANY = 500  # assets, whose histories are worth remembering


class StoreFacts(PartitionsOnRecord):
    """The facts about the targets of `graph`, each read from `store` on first use.

    An ephemeral store is never older than the code, so it needs no code versions.
    """

    def __init__(self, graph: AssetGraph, store: Store) -> None:
        PartitionsOnRecord.__init__(self, graph, store)
        store.names.refresh()
        self._histories: AssetHistory | KnownHistories = store.history
        if len(graph.targets) >= _MANY:
            self._histories = store.known_histories()
        self._facts: dict[Target, TargetFacts] = {}
        self._running: dict[Target, bool] = {}
        self._resources: dict[str, Mapping[str, Mapping[str, Any]]] = {}  # by computation
        self._other_projects: dict[str, str | None] = {}  # by the run that made a value

    @cached_property
    def reads(self) -> ReadChanges:
        """Compares what steps read with what is there now."""
        from assetgraph.storage.read_changes import ReadChanges

        return ReadChanges(self.store, self._present_version)

    @cached_property
    def outputs(self) -> OutputPaths:
        """Which asset made a file, as of the first question and with what was taken over since."""
        return self.store.outputs()

    def state(self, key: AssetKey) -> str:
        """The name of an asset's state. The first call computes the states of all assets."""
        return self._all_states[key].state.value

    @cached_property
    def _all_states(self) -> Mapping[AssetKey, AssetStates]:
        return self.states(self.graph.order)

    def of(self, target: Target) -> TargetFacts:
        """The facts about a target. Where its history cannot be read, they say only why."""
        known = self._facts.get(target)
        if known is None:
            known = self._facts[target] = self._read(target)
        return known

    def code_changes(self, target: Target) -> tuple[str, ...]:
        current = self.of(target).current
        recorded = current.code_version if current else None
        changes = self.store.code.changes(self.graph.computation(target.key), recorded)
        other = self.other_project(target)
        return changes if other is None else (f"the project in {other} materialized it", *changes)

    def other_project(self, target: Target) -> str | None:
        """The folder of another project that shares the store and made the target's value, as far
        as the run's record says."""
        current = self.of(target).current
        if current is None:
            return None
        if current.run_id not in self._other_projects:
            self._other_projects[current.run_id] = self._other_project(current.run_id)
        return self._other_projects[current.run_id]

    def _other_project(self, run_id: str) -> str | None:
        try:
            run = self.store.runs.read(run_id)
        except AssetGraphError:
            return None  # it was deleted, or cannot be read
        # In a copy of a store, and where the project was moved, the records name other folders.
        if not run.project or not os.path.isdir(run.project) or run.store != self.store.folder:
            return None
        other, own = os.path.realpath(run.project), os.path.realpath(self.store.project_root)
        return None if os.path.commonpath([other, own]) in (other, own) else run.project

    def remember(self) -> None:
        """Have the next process find faster what this one found."""
        if self._histories is not self.store.history:
            cast("KnownHistories", self._histories).save()

    def record_code(self) -> None:
        """Record the code that the facts so far cover, so a later change to it can be described.

        Raises `StoreError`.
        """
        if not self.store.ephemeral:
            self.store.code.record()

    def take_over(self, target: Target, made: Materialization) -> None:
        """Replace the facts about `target` with a materialization that was just recorded."""
        code_version = self.of(target).code_version
        if "outputs" in self.__dict__:
            self.outputs.add(target.key, made)
        self._facts[target] = TargetFacts(
            current=made, data_version=made.data_version, code_version=code_version
        )
        self._running[target] = False

    def forget(self, target: Target) -> None:
        """Read the facts about `target` again on next use."""
        known = self._facts.pop(target, None)
        self._running.pop(target, None)
        self._untouched.discard(target.key)
        self.__dict__.pop("outputs", None)
        if known is not None:
            for observed in _observed(known.current, known.failed):
                self.reads.forget(observed)

    def forget_asset(self, key: AssetKey) -> None:
        """Read the facts about every target of an asset again on next use."""
        if not self.targets.is_partitioned(key):
            self.forget(self.graph.targets[key])
            return
        self._untouched.discard(key)
        self.__dict__.pop("outputs", None)
        for target in [one for one in self._facts if one.key is key]:  # of very many, few were read
            self.forget(target)

    def newest(self, key: AssetKey) -> TargetFacts:
        """The facts about an asset, or about the partition of it with the newest attempt."""
        return self.of(self.newest_target(key))

    def look_again(self, targets: Iterable[Target]) -> None:
        """Compare what the steps of `targets` read with what is there by now."""
        for target in targets:
            known = self.of(target)
            observed = list(_observed(known.current, known.failed))
            for one in observed:
                self.reads.forget(one)
            if observed:
                self._facts[target] = msgspec.structs.replace(
                    known,
                    read_changes=self._read_changes(target, known.current),
                    failed_reads=self._read_changes(target, known.failed),
                )

    def states(self, keys: Iterable[AssetKey]) -> Mapping[AssetKey, AssetStates]:
        """The state of each asset, with the reasons why it is not fresh."""
        keys = list(keys)
        for key in keys:
            if not self.targets.is_partitioned(key):
                self.is_running(self.graph.targets[key])
        known: KnownReasons
        if self.graph.partitioned:
            known = self.row_states(keys)
        else:
            known = stale_reasons(self.targets, self, self.targets.of(keys))
        self.remember()
        return {key: self.states_given(key, known) for key in keys}

    def row_states(self, keys: Iterable[AssetKey], config: Configs | None = None) -> RowStates:
        """The states of all targets of these assets, and of everything upstream of them."""
        from assetgraph.planning.row_states import RowStates

        states = RowStates(self, config)
        states.compute(keys)
        return states

    def states_given(self, key: AssetKey, states: KnownReasons) -> AssetStates:
        """The state of an asset, given those of all its targets: as `KnownRows`, if it has
        partitions."""
        if self.targets.is_partitioned(key):
            from assetgraph.planning.partition_states import states_of

            return states_of(self.targets, self, key, cast("KnownRows", states))
        target = self.graph.targets[key]
        return self._states_of(target, states[target])

    def _states_of(self, target: Target, reasons: tuple[Reason, ...]) -> AssetStates:
        running = self.is_running(target)
        state = AssetState.RUNNING if running else target_state(self.of(target), reasons)
        return AssetStates(state, reasons)

    def is_running(self, target: Target) -> bool:
        """Whether a living process was materializing a target when somebody first asked. A plan
        does not ask. Whoever does asks before the history is read, since the step may end in
        between."""
        if target.partition is not None:
            return self.of(target).running
        known = self._running.get(target)
        if known is None:
            is_known = target.key in self.graph.externals or target.key in self._untouched
            known = self._running[target] = not is_known and self.store.is_running(target)
        return known

    def target_state(self, target: Target) -> str:
        """The name of a target's state. The first call computes the states of all targets."""
        return self._all_target_states[target].state.value

    @cached_property
    def _all_target_states(self) -> Mapping[Target, AssetStates]:
        return self.target_states(self.targets.of(self.graph.order))

    def target_states(self, targets: Iterable[Target]) -> Mapping[Target, AssetStates]:
        """The state of each target, with the reasons why it is not fresh."""
        targets = list(targets)
        for target in targets:
            self.is_running(target)
        reasons = stale_reasons(self.targets, self, targets)
        return {target: self._states_of(target, reasons[target]) for target in targets}

    @cached_property
    def _lost(self) -> Mapping[AssetKey, str]:
        """The paths of the histories that somebody took away: there are values of their assets."""
        if not self.store.exists:
            return {}
        history = self.store.history
        # A run may have begun since the histories were listed.
        with_values = self.store.values.kept_of(self._untouched)
        return {key: history.path(key) for key in with_values if history.is_missing(key)}

    def _read(self, target: Target) -> TargetFacts:
        computation = self.graph.computation(target.key)
        code_version = self._code_version(computation)
        if computation.is_external:
            from assetgraph.planning.external_facts import external_facts

            asset = cast("ExternalAsset", computation)
            return external_facts(self.store, target, asset, self._condition)
        if target.key in self._untouched:
            lost = self._lost.get(target.key)
            return TargetFacts(code_version=code_version, lost=lost)
        # Of a whole asset: see `is_running`.
        running = target.partition is not None and self.store.is_running(target)
        resources = self.resource_records(computation) if self.graph.resources else {}
        if target.partition is not None:
            self._numbered(target.key)
        try:
            current, failed = self._histories.current(target)
        except StoreError as error:
            damage = error.message.removesuffix(" Nothing was changed.").rstrip(".")
            return TargetFacts(code_version=code_version, running=running, damage=damage)
        appeared = self._appeared(failed) if failed is not None and failed.absent else ()
        if current is None:
            return TargetFacts(
                failed=failed, code_version=code_version, running=running, appeared=appeared,
                failed_reads=self._read_changes(target, failed), resources=resources,
            )  # fmt: skip
        value, data_version = self._condition(target, computation, current)
        return TargetFacts(
            current, failed, value, data_version, code_version, running, appeared,
            read_changes=self._read_changes(target, current),
            failed_reads=self._read_changes(target, failed), resources=resources,
            unchecked=self._unchecked(target, current) if computation.makes_checks else None,
        )  # fmt: skip

    def _unchecked(self, check: Target, looked: Materialization) -> str | None:
        """The asset of a check of its own function, if its value is newer than what was found of
        it: a function that ended in between, or that was called again, has made only that."""
        key = checked_asset(check.key)
        if key is None:
            return None
        asset = Target(key, check.partition)
        made = self.of(asset).current
        is_of_it = (
            made is not None and made.run_id == looked.run_id and made.timestamp <= looked.timestamp
        )
        return None if is_of_it else asset.text

    def resource_records(self, computation: Computation) -> Mapping[str, Mapping[str, Any]]:
        """What would be recorded now of the resources that a computation takes."""
        known = self._resources.get(computation.name)
        if known is None:
            from assetgraph.planning.resource_records import resource_records

            known = resource_records(computation, self.graph.resources, self.store)
            self._resources[computation.name] = known
        return known

    def _read_changes(
        self, target: Target, attempt: Materialization | FailedAttempt | None
    ) -> Changes | None:
        if attempt is None or attempt.observed is None:
            return ()
        if not self.store.observes or not self.graph.computation(target.key).observe_reads:
            return ()  # they were observed before that was switched off
        return self.reads.of(attempt.observed)

    def _present_version(self, target: Target) -> str:
        """The data version of a value that a step loads, as it is now; "" if there is none. It does
        not ask whether the value is up to date, which may depend on who asks."""
        current = self.store.history.known(target)
        if target.key not in self.graph:
            return current.data_version if current is not None else ""
        computation = self.graph.computation(target.key)
        if computation.is_external:
            return self.of(target).data_version or ""
        if current is None:
            return ""
        value, version = self._condition(target, computation, current)
        return (version or "") if value in ("intact", "changed") else ""

    def _appeared(self, failed: FailedAttempt) -> tuple[str, ...]:
        root = self.store.project_root
        return tuple(path for path in failed.absent if os.path.exists(os.path.join(root, path)))

    def spec(self, target: Target) -> AssetSpec:
        return self.graph.asset(target.key)

    def _code_version(self, computation: Computation) -> str | None:
        if self.store.ephemeral:
            return computation.code_version
        return self.store.code.version(computation)

    def _condition(
        self, target: Target, computation: Computation, current: Materialization
    ) -> tuple[ValueCondition, str | None]:
        """The condition of the value, and the data version of the stored data as it is now."""
        values, value = self.store.values, current.value
        if value.path is None and value.checksum is None and not value.by_io_manager:
            return "intact", current.data_version
        condition = values.check_output(current, self.graph.asset(target.key))
        if condition == "changed":
            version = values.data_version(value)
            return condition, version or f"{current.data_version}, changed since"
        if condition == "intact" and value.class_digest is not None:
            class_digest = self.class_digest(computation, current)
            if not value.has_class_digest(class_digest):
                return condition, values.data_version(value, class_digest)
        return condition, current.data_version

    def class_digest(self, computation: Computation, current: Materialization) -> str | None:
        """The digest of the project's current classes that a pickled value names.

        It is computed only for a computation with an explicit `code_version`. For any other, a
        change to those classes already changes the code version.
        """
        if computation.code_version is None or self.store.ephemeral:
            return current.value.class_digest
        return self.store.values.class_digest(current.value, self.store.code.named_version)


def _observed(*attempts: Materialization | FailedAttempt | None) -> Iterator[str]:
    """The sets of what these attempts read."""
    for attempt in attempts:
        if attempt is not None and attempt.observed is not None:
            yield attempt.observed
