"""`evaluate_automation_conditions`: which assets their conditions ask for, for a test. Nothing
runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from assetgraph.definitions.automation.partitioned_schedule import time_of
from assetgraph.definitions.partitions.calendar import calendar_of
from assetgraph.definitions.partitions.multi import MultiPartitionsDefinition
from assetgraph.definitions.partitions.time_window import cron_line, zone_of
from assetgraph.graph.definitions import Definitions
from assetgraph.keys import AssetKey, Target
from assetgraph.planning.target_graph import TargetGraph
from assetgraph.records import FailedAttempt, Materialization

if TYPE_CHECKING:
    from assetgraph.definitions.automation.conditions import AutomationCondition
    from assetgraph.definitions.selection.asset_selection import AssetSelection
    from assetgraph.storage.store import Store

Targets = frozenset[Target]
_NONE: Targets = frozenset()


@dataclass(frozen=True)
class AutomationCursor:
    """What one evaluation of conditions leaves for the next."""

    at: datetime
    made: Mapping[AssetKey, Mapping[str | None, str]]  # what was there of each asset
    code: Mapping[AssetKey, str]
    conditions: Mapping[AssetKey, AutomationCondition]
    requested: Targets
    memory: Mapping[str, Targets]  # what was true, by the place in a condition


@dataclass(frozen=True)
class AutomationResult:
    """What the conditions of assets ask for. `cursor` is for the next evaluation."""

    cursor: AutomationCursor
    requested: Targets = field(default_factory=frozenset)

    @property
    def total_requested(self) -> int:
        """How many assets and partitions are asked for."""
        return len(self.requested)

    def get_num_requested(self, key: Any) -> int:
        """How many partitions of an asset are asked for; 1 for an asset without partitions."""
        return len(self.get_requested_partitions(key))

    def get_requested_partitions(self, key: Any) -> set[str | None]:
        """Which partitions of an asset are asked for: {None} for an asset without partitions."""
        own = AssetKey(getattr(key, "key", key)) if not isinstance(key, AssetKey) else key
        return {target.partition for target in self.requested if target.key is own}


def evaluate_automation_conditions(
    defs: Any,
    instance: Any,
    *,
    cursor: AutomationCursor | None = None,
    evaluation_time: datetime | None = None,
    asset_selection: AssetSelection | None = None,
) -> AutomationResult:
    """Which assets their automation conditions ask for, at `evaluation_time`, which is now unless
    given. `cursor` is that of the evaluation before. Nothing is run.

    `defs` are `Definitions` or a list of assets, of which `asset_selection` may say which count;
    `instance` has what was materialized.
    """
    graph = (defs if isinstance(defs, Definitions) else Definitions(defs)).graph
    at = evaluation_time or datetime.now(UTC)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    store = instance.store
    store.names.refresh()
    chosen = None if asset_selection is None else asset_selection.resolve(graph)
    tick = _Tick(TargetGraph(graph, at, store.dynamic_partitions), store, cursor)
    requested: Targets = _NONE
    for key in graph.order:
        condition = graph.asset(key).automation_condition
        if condition is not None and (chosen is None or key in chosen):
            found = tick.of(key, condition)
            requested |= found
            tick.requested |= found
    return AutomationResult(tick.cursor(), requested)


class _Part(NamedTuple):
    """A part of the condition of `root`, asked of the targets of `key`. What it remembers is kept
    under its `place`."""

    condition: AutomationCondition
    key: AssetKey
    root: AssetKey
    place: str

    def operands(self) -> Iterator[_Part]:
        for number, one in enumerate(self.condition.operands):
            yield _Part(one, self.key, self.root, f"{self.place}.{number}")

    def of_dep(self, dep: AssetKey) -> _Part:
        return _Part(self.condition.operands[0], dep, self.root, f"{self.place}>{dep.text}")


class _Tick:
    """One evaluation of all conditions."""

    def __init__(self, targets: TargetGraph, store: Store, before: AutomationCursor | None) -> None:
        self.targets = targets
        self.graph = targets.graph
        self.store = store
        self.before = before
        self.requested: Targets = _NONE
        self._counts_requests = True
        self._memory: dict[str, Targets] = {}
        self._conditions: dict[AssetKey, AutomationCondition] = {}
        self._all: dict[AssetKey, Targets] = {}

    def of(self, key: AssetKey, condition: AutomationCondition) -> Targets:
        self._conditions[key] = condition
        return self._true(_Part(condition, key, key, key.text))

    def cursor(self) -> AutomationCursor:
        """What the next evaluation needs; of assets that were left out, what there was before."""
        code = {key: self._code(key) for key in self._conditions}
        if self.before is not None:
            code = {**self.before.code, **code}
            self._conditions = {**self.before.conditions, **self._conditions}
            self._memory = {**self.before.memory, **self._memory}
        return AutomationCursor(
            self.targets.at, self._made, code, self._conditions, self.requested, self._memory
        )

    @cached_property
    def _made(self) -> dict[AssetKey, dict[str | None, str]]:
        """For each asset, what names the last materialization of each of its partitions."""
        found: dict[AssetKey, dict[str | None, str]] = {}
        for key in self.graph.order:
            own: dict[str | None, str] = {}
            for one in self.store.history.newest_first(key):
                if isinstance(one, Materialization):
                    observed = one.origin == "observed"
                    seen = one.data_version if observed else f"{one.run_id} {one.timestamp}"
                    own.setdefault(one.partition, seen)
            found[key] = own
        return found

    def _every(self, key: AssetKey) -> Targets:
        if key not in self._all:
            self._all[key] = frozenset(self.targets.targets(key))
        return self._all[key]

    def _code(self, key: AssetKey) -> str:
        return self.store.code.version(self.graph.computation(key))

    def _true(self, part: _Part) -> Targets:
        """The targets of which a part of a condition is true."""
        operator = part.condition.operator
        if operator in _LOOKS:
            return _LOOKS[operator](self, part)
        if operator in ("any_deps_match", "all_deps_match"):
            return self._of_deps(part, any if operator == "any_deps_match" else all)
        inner = [self._true(one) for one in part.operands()]
        match operator:
            case "and":
                return frozenset.intersection(*inner)
            case "or":
                return frozenset.union(*inner)
            case "not":
                return self._every(part.key) - inner[0]
            case "newly_true":
                self._memory[part.place] = inner[0]
                return inner[0] - self._remembered(part)
            case _:  # since
                # What the last evaluation asked for came before all that happened since.
                known = self._remembered(part) - inner[1]
                self._memory[part.place] = known | (inner[0] - self._reset_since(part))
                return self._memory[part.place]

    def _reset_since(self, part: _Part) -> Targets:
        """The targets that the reset of a `since` resets, whatever was asked for before."""
        self._counts_requests = False
        try:
            return self._true(list(part.operands())[1])
        finally:
            self._counts_requests = True

    def _remembered(self, part: _Part) -> Targets:
        if self.before is None or self._is_first(part):
            return _NONE
        return self.before.memory.get(part.place, _NONE)

    def _is_first(self, part: _Part) -> bool:
        """Whether the condition was not evaluated before as it is now."""
        known = self.before.conditions if self.before else {}
        return known.get(part.root) != self._conditions[part.root]

    def _of_deps(self, part: _Part, wanted: Callable[[Iterable[bool]], bool]) -> Targets:
        """The targets of which any upstream, or each, is one of which the operand is true."""
        allowed, ignored = part.condition.arguments
        deps = {dep for dep in self.graph.parents(part.key) if dep is not part.key}
        deps = deps if allowed is None else deps & allowed.resolve(self.graph)
        deps = deps if ignored is None else deps - ignored.resolve(self.graph)
        true = {dep: self._true(part.of_dep(dep)) for dep in deps}
        found = []
        for target in self._every(part.key):
            upstream = [one for one in self.targets.upstream_or_none(target) if one.key in deps]
            if wanted(one in true[one.key] for one in upstream):
                found.append(target)
        return frozenset(found)

    # What looks at the targets of one asset

    def missing(self, part: _Part) -> Targets:
        if part.key in self.graph.externals:
            return _NONE
        made = self._made[part.key]
        return frozenset(one for one in self._every(part.key) if one.partition not in made)

    def in_progress(self, part: _Part) -> Targets:
        return frozenset(self.store.running(self._every(part.key)))

    def execution_failed(self, part: _Part) -> Targets:
        last: dict[str | None, bool] = {}
        for one in self.store.history.newest_first(part.key):
            last.setdefault(one.partition, isinstance(one, FailedAttempt))
        return frozenset(one for one in self._every(part.key) if last.get(one.partition))

    def code_version_changed(self, part: _Part) -> Targets:
        code = self._code(part.key)
        known = self.before.code if self.before else {}
        return self._every(part.key) if known.get(part.key, code) != code else _NONE

    def newly_updated(self, part: _Part) -> Targets:
        if self.before is None or part.key not in self.before.made:
            return _NONE
        known, now = self.before.made[part.key], self._made[part.key]
        updated = {one for one, made in now.items() if made != known.get(one)}
        return frozenset(one for one in self._every(part.key) if one.partition in updated)

    def newly_requested(self, part: _Part) -> Targets:
        if self.before is None or not self._counts_requests:
            return _NONE
        return self._every(part.key) & self.before.requested

    def will_be_requested(self, part: _Part) -> Targets:
        return self._every(part.key) & self.requested

    def initial_evaluation(self, part: _Part) -> Targets:
        return self._every(part.key) if self._is_first(part) else _NONE

    def in_latest_time_window(self, part: _Part) -> Targets:
        definition = self.graph.asset(part.key).partitions_def
        time = None if definition is None else time_of(definition)
        if time is None:
            return self._every(part.key)
        windows = time.keys(self.targets.at)
        newest: set[str] = set(windows[len(windows) - 1 :])
        lookback = part.condition.arguments[0]
        if newest and lookback is not None:
            begin = time.time_window_for_partition_key(windows[-1]).end - lookback
            for window in reversed(windows):
                if time.time_window_for_partition_key(window).start < begin:
                    break
                newest.add(window)
        several = isinstance(definition, MultiPartitionsDefinition)
        name = definition.time_dimension if several else None  # type: ignore[union-attr]
        return frozenset(one for one in self._every(part.key) if _time_key(one, name) in newest)

    def cron_tick_passed(self, part: _Part) -> Targets:
        if self.before is None or self._is_first(part):
            return _NONE
        line, zone = part.condition.arguments
        calendar = calendar_of(cron_line(line), zone_of(zone))
        before, now = self.before.at.timestamp(), self.targets.at.timestamp()
        passed = calendar.until(now) > calendar.until(before)
        return self._every(part.key) if passed else _NONE


def _time_key(target: Target, dimension: str | None) -> str | None:
    by_dimension = getattr(target.partition, "keys_by_dimension", None)
    return by_dimension[dimension] if by_dimension and dimension else target.partition


_Look = Callable[[_Tick, _Part], Targets]
_LOOKS: Mapping[str, _Look] = {
    look.__name__: look
    for look in (
        _Tick.missing,
        _Tick.in_progress,
        _Tick.execution_failed,
        _Tick.code_version_changed,
        _Tick.newly_updated,
        _Tick.newly_requested,
        _Tick.will_be_requested,
        _Tick.initial_evaluation,
        _Tick.in_latest_time_window,
        _Tick.cron_tick_passed,
    )
}
