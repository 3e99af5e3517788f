"""Why a target is not up to date. Pure: no disk, no clock.

`direct_reasons` looks at one target, `stale_reasons` at targets and everything upstream of them.
The plan, the status, the runner and the web page all get their reasons here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from assetgraph.graph.walk import walk
from assetgraph.keys import Target
from assetgraph.planning.reason_kinds import Reason, ReasonKind, since_text
from assetgraph.process.garbage_collector import paused_collector
from assetgraph.records import AssetState, FailedAttempt, Materialization, ValueCondition
from assetgraph.text import listed

if TYPE_CHECKING:
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.keys import AssetKey
    from assetgraph.storage.read_changes import Changes

Configs = Mapping["AssetKey", Mapping[str, Any]]


class TargetFacts(msgspec.Struct, frozen=True):
    """The facts about one target.

    `value` is the condition of the stored value. `data_version` describes the data as it is now: a
    file that an asset returned may have been changed from outside, and is used as it is. `failed`
    is the last attempt, if it failed; `appeared` has the files that were absent then and are there
    now. `read_changes` has what differs of the things that the value's step read, and
    `failed_reads` of those that the failed one read; None if what they read is not known any more.
    `damage` says why the target's history cannot be read, and `lost` is the path of a history
    that is missing although there are values; nothing else is known then. The `current` record of
    an `external` target describes its source as it is now, or repeats what was last observed or
    reported.
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
    external: bool = False
    read_changes: Changes | None = ()
    failed_reads: Changes | None = ()

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


def input_targets(graph: AssetGraph, target: Target) -> dict[str, tuple[Target, ...]]:
    """The targets that each parameter of a target's computation loads: among its upstream ones."""
    targets = graph.targets
    return {name: (targets[key],) for name, key in graph.inputs(target.key).items()}


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
    if known.external:
        return _source_reasons(known)  # how it is made is unknown here
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
    reasons += _read_reasons(known.read_changes)
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
    if facts.external:
        return AssetState.EXTERNAL
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


def _source_reasons(known: TargetFacts) -> tuple[Reason, ...]:
    """What is wrong with the data of an external target, which makes what reads it stale."""
    assert known.current is not None
    if known.damage is not None:
        return (Reason(ReasonKind.SOURCE_UNREADABLE, {"error": known.damage}),)
    if known.value == "intact":
        return ()
    return (Reason(ReasonKind.SOURCE_MISSING, {"path": known.current.value.path or ""}),)


def _value_reasons(known: TargetFacts) -> list[Reason]:
    assert known.current is not None
    kind = _CONDITIONS.get(known.value)
    return [Reason(kind, {"path": known.current.value.path or ""})] if kind else []


def _read_reasons(changes: Changes | None) -> list[Reason]:
    if changes is None:
        return [Reason(ReasonKind.READS_LOST)]
    return [
        Reason(
            ReasonKind.READ_CHANGED,
            {"what": one.kind.value, "name": one.name, "how": one.how, "why": one.why},
        )
        for one in changes
    ]


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
        names = listed(f"`{name}`" for name in known.appeared)
        changes.append(f"while {names} {verb} not there")
    elif failed.file_version is not None and failed.file_version != known.file_version:
        changes.append("before its file was changed")
    return changes + _read_since(known)


def _read_since(known: TargetFacts) -> list[str]:
    """How what the failed attempt read differs now."""
    if known.failed_reads is None:
        return ["after it read what is not known any more"]
    return [
        since_text(change.kind, change.name, change.how)
        for change in known.failed_reads
        if change.how != "unreadable" and change.name not in known.appeared
    ]


def _state(facts: TargetFacts, reasons: Sequence[Reason]) -> str:
    if any(reason.kind is ReasonKind.ATTEMPT_FAILED for reason in reasons):
        return AssetState.FAILED.value
    if not facts.has_value:
        return AssetState.MISSING.value
    return AssetState.STALE.value if reasons else AssetState.FRESH.value


_ONLY_NEVER = (Reason(ReasonKind.NEVER_MATERIALIZED),)

_CONDITIONS: Mapping[ValueCondition, ReasonKind] = {
    "changed": ReasonKind.FILE_CHANGED,
    "gone": ReasonKind.VALUE_GONE,
    "damaged": ReasonKind.VALUE_DAMAGED,
    "unreadable": ReasonKind.VALUE_UNREADABLE,
}
