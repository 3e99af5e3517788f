"""Why a target is not up to date. Pure: no disk, no clock.

`direct_reasons` looks at one target, `stale_reasons` at targets and everything upstream of them.
The plan, the status, the runner and the web page all get their reasons here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from assetgraph.errors import PartitionsError
from assetgraph.keys import Target
from assetgraph.planning.reason_kinds import Reason, ReasonKind, since_text
from assetgraph.process.garbage_collector import paused_collector
from assetgraph.records import AssetState, FailedAttempt, Materialization, ValueCondition
from assetgraph.text import listed

if TYPE_CHECKING:
    from assetgraph.keys import AssetKey
    from assetgraph.planning.target_graph import TargetGraph
    from assetgraph.storage.read_changes import Changes

Configs = Mapping["AssetKey", Mapping[str, Any]]


class TargetFacts(msgspec.Struct, frozen=True, gc=False):
    """The facts about one target.

    `value` is the condition of the stored value. `data_version` describes the data as it is now: a
    file that an asset returned may have been changed from outside, and is used as it is. `failed`
    is the last attempt, if it failed; `appeared` has the files that were absent then and are there
    now. `read_changes` has what differs of the things that the value's step read, and
    `failed_reads` of those that the failed one read; None if what they read is not known any more.
    `resources` has what is recorded of the resources that its computation takes now. `unchecked` is
    the asset of a check, if the function that makes both has made it without the check since.
    `damage` says why the target's history cannot be read, and `lost` is the path of a history
    that is missing although there are values; nothing else is known then. The `current` record of
    an `external` target describes its source as it is now, or repeats what was last observed or
    reported. `running` says of a partition whether a living process is materializing it.
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
    resources: Mapping[str, Mapping[str, Any]] = {}
    unchecked: str | None = None

    @property
    def file_version(self) -> str:
        """The data version of the file that is the value, or "" if it is gone."""
        return (self.data_version or "") if self.has_value else ""

    @property
    def has_value(self) -> bool:
        return self.current is not None and self.value in ("intact", "changed")


class AssetStates(NamedTuple):
    """The state of an asset or of one target, and why it is not fresh. For an asset with
    partitions, `counts` has how many are in each state, and `state` is the first that any of them
    has."""

    state: AssetState
    reasons: tuple[Reason, ...]
    counts: Mapping[AssetState, int] | None = None


class KnownReasons(Protocol):
    """Why targets are not up to date; no reason means fresh."""

    def __getitem__(self, target: Target, /) -> tuple[Reason, ...]: ...


class Facts(Protocol):
    """The source of facts: see `assetgraph.planning.facts`."""

    def of(self, target: Target) -> TargetFacts: ...

    def code_changes(self, target: Target) -> tuple[str, ...]:
        """Sentences that name what changed since the target's current value was made."""

    def versions_at(self, key: AssetKey, position: int) -> Mapping[str | None, str]:
        """The data version that each partition had when the asset's history had this length."""

    def partition_keys(self, key: AssetKey) -> Sequence[str]:
        """The keys of the partitions of an asset."""

    def made_partitions(self, key: AssetKey) -> int:
        """How many of the partitions of an asset have a materialization on record."""


def stale_reasons(
    graph: TargetGraph, facts: Facts, targets: Iterable[Target], config: Configs | None = None
) -> dict[Target, tuple[Reason, ...]]:
    """Why each of `targets` and of all their upstreams is not up to date, upstream first.

    No reason means fresh.
    """
    found: dict[Target, tuple[Reason, ...]] = {}
    siblings = graph.graph.siblings
    with paused_collector():
        for target in graph.with_upstreams(targets):
            given = config.get(target.key) if config else None
            found[target] = reasons_given(found, graph, facts, target, given)
            row = siblings.get(target.key) if siblings else None
            if row is not None and target.key is row[-1]:  # the last of its call in the order
                together = graph.siblings(target)
                if all(one in found for one in together):
                    _share(together, facts, found)
    return found


def _share(
    outputs: Sequence[Target], facts: Facts, found: dict[Target, tuple[Reason, ...]]
) -> None:
    """Call every output of a call stale if one of them is: the call materializes all of them."""
    for first in outputs:
        if found[first]:
            break
    else:
        return
    shared = {"asset": first.text, "state": stale_state(facts.of(first), found[first])}
    for output in outputs:
        found[output] = found[output] or (Reason(ReasonKind.MADE_TOGETHER, shared),)


def reasons_given(
    found: KnownReasons,
    graph: TargetGraph,
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
    try:
        upstream = _versions(graph, facts, target)
    except PartitionsError as error:
        return (Reason(ReasonKind.MAPPING_FAILED, {"error": error.message.rstrip(".")}),)
    reasons = direct_reasons(target, facts, upstream, config)
    if known.has_value:
        reasons += tuple(_stale_upstreams(found, facts, upstream))
    return reasons


def _stale_upstreams(
    found: KnownReasons, facts: Facts, upstream: Iterable[Target]
) -> Iterator[Reason]:
    """A reason for each upstream that is not up to date: of several partitions of an asset, one for
    all that are in the same state."""
    partitions: dict[AssetKey, list[Target]] = {}
    for parent in upstream:
        if parent.partition is not None:
            partitions.setdefault(parent.key, []).append(parent)
        elif found[parent]:
            state = stale_state(facts.of(parent), found[parent])
            yield Reason(ReasonKind.UPSTREAM_STALE, {"upstream": parent.text, "state": state})
    for key, read in partitions.items():
        states: dict[str, list[str]] = {}
        for one in read:
            if found[one]:
                states.setdefault(stale_state(facts.of(one), found[one]), []).append(
                    str(one.partition)
                )
        for state in sorted(states, key=_BY_WEIGHT):
            name = read[0] if len(read) == 1 else key
            shown: dict[str, Any] = {"upstream": str(name), "state": state}
            if len(read) > 1:
                from assetgraph.planning.what_was_read import ranges_of

                every = [str(one.partition) for one in read]
                shown |= {"partitions": ranges_of(states[state], every), "read": len(read)}
                shown["stale"] = len(states[state])
            yield Reason(ReasonKind.UPSTREAM_STALE, shown)


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
    reasons = [*_value_reasons(known), *_input_reasons(known.current, upstream, facts)]
    if not known.current.is_of_code(known.code_version):
        changes = list(facts.code_changes(target))
        reasons.append(Reason(ReasonKind.CODE_CHANGED, {"changes": changes}))
    if known.unchecked is not None:
        reasons.append(Reason(ReasonKind.VALUE_UNCHECKED, {"upstream": known.unchecked}))
    if known.resources:
        reasons += resource_changes(known)
    reasons += _read_reasons(known.read_changes)
    if config is not None and dict(config) != known.current.config:
        difference = {"old": known.current.config, "new": dict(config)}
        reasons.append(Reason(ReasonKind.CONFIG_CHANGED, difference))
    return (*reasons, *_failure(known, upstream, config))


def past_failure(graph: TargetGraph, facts: Facts, target: Target) -> Reason | None:
    """The last attempt at `target`, if it failed under other circumstances than those of now.

    It says nothing about the next attempt, so the target is not failed.
    """
    known = facts.of(target)
    if known.failed is None:
        return None
    upstream = {one: facts.of(one).data_version for one in graph.upstream_or_none(target)}
    changes = _changes_since(known.failed, known, upstream, None)
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
    return AssetState(stale_state(facts, reasons))


def _versions(graph: TargetGraph, facts: Facts, target: Target) -> dict[Target, str | None]:
    """The data version of each upstream of `target`. Raises `PartitionsError`."""
    return {parent: facts.of(parent).data_version for parent in graph.upstream(target)}


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


def resource_changes(known: TargetFacts) -> tuple[Reason, ...]:
    """A reason for each way in which the resources differ from those that the value was made
    with."""
    if known.current is None or not known.resources or not known.current.resources:
        return ()
    from assetgraph.planning.resource_records import resource_reasons

    return tuple(resource_reasons(known.current.resources, known.resources))


def _input_reasons(
    current: Materialization, upstream: Mapping[Target, str | None], facts: Facts
) -> list[Reason]:
    reasons: list[Reason] = []
    present, recorded = {target.text: upstream[target] for target in upstream}, current.inputs
    if current.partitions_read or any("@" in name for name in (*present, *recorded)):
        from assetgraph.planning.partition_reasons import partition_reasons

        reasons, kept = partition_reasons(current, upstream, facts)
        present = {name: present[name] for name in present if name in kept}
        recorded = {name: recorded[name] for name in recorded if name in kept}
    for name, version in present.items():
        if name not in recorded:
            reasons.append(Reason(ReasonKind.UPSTREAM_ADDED, {"upstream": name}))
        elif version is not None and version != recorded[name]:
            versions = {"upstream": name, "old": recorded[name], "new": version}
            reasons.append(Reason(ReasonKind.UPSTREAM_DATA, versions))
    removed = [name for name in recorded if name not in present]
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
    if known.resources and failed.resources != known.resources:
        changes.append("with another resource")
    if not _same_inputs(failed, upstream):
        changes.append("with other upstream data")
    if known.appeared:
        verb = "was" if len(known.appeared) == 1 else "were"
        names = listed(f"`{name}`" for name in known.appeared)
        changes.append(f"while {names} {verb} not there")
    elif failed.file_version is not None and failed.file_version != known.file_version:
        changes.append("before its file was changed")
    return changes + _read_since(known)


def _same_inputs(failed: FailedAttempt, upstream: Mapping[Target, str | None]) -> bool:
    if not failed.partitions_read and all(target.partition is None for target in upstream):
        return {target.text: version for target, version in upstream.items()} == failed.inputs
    from assetgraph.planning.what_was_read import as_recorded, same_data

    inputs, several = as_recorded(upstream)
    return inputs == failed.inputs and same_data(several, failed.partitions_read)


def _read_since(known: TargetFacts) -> list[str]:
    """How what the failed attempt read differs now."""
    if known.failed_reads is None:
        return ["after it read what is not known any more"]
    return [
        since_text(change.kind, change.name, change.how)
        for change in known.failed_reads
        if change.how != "unreadable" and change.name not in known.appeared
    ]


def stale_state(facts: TargetFacts, reasons: Sequence[Reason]) -> str:
    if any(reason.kind is ReasonKind.ATTEMPT_FAILED for reason in reasons):
        return AssetState.FAILED.value
    if not facts.has_value:
        return AssetState.MISSING.value
    return AssetState.STALE.value if reasons else AssetState.FRESH.value


_BY_WEIGHT = ["failed", "missing", "stale"].index

_ONLY_NEVER = (Reason(ReasonKind.NEVER_MATERIALIZED),)

_CONDITIONS: Mapping[ValueCondition, ReasonKind] = {
    "changed": ReasonKind.FILE_CHANGED,
    "gone": ReasonKind.VALUE_GONE,
    "damaged": ReasonKind.VALUE_DAMAGED,
    "unreadable": ReasonKind.VALUE_UNREADABLE,
}
