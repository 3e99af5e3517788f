"""Why a target is not up to date. Pure: no disk, no clock.

`direct_reasons` looks at one target, `stale_reasons` at targets and everything upstream of them.
The plan, the status, the runner and the web page all get their reasons here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from assetgraph.definitions.asset import StoredAsset
from assetgraph.graph.walk import walk
from assetgraph.keys import Target
from assetgraph.process.garbage_collector import paused_collector
from assetgraph.records import AssetState, FailedAttempt, Materialization, ValueCondition
from assetgraph.text import listed

if TYPE_CHECKING:
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.keys import AssetKey

Configs = Mapping["AssetKey", Mapping[str, Any]]


class ReasonKind(StrEnum):
    NEVER_MATERIALIZED = "never_materialized"
    VALUE_GONE = "value_gone"
    VALUE_DAMAGED = "value_damaged"
    VALUE_UNREADABLE = "value_unreadable"
    FILE_CHANGED = "file_changed"
    CODE_CHANGED = "code_changed"
    CONFIG_CHANGED = "config_changed"
    UPSTREAM_DATA = "upstream_data"
    UPSTREAM_ADDED = "upstream_added"
    UPSTREAM_REMOVED = "upstream_removed"
    ATTEMPT_FAILED = "attempt_failed"
    UPSTREAM_STALE = "upstream_stale"
    MADE_TOGETHER = "made_together"
    HISTORY_DAMAGED = "history_damaged"
    HISTORY_MISSING = "history_missing"
    PAST_FAILURE = "past_failure"


class Reason(msgspec.Struct, frozen=True):
    """One reason why a target is not up to date.

    Facts by kind: `code_changed` has `changes` (sentences); `upstream_data` has `upstream`, `old`
    and `new` (data versions); the other `upstream_*` have `upstream`, and `upstream_stale` also its
    `state`; `made_together` has `asset` and its `state`; `attempt_failed` has `run_id` and `error`,
    and `value_run_id` if an older value is there; `config_changed` has `old` and `new`; `value_*`,
    `file_changed` and `history_missing` have `path`; `history_damaged` has `error`.

    A `past_failure` is no such reason: `past_failure` returns it, to be shown beside the state.
    """

    kind: ReasonKind
    facts: dict[str, Any] = {}

    @property
    def text(self) -> str:
        return _TEXTS[self.kind](self.facts)


class TargetFacts(msgspec.Struct, frozen=True):
    """The facts about one target.

    `value` is the condition of the stored value. `data_version` describes the data as it is now: a
    file that an asset returned may have been changed from outside, and is used as it is. `failed`
    is the last attempt, if it failed; `appeared` has the files that were absent then and are there
    now. `damage` says why the target's history cannot be read, and `lost` is the path of a history
    that is missing although there are values; nothing else is known then.
    """

    current: Materialization | None = None
    failed: FailedAttempt | None = None
    value: ValueCondition = "intact"
    data_version: str | None = None
    code_version: str | None = None
    running: bool = False
    appeared: tuple[str, ...] = ()
    damage: str | None = None
    lost: str | None = None

    @property
    def file_version(self) -> str:
        """The data version of the file that is the value, or "" if it is gone."""
        return (self.data_version or "") if self.has_value else ""

    @property
    def has_value(self) -> bool:
        return self.current is not None and self.value in ("intact", "changed")


class Facts(Protocol):
    """The source of facts: see `assetgraph.planning.facts`."""

    def of(self, target: Target) -> TargetFacts: ...

    def code_changes(self, target: Target) -> tuple[str, ...]:
        """Sentences that name what changed since the target's current value was made."""


def upstream_targets(graph: AssetGraph, target: Target) -> tuple[Target, ...]:
    """The targets that `target` is made from."""
    return graph.upstream_targets[target.key]


def with_upstreams(graph: AssetGraph, targets: Iterable[Target]) -> list[Target]:
    """`targets`, what their calls also materialize, and everything that all of these are made from,
    directly or not, upstream first."""
    positions = graph.positions
    found = walk(targets, partial(_neighbours if graph.siblings else upstream_targets, graph))
    return sorted(found, key=lambda target: positions[target.key])


def stale_reasons(
    graph: AssetGraph, facts: Facts, targets: Iterable[Target], config: Configs | None = None
) -> dict[Target, tuple[Reason, ...]]:
    """Why each of `targets` and of all their upstreams is not up to date, upstream first.

    No reason means fresh.
    """
    found: dict[Target, tuple[Reason, ...]] = {}
    with paused_collector():
        for target in with_upstreams(graph, targets):
            given = config.get(target.key) if config else None
            found[target] = reasons_given(found, graph, facts, target, given)
            siblings = graph.siblings.get(target.key)
            if siblings and siblings[-1] is target.key:  # they are next to each other
                _share([Target(key, target.partition) for key in siblings], facts, found)
    return found


def _neighbours(graph: AssetGraph, target: Target) -> list[Target]:
    siblings = graph.siblings.get(target.key, ())
    together = [Target(key, target.partition) for key in siblings]
    return [*upstream_targets(graph, target), *together]


def _share(
    outputs: Sequence[Target], facts: Facts, found: dict[Target, tuple[Reason, ...]]
) -> None:
    """Call every output of a call stale if one of them is: the call materializes all of them."""
    for first in outputs:
        if found[first]:
            break
    else:
        return
    shared = {"asset": first.text, "state": _state(facts.of(first), found[first])}
    for output in outputs:
        found[output] = found[output] or (Reason(ReasonKind.MADE_TOGETHER, shared),)


def reasons_given(
    found: Mapping[Target, tuple[Reason, ...]],
    graph: AssetGraph,
    facts: Facts,
    target: Target,
    config: Mapping[str, Any] | None = None,
) -> tuple[Reason, ...]:
    """Why `target` is not up to date, given the reasons of all its upstreams in `found`."""
    known = facts.of(target)
    if known.current is None and known.failed is None:
        return _without_record(known)
    if known.has_value and type(graph.computation(target.key)) is StoredAsset:
        return ()  # how it was made is unknown here
    upstream = _versions(graph, facts, target)
    reasons = direct_reasons(target, facts, upstream, config)
    if known.has_value:
        reasons += tuple(
            Reason(
                ReasonKind.UPSTREAM_STALE,
                {"upstream": parent.text, "state": _state(facts.of(parent), found[parent])},
            )
            for parent in upstream
            if found[parent]
        )
    return reasons


def direct_reasons(
    target: Target,
    facts: Facts,
    upstream: Mapping[Target, str | None],
    config: Mapping[str, Any] | None = None,
) -> tuple[Reason, ...]:
    """Why `target` is not up to date, taking its upstreams as they are.

    `upstream` maps each upstream to its current data version. `config` is the config given now, or
    None to keep the config that the value was made with.
    """
    known = facts.of(target)
    if known.current is None:
        return (*_without_record(known), *_failure(known, upstream, config))
    reasons = [*_value_reasons(known), *_input_reasons(known.current, upstream)]
    if not known.current.is_of_code(known.code_version):
        changes = list(facts.code_changes(target))
        reasons.append(Reason(ReasonKind.CODE_CHANGED, {"changes": changes}))
    if config is not None and dict(config) != known.current.config:
        difference = {"old": known.current.config, "new": dict(config)}
        reasons.append(Reason(ReasonKind.CONFIG_CHANGED, difference))
    return (*reasons, *_failure(known, upstream, config))


def past_failure(graph: AssetGraph, facts: Facts, target: Target) -> Reason | None:
    """The last attempt at `target`, if it failed under other circumstances than those of now.

    It says nothing about the next attempt, so the target is not failed.
    """
    known = facts.of(target)
    if known.failed is None:
        return None
    changes = _changes_since(known.failed, known, _versions(graph, facts, target), None)
    if not changes:
        return None
    shown = {"run_id": known.failed.run_id, "error": known.failed.error, "changes": changes}
    return Reason(ReasonKind.PAST_FAILURE, shown)


def target_state(facts: TargetFacts, reasons: Sequence[Reason]) -> AssetState:
    """The first state that applies: running, failed, missing, stale or fresh."""
    if facts.running:
        return AssetState.RUNNING
    return AssetState(_state(facts, reasons))


def _versions(graph: AssetGraph, facts: Facts, target: Target) -> dict[Target, str | None]:
    """The data version of each upstream of `target`."""
    return {parent: facts.of(parent).data_version for parent in upstream_targets(graph, target)}


def _without_record(known: TargetFacts) -> tuple[Reason, ...]:
    if known.damage is not None:
        return (Reason(ReasonKind.HISTORY_DAMAGED, {"error": known.damage}),)
    if known.lost is not None:
        return (Reason(ReasonKind.HISTORY_MISSING, {"path": known.lost}),)
    return _ONLY_NEVER


def _value_reasons(known: TargetFacts) -> list[Reason]:
    assert known.current is not None
    kind = _CONDITIONS.get(known.value)
    return [Reason(kind, {"path": known.current.value.path or ""})] if kind else []


def _input_reasons(current: Materialization, upstream: Mapping[Target, str | None]) -> list[Reason]:
    reasons = []
    present = {target.text: version for target, version in upstream.items()}
    for name, version in present.items():
        if name not in current.inputs:
            reasons.append(Reason(ReasonKind.UPSTREAM_ADDED, {"upstream": name}))
        elif version is not None and version != current.inputs[name]:
            facts = {"upstream": name, "old": current.inputs[name], "new": version}
            reasons.append(Reason(ReasonKind.UPSTREAM_DATA, facts))
    removed = [name for name in current.inputs if name not in present]
    return reasons + [Reason(ReasonKind.UPSTREAM_REMOVED, {"upstream": name}) for name in removed]


def _failure(
    known: TargetFacts, upstream: Mapping[Target, str | None], config: Mapping[str, Any] | None
) -> tuple[Reason, ...]:
    """The reason for a last attempt that failed, if everything is still as it was then."""
    failed = known.failed
    if failed is None or _changes_since(failed, known, upstream, config):
        return ()
    facts = {"run_id": failed.run_id, "error": failed.error}
    if known.has_value:
        assert known.current is not None
        facts["value_run_id"] = known.current.run_id
    return (Reason(ReasonKind.ATTEMPT_FAILED, facts),)


def _changes_since(
    failed: FailedAttempt,
    known: TargetFacts,
    upstream: Mapping[Target, str | None],
    config: Mapping[str, Any] | None,
) -> list[str]:
    """How the circumstances of the next attempt differ from those of `failed`.

    If no `config` is given, that of the value counts. Without a value, any config does.
    """
    changes = []
    if failed.code_version != known.code_version:
        changes.append("with other code")
    if config is None and known.current is not None:
        config = known.current.config
    if config is not None and dict(config) != failed.config:
        changes.append("with another config")
    if {target.text: version for target, version in upstream.items()} != failed.inputs:
        changes.append("with other upstream data")
    if known.appeared:
        verb = "was" if len(known.appeared) == 1 else "were"
        changes.append(f"while {listed(known.appeared)} {verb} not there")
    elif failed.file_version is not None and failed.file_version != known.file_version:
        changes.append("before its file was changed")
    return changes


def _state(facts: TargetFacts, reasons: Sequence[Reason]) -> str:
    if any(reason.kind is ReasonKind.ATTEMPT_FAILED for reason in reasons):
        return AssetState.FAILED.value
    if not facts.has_value:
        return AssetState.MISSING.value
    return AssetState.STALE.value if reasons else AssetState.FRESH.value


def _place_text(path: str) -> str:
    """Where a value with a path is; one in its record, or of an IO manager, has none."""
    return f": {path}" if path else ""


def _code_text(facts: Mapping[str, Any]) -> str:
    changes: Sequence[str] = facts["changes"]
    more = f" (and {len(changes) - 3} more)" if len(changes) > 3 else ""
    return "; ".join(changes[:3]) + more if changes else "its code changed"


def _state_text(state: str) -> str:
    return state if state == "failed" else f"is {state}"


def _versions_text(old: str, new: str) -> str:
    """The first 8 characters of each version, or both in full if those are equal."""
    size = 8 if old[:8] != new[:8] else None
    return f"{old[:size]} to {new[:size]}"


def _config_text(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return ", ".join(f"{name} from {old.get(name)!r} to {new.get(name)!r}" for name in names)


_ONLY_NEVER = (Reason(ReasonKind.NEVER_MATERIALIZED),)

_TEXTS: Mapping[ReasonKind, Callable[[Mapping[str, Any]], str]] = {
    ReasonKind.NEVER_MATERIALIZED: lambda _: "never materialized",
    ReasonKind.VALUE_GONE: lambda f: f"its value is gone{_place_text(f['path'])}",
    ReasonKind.VALUE_DAMAGED: lambda f: f"its value is damaged{_place_text(f['path'])}",
    ReasonKind.VALUE_UNREADABLE: lambda f: (
        f"its value needs a class that no longer exists: {f['path']}"
        if f["path"]
        else "its value needs the IO manager that stored it"
    ),
    ReasonKind.FILE_CHANGED: lambda f: (
        f"its {'file' if f['path'] else 'value'} was changed from outside{_place_text(f['path'])}"
    ),
    ReasonKind.CODE_CHANGED: _code_text,
    ReasonKind.CONFIG_CHANGED: lambda f: f"its config changed: {_config_text(f['old'], f['new'])}",
    ReasonKind.UPSTREAM_DATA: lambda f: (
        f"upstream {f['upstream']} has new data ({_versions_text(f['old'], f['new'])})"
    ),
    ReasonKind.UPSTREAM_ADDED: lambda f: f"upstream {f['upstream']} was added",
    ReasonKind.UPSTREAM_REMOVED: lambda f: f"upstream {f['upstream']} was removed",
    ReasonKind.MADE_TOGETHER: lambda f: (
        f"it is materialized together with {f['asset']}, which {_state_text(f['state'])}"
    ),
    ReasonKind.ATTEMPT_FAILED: lambda f: (
        f"its last attempt failed (run {f['run_id']})"
        + (
            f", and the value of run {f['value_run_id']} stays in use"
            if "value_run_id" in f
            else ""
        )
    ),
    ReasonKind.PAST_FAILURE: lambda f: (
        f"its last attempt failed {listed(f['changes'])} (run {f['run_id']})"
    ),
    ReasonKind.HISTORY_DAMAGED: lambda f: f"its history cannot be read: {f['error']}",
    ReasonKind.HISTORY_MISSING: lambda f: (
        f"its history is missing, though it has values: {f['path']}"
    ),
    ReasonKind.UPSTREAM_STALE: lambda f: f"upstream {f['upstream']} {_state_text(f['state'])}",
}

_CONDITIONS: Mapping[ValueCondition, ReasonKind] = {
    "changed": ReasonKind.FILE_CHANGED,
    "gone": ReasonKind.VALUE_GONE,
    "damaged": ReasonKind.VALUE_DAMAGED,
    "unreadable": ReasonKind.VALUE_UNREADABLE,
}
