"""What would run, in which order, and why. Pure: no disk, no clock.

`stale_reasons` says why an asset is not up to date; plan, status, runner and page all ask it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from assetgraph.errors import ConfigError
from assetgraph.hints import command
from assetgraph.process.collector import paused_collector
from assetgraph.records import AssetState, FailedAttempt, Materialization, ValueCondition
from assetgraph.text import listed

if TYPE_CHECKING:
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.keys import AssetKey

Configs = Mapping["AssetKey", Mapping[str, Any]]


class Cause(StrEnum):
    """Why a step is in a plan. A requested step always runs; the others are checked again just
    before they start."""

    REQUESTED = "requested"
    MISSING = "missing"
    STALE = "stale"


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


class Reason(msgspec.Struct, frozen=True):
    """Why an asset is not up to date: what kind of reason, and the facts of it.

    Facts by kind: `code_changed` has `changes` (sentences), `upstream_data` has `upstream`, `old`
    and `new` (data versions), `upstream_*` has `upstream`, `upstream_stale` also its `state`,
    `attempt_failed` has `run_id` and `error`, `config_changed` has `old` and `new`,
    `value_*` and `file_changed` have `path`.
    """

    kind: ReasonKind
    facts: dict[str, Any] = {}

    @property
    def text(self) -> str:
        return _TEXTS[self.kind](self.facts)


def _code_text(facts: Mapping[str, Any]) -> str:
    changes: Sequence[str] = facts["changes"]
    more = f" (and {len(changes) - 3} more)" if len(changes) > 3 else ""
    return "; ".join(changes[:3]) + more if changes else "its code changed"


def _versions_text(old: str, new: str) -> str:
    """The start of each; the whole where that is the same, as of two runs on one day."""
    size = 8 if old[:8] != new[:8] else None
    return f"{old[:size]} to {new[:size]}"


_TEXTS: Mapping[ReasonKind, Callable[[Mapping[str, Any]], str]] = {
    ReasonKind.NEVER_MATERIALIZED: lambda _: "never materialized",
    ReasonKind.VALUE_GONE: lambda f: f"its value is gone: {f['path']}",
    ReasonKind.VALUE_DAMAGED: lambda f: (
        f"its value has not the size that was recorded: {f['path']}"
    ),
    ReasonKind.VALUE_UNREADABLE: lambda f: (
        f"its value needs a class that no longer exists: {f['path']}"
        if f["path"]
        else "its value needs the IO manager that it had"
    ),
    ReasonKind.FILE_CHANGED: lambda f: f"its file was changed from outside: {f['path']}",
    ReasonKind.CODE_CHANGED: _code_text,
    ReasonKind.CONFIG_CHANGED: lambda f: f"its config changed: {_config_text(f['old'], f['new'])}",
    ReasonKind.UPSTREAM_DATA: lambda f: (
        f"upstream {f['upstream']} has new data ({_versions_text(f['old'], f['new'])})"
    ),
    ReasonKind.UPSTREAM_ADDED: lambda f: f"upstream {f['upstream']} was added",
    ReasonKind.UPSTREAM_REMOVED: lambda f: f"upstream {f['upstream']} was removed",
    ReasonKind.ATTEMPT_FAILED: lambda f: f"its last attempt failed (run {f['run_id']})",
    ReasonKind.UPSTREAM_STALE: lambda f: (
        f"upstream {f['upstream']} {'' if f['state'] == 'failed' else 'is '}{f['state']}"
    ),
}


_CONDITIONS: Mapping[ValueCondition, ReasonKind] = {
    "changed": ReasonKind.FILE_CHANGED,
    "gone": ReasonKind.VALUE_GONE,
    "damaged": ReasonKind.VALUE_DAMAGED,
    "unreadable": ReasonKind.VALUE_UNREADABLE,
}


class AssetFacts(msgspec.Struct, frozen=True):
    """What is known of one asset. `data_version` is that of the data as it lies there now;
    `failed` is the last attempt where it failed; `value` is whether the value is as recorded: a
    returned file can be `changed` from outside, and be used as it is now."""

    current: Materialization | None = None
    failed: FailedAttempt | None = None
    value: ValueCondition = "intact"
    data_version: str | None = None
    code_version: str | None = None
    running: bool = False

    @property
    def has_value(self) -> bool:
        return self.current is not None and self.value in ("intact", "changed")


class Facts(Protocol):
    """Where facts come from: see `assetgraph.planning.facts`."""

    def of(self, key: AssetKey) -> AssetFacts: ...

    def code_changes(self, key: AssetKey) -> tuple[str, ...]:
        """Sentences that name what changed since the asset's current value was made."""


class Step(msgspec.Struct, frozen=True):
    """One asset to materialize. `config` holds the fields that are given, not the defaults."""

    key: AssetKey
    cause: Cause
    reasons: tuple[Reason, ...]
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in topological order, and what the person should know before they run."""

    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()


def make_plan(
    graph: AssetGraph,
    facts: Facts,
    selected: Iterable[AssetKey],
    *,
    stale_only: bool = False,
    config: Configs | None = None,
) -> Plan:
    """The steps for `selected`.

    All of them, with every upstream that has no value yet; or with `stale_only` those that are
    not fresh, among them and all their upstreams.

    Raises `ConfigError` for config of an asset that is asked for nowhere.
    """
    config = config or {}
    selected = set(selected)
    make = _stale_plan if stale_only else _requested_plan
    with paused_collector():
        return make(graph, facts, selected, config)


def stale_reasons(
    graph: AssetGraph, facts: Facts, keys: Iterable[AssetKey], config: Configs | None = None
) -> dict[AssetKey, tuple[Reason, ...]]:
    """Why each of `keys` and of all their upstreams is not up to date; no reason means fresh."""
    wanted = with_upstreams(graph, keys)
    found: dict[AssetKey, tuple[Reason, ...]] = {}
    with paused_collector():
        for key in sorted(wanted, key=graph.positions.__getitem__):
            found[key] = reasons_given(found, graph, facts, key, (config or {}).get(key))
    return found


def reasons_given(
    found: Mapping[AssetKey, tuple[Reason, ...]],
    graph: AssetGraph,
    facts: Facts,
    key: AssetKey,
    config: Mapping[str, Any] | None = None,
) -> tuple[Reason, ...]:
    """Why `key` is not up to date, where `found` says the same of each of its upstreams."""
    upstream = {parent: facts.of(parent).data_version for parent in graph.parents(key)}
    reasons = direct_reasons(key, facts, upstream, config)
    if facts.of(key).has_value:
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
    key: AssetKey,
    facts: Facts,
    upstream: Mapping[AssetKey, str | None],
    config: Mapping[str, Any] | None = None,
) -> tuple[Reason, ...]:
    """Why `key` is not up to date, its upstreams taken as they are.

    `upstream` maps its upstreams to their present data versions; `config` is what is given now,
    None to keep what the value was made with.
    """
    known = facts.of(key)
    if known.current is None:
        return (Reason(ReasonKind.NEVER_MATERIALIZED), *_failure(known))
    reasons = [*_value_reasons(known), *_input_reasons(known.current, upstream)]
    if known.code_version != known.current.code_version:
        changes = list(facts.code_changes(key))
        reasons.append(Reason(ReasonKind.CODE_CHANGED, {"changes": changes}))
    if config is not None and dict(config) != known.current.config:
        facts_of_config = {"old": known.current.config, "new": dict(config)}
        reasons.append(Reason(ReasonKind.CONFIG_CHANGED, facts_of_config))
    return (*reasons, *_failure(known)) if reasons else ()


def asset_state(facts: AssetFacts, reasons: Sequence[Reason]) -> AssetState:
    """The first state that applies."""
    if facts.running:
        return AssetState.RUNNING
    return AssetState(_state(facts, reasons))


def with_upstreams(graph: AssetGraph, keys: Iterable[AssetKey]) -> set[AssetKey]:
    """`keys` and everything that they read, directly or not."""
    found = set(keys)
    waiting = list(found)
    while waiting:
        for parent in graph.parents(waiting.pop()):
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


def _requested_plan(
    graph: AssetGraph, facts: Facts, selected: set[AssetKey], config: Configs
) -> Plan:
    missing: set[AssetKey] = set()
    used: set[AssetKey] = set()
    waiting = list(selected)
    while waiting:
        for parent in graph.parents(waiting.pop()):
            if parent in selected or parent in missing:
                continue
            if facts.of(parent).has_value:
                used.add(parent)
            else:
                missing.add(parent)
                waiting.append(parent)
    for key in config:
        if key not in selected and key not in missing:
            raise ConfigError(
                f"config is given for {key.text!r}, which would not run.",
                hint="Select it too, or leave its config out.",
            )
    reasons = stale_reasons(graph, facts, selected | missing, config)
    steps = [
        _step(key, Cause.REQUESTED if key in selected else Cause.MISSING, facts, reasons, config)
        for key in _in_order(graph, selected | missing)
    ]
    warnings = [
        f"{key.text} is used as it is, though {_and(reasons[key])}. "
        f"To bring it up to date first: {command('materialize', '--stale', key.text)}"
        for key in _in_order(graph, used)
        if reasons[key]
    ]
    warnings += _between(graph, [step.key for step in steps], {k for k in used if not reasons[k]})
    return Plan(tuple(steps), tuple(warnings))


def _between(graph: AssetGraph, keys: Sequence[AssetKey], used: set[AssetKey]) -> Iterator[str]:
    """What lies downstream of the steps `keys`, is read by one, and does not run itself."""
    reached = set(keys)
    waiting = list(keys) if used else []
    while waiting:
        for child in graph.children(waiting.pop()):
            if child not in reached:
                reached.add(child)
                waiting.append(child)
    running = set(keys)
    for key in _in_order(graph, used & reached):
        above = [k.text for k in _in_order(graph, with_upstreams(graph, [key]) & running)]
        names = listed(above) if len(above) <= 3 else f"{len(above)} of its upstreams"
        readers = [child.text for child in graph.children(key) if child in running]
        yield (
            f"{key.text} is used as it is, though {names}, upstream of it, will run. Select it "
            f"too, or afterwards: {command('materialize', '--stale', *readers)}"
        )


def _stale_plan(graph: AssetGraph, facts: Facts, selected: set[AssetKey], config: Configs) -> Plan:
    reasons = stale_reasons(graph, facts, selected, config)
    steps = []
    for key in _in_order(graph, reasons):
        if reasons[key]:
            cause = Cause.STALE if facts.of(key).has_value else Cause.MISSING
            steps.append(_step(key, cause, facts, reasons, config))
    return Plan(tuple(steps))


def _step(
    key: AssetKey,
    cause: Cause,
    facts: Facts,
    reasons: Mapping[AssetKey, tuple[Reason, ...]],
    config: Configs,
) -> Step:
    current = facts.of(key).current
    kept = current.config if current and cause is not Cause.REQUESTED else {}
    return Step(key, cause, reasons[key], dict(config.get(key, kept)))


def _value_reasons(known: AssetFacts) -> list[Reason]:
    assert known.current is not None
    kind = _CONDITIONS.get(known.value)
    return [Reason(kind, {"path": known.current.value.path or ""})] if kind else []


def _input_reasons(
    current: Materialization, upstream: Mapping[AssetKey, str | None]
) -> list[Reason]:
    reasons = []
    present = {key.text: version for key, version in upstream.items()}
    for name, version in present.items():
        if name not in current.inputs:
            reasons.append(Reason(ReasonKind.UPSTREAM_ADDED, {"upstream": name}))
        elif version is not None and version != current.inputs[name]:
            facts = {"upstream": name, "old": current.inputs[name], "new": version}
            reasons.append(Reason(ReasonKind.UPSTREAM_DATA, facts))
    removed = [name for name in current.inputs if name not in present]
    return reasons + [Reason(ReasonKind.UPSTREAM_REMOVED, {"upstream": name}) for name in removed]


def _failure(known: AssetFacts) -> tuple[Reason, ...]:
    if known.failed is None:
        return ()
    facts = {"run_id": known.failed.run_id, "error": known.failed.error}
    return (Reason(ReasonKind.ATTEMPT_FAILED, facts),)


def _state(facts: AssetFacts, reasons: Sequence[Reason]) -> str:
    if any(reason.kind is ReasonKind.ATTEMPT_FAILED for reason in reasons):
        return AssetState.FAILED.value
    if not facts.has_value:
        return AssetState.MISSING.value
    return AssetState.STALE.value if reasons else AssetState.FRESH.value


def _in_order(graph: AssetGraph, keys: Iterable[AssetKey]) -> list[AssetKey]:
    return sorted(keys, key=graph.positions.__getitem__)


def _and(reasons: Sequence[Reason]) -> str:
    return " and ".join(reason.text for reason in reasons)


def _config_text(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return ", ".join(f"{name} from {old.get(name)!r} to {new.get(name)!r}" for name in names)
