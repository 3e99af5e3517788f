"""Assets and plans, in the shapes that the command line and the page share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import msgspec

from assetgraph.keys import RANGE, Target, checked_asset
from assetgraph.planning.reason_kinds import ReasonKind
from assetgraph.planning.reasons import past_failure
from assetgraph.queries.reason_json import reason_json
from assetgraph.queries.record_json import record_json
from assetgraph.records import AssetState, Materialization

if TYPE_CHECKING:
    from assetgraph.code import Definition
    from assetgraph.definitions.computation import AssetSpec, Computation
    from assetgraph.definitions.external import ExternalAsset
    from assetgraph.keys import AssetKey
    from assetgraph.pictures.picture_card import Card
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.reason_kinds import Reason
    from assetgraph.planning.reasons import AssetStates, TargetFacts
    from assetgraph.queries.check_views import CheckView
    from assetgraph.queries.observed_views import ObservedReads
    from assetgraph.queries.resource_views import ResourceView
    from assetgraph.records import FailedAttempt

HISTORY = 10
_LOOKED_THROUGH = 100  # attempts, for the last that made a value
_WITH_VALUE = (AssetState.FRESH, AssetState.STALE)
WARNING = "warning"  # a metadata entry of this name is shown wherever its asset is


class ExternalData(msgspec.Struct, frozen=True):
    """What is known of the data of an asset that something else makes.

    `source` is its file, pattern or address, if that is known; the rest then describes it as it is
    now. Else it repeats what was last `observed` or `reported`, as `origin` says, or nothing is
    known. `at` is when the file was changed, or when that was said. `size` is in bytes.
    """

    source: str | None = None
    origin: str = ""
    data_version: str | None = None
    at: datetime | None = None
    size: int | None = None
    metadata: Mapping[str, Any] = {}
    observable: bool = False


class AssetView(msgspec.Struct, frozen=True):
    """One asset with its state, the reasons why it is not fresh, and its last attempts.

    `running_run_id` is the run that is materializing it, if that run is known. `past_failure` is
    the last attempt, if it failed under other circumstances: see `assetgraph.planning.reasons`.
    `external` describes the data of an asset that something else makes, which has no
    `materialization`. `partitions` counts the partitions in each state; `materialization` is then
    the newest one, and `failure` that of the first partition that failed. `checks` are its checks.
    """

    asset: AssetSpec
    computation: Computation
    deps: tuple[str, ...]
    state: AssetState
    reasons: tuple[Reason, ...]
    materialization: Materialization | None
    failure: FailedAttempt | None
    running_run_id: str | None = None
    past_failure: Reason | None = None
    external: ExternalData | None = None
    partitions: Mapping[AssetState, int] | None = None
    checks: tuple[CheckView, ...] = ()

    @property
    def up_to_date(self) -> tuple[int, int] | None:
        """How many of its partitions are up to date, and how many there are."""
        if self.partitions is None:
            return None
        return self.partitions.get(AssetState.FRESH, 0), sum(self.partitions.values())

    @property
    def made_with(self) -> tuple[str, ...]:
        """The other assets that its function makes."""
        others = (spec.key for spec in self.computation.specs if spec.key is not self.asset.key)
        return tuple([key.text for key in others if checked_asset(key) is None])

    @property
    def damage(self) -> str | None:
        """Why the asset's history cannot be read."""
        for reason in self.reasons:
            if reason.kind is ReasonKind.HISTORY_DAMAGED:
                return str(reason.facts["error"])
            if reason.kind is ReasonKind.HISTORY_MISSING:
                return f"{reason.facts['path']} is missing"
        return None

    @property
    def warning(self) -> str | None:
        """What to know of the value before using it, which it carries in its metadata."""
        recorded = self.materialization and self.materialization.metadata.get(WARNING)
        if not recorded:
            return None
        from assetgraph.definitions.metadata import MetadataValue

        return str(MetadataValue.from_json(recorded).value)

    @property
    def updated_at(self) -> datetime | None:
        """When the data was materialized, or when an external file was changed."""
        if self.external is not None:
            return self.external.at
        return self.materialization.timestamp if self.materialization else None

    @property
    def made(self) -> bool:
        """Whether the asset was materialized before, or may have been: its history is damaged."""
        if self.partitions and not self.partitions.keys().isdisjoint(_WITH_VALUE):
            return True
        return self.materialization is not None or self.damage is not None


class AssetDetails(msgspec.Struct, frozen=True):
    """Everything about one asset, or about one `partition` of it.

    `partitions` describes which partitions there are. `config_fields` maps each field of its config
    to its declaration. `history` has the last attempts, newest first. `covers` lists the
    definitions that its code version covers, and is empty where the asset sets its own version.
    `observed` has what its step read without declaring it, and `resources` what it takes.
    """

    view: AssetView
    downstream: tuple[str, ...]
    config_fields: Mapping[str, str]
    history: tuple[Materialization | FailedAttempt, ...] = ()
    code_version: str | None = None
    covers: tuple[Definition, ...] = ()
    observed: ObservedReads | None = None
    partition: str | None = None
    partitions: PartitionsShown | None = None
    resources: tuple[ResourceView, ...] = ()


class PartitionsShown(msgspec.Struct, frozen=True):
    """Which partitions an asset has: their definition, how many there are, the first and the last,
    and the `default`. `dynamic` has the names under which a store keeps keys of them. `orphaned`
    are on record, and no longer exist."""

    definition: str
    count: int
    first: str | None = None
    last: str | None = None
    default: str | None = None
    dynamic: tuple[str, ...] = ()
    orphaned: tuple[str, ...] = ()


def asset_views(facts: StoreFacts, assets: Iterable[AssetSpec]) -> tuple[AssetView, ...]:
    """Each asset with its state, in the given order."""
    assets = tuple(assets)
    states = facts.states(facts.graph.checks.along(asset.key for asset in assets))
    running = {key.text for key in states if states[key].state is AssetState.RUNNING}
    makers = facts.store.runs.makers(running)
    views = [
        asset_view(facts, asset, states[asset.key], makers.get(asset.key.text)) for asset in assets
    ]
    if not facts.graph.checks:
        return tuple(views)
    return tuple(with_checks(facts, view, states) for view in views)


def with_checks(
    facts: StoreFacts, view: AssetView, states: Mapping[AssetKey, AssetStates]
) -> AssetView:
    """The view of an asset with its checks, and with the check that holds it, if one does."""
    from assetgraph.planning.gates import held_reason
    from assetgraph.queries.check_views import check_views, held_partitions

    key = view.asset.key
    held: tuple[Reason, ...] = ()
    if view.partitions is not None:
        held = held_partitions(facts, key)
    elif view.reasons:
        target = facts.graph.targets[key]
        names = {r.facts["upstream"] for r in view.reasons if r.kind is ReasonKind.UPSTREAM_STALE}
        above = facts.targets.upstream_or_none(target) if names else ()
        anew = [one for one in above if {one.text, one.key.text} & names]  # a run makes these first
        held = held_reason(facts.targets, facts, [target], anew)
    checks = check_views(facts, key, states)
    return msgspec.structs.replace(view, checks=checks, reasons=view.reasons + held)


def asset_view(
    facts: StoreFacts, asset: AssetSpec, states: AssetStates, running_run_id: str | None
) -> AssetView:
    """The view of an asset in a known state."""
    if states.counts is not None:
        return _partitioned_view(facts, asset, states, running_run_id)
    graph, target = facts.graph, facts.graph.targets[asset.key]
    known = facts.of(target)
    failed = past_failure(facts.targets, facts, target) if known.failed else None
    return AssetView(
        asset=asset,
        computation=graph.computation(asset.key),
        deps=tuple([key.text for key in graph.parents(asset.key)]),
        state=states.state,
        reasons=states.reasons,
        materialization=None if known.external else known.current,
        failure=known.failed,
        running_run_id=running_run_id,
        past_failure=failed,
        external=_external_data(graph.computation(asset.key), known) if known.external else None,
    )


def _partitioned_view(
    facts: StoreFacts, asset: AssetSpec, states: AssetStates, running_run_id: str | None
) -> AssetView:
    """The view of an asset with partitions. Its reasons say which partitions failed."""
    return AssetView(
        asset=asset,
        computation=facts.graph.computation(asset.key),
        deps=tuple([key.text for key in facts.graph.parents(asset.key)]),
        state=states.state,
        reasons=states.reasons,
        partitions=states.counts,
        materialization=_newest_materialization(facts, asset.key),
        failure=_first_failure(facts, asset.key, states.reasons),
        running_run_id=running_run_id,
    )


def _newest_materialization(facts: StoreFacts, key: AssetKey) -> Materialization | None:
    """The newest one of a partition that there is, among the last attempts."""
    for attempt in islice(facts.store.history.readable(key), _LOOKED_THROUGH):
        there = facts.targets.exists(Target(key, attempt.partition))
        if there and isinstance(attempt, Materialization):
            return attempt
    return None


def _first_failure(
    facts: StoreFacts, key: AssetKey, reasons: Iterable[Reason]
) -> FailedAttempt | None:
    for reason in reasons:
        if reason.facts.get("state") == AssetState.FAILED and reason.facts.get("partitions"):
            first = reason.facts["partitions"][0].partition(RANGE)[0]
            return facts.of(Target(key, first)).failed
    return None


def _external_data(computation: Computation, known: TargetFacts) -> ExternalData:
    current, maker = known.current, cast("ExternalAsset", computation)
    assert current is not None
    return ExternalData(
        source=maker.source,
        origin=current.origin,
        data_version=known.data_version or None,
        at=current.timestamp if known.data_version else None,
        size=current.value.size,
        metadata=current.metadata,
        observable=maker.observes,
    )


def partition_view(facts: StoreFacts, target: Target) -> AssetView:
    """An asset as one of its partitions is."""
    known, states = facts.of(target), facts.target_states([target])[target]
    running = None
    if states.state is AssetState.RUNNING:
        running = facts.store.holder(target) or None
    return AssetView(
        asset=facts.graph.asset(target.key),
        computation=facts.graph.computation(target.key),
        deps=tuple([str(one) for one in facts.targets.upstream_or_none(target)]),
        state=states.state,
        reasons=states.reasons,
        materialization=known.current,
        failure=known.failed,
        running_run_id=running,
        past_failure=past_failure(facts.targets, facts, target) if known.failed else None,
    )


def partitions_shown(facts: StoreFacts, asset: AssetSpec) -> PartitionsShown | None:
    """Which partitions an asset has; None for an asset without partitions."""
    keys = facts.targets.keys(asset.key)
    if keys is None:
        return None
    from assetgraph.planning.target_graph import names_in
    from assetgraph.queries.orphans import orphaned_by_asset

    definition = asset.partitions_def
    assert definition is not None
    orphaned = orphaned_by_asset(facts, [asset.key]).get(asset.key, ())
    return PartitionsShown(
        definition=repr(definition),
        count=len(keys),
        first=str(keys.key(0)) if keys else None,
        last=str(keys.key(len(keys) - 1)) if keys else None,
        default=definition.default and str(definition.default),
        dynamic=tuple(sorted(names_in(definition))),
        orphaned=tuple(orphaned),
    )


def asset_details(facts: StoreFacts, target: Target) -> AssetDetails:
    """Everything about one asset, or one partition: see `AssetDetails`."""
    from assetgraph.definitions.config_fields import declared_fields
    from assetgraph.queries.observed_views import covered, observed_reads
    from assetgraph.queries.resource_views import resources_of

    asset = facts.graph.asset(target.key)
    if target.partition is None:
        (view,) = asset_views(facts, [asset])
    else:
        view = partition_view(facts, target)
    computation = view.computation
    if target.partition is None:
        downstream = tuple([key.text for key in facts.graph.children(asset.key)])
    else:
        downstream = tuple([str(one) for one in facts.targets.downstream(target)])
    kind = view.computation.config_type
    of = target.key if target.partition is None else target
    history = tuple(islice(facts.store.history.readable(of), HISTORY))
    covers = covered(facts, computation) if computation.code_version is None else ()
    return AssetDetails(
        view=view,
        downstream=downstream,
        config_fields=declared_fields(kind) if kind else {},
        history=history,
        code_version=None if view.external else facts.newest(asset.key).code_version,
        covers=covers,
        observed=observed_reads(
            facts, facts.newest_target(asset.key) if of is asset.key else target
        ),
        partition=target.partition,
        partitions=partitions_shown(facts, asset),
        resources=resources_of(facts.graph, computation, asset),
    )


def card(view: AssetView) -> Card:
    """The asset as a card of a picture."""
    from assetgraph.pictures.picture_card import Card

    asset, made = view.asset, view.made
    failed = sum(check.has_failed for check in view.checks)
    text = asset.description
    return Card(asset.key.text, asset.group_name, text, view.state, made=made, failed_checks=failed)


def asset_json(view: AssetView) -> dict[str, Any]:
    asset = view.asset
    return {
        "key": asset.key.text,
        "group_name": asset.group_name,
        "description": asset.description,
        "deps": list(view.deps),
        "kinds": sorted(asset.kinds),
        "owners": list(asset.owners),
        "tags": dict(asset.tags),
        "state": view.state.value,
        "reasons": [reason_json(reason) for reason in view.reasons],
        "past_failure": view.past_failure and reason_json(view.past_failure),
        "running_run_id": view.running_run_id,
        "external": view.external and record_json(view.external),
        "partitions": view.partitions
        and {state.value: count for state, count in view.partitions.items()},
        "checks": [check.json for check in view.checks],
    }


def asset_details_json(details: AssetDetails) -> dict[str, Any]:
    view = details.view
    made, failed = view.materialization, view.failure
    return {
        **asset_json(view),
        "partition": details.partition,
        "partitions_def": details.partitions and record_json(details.partitions),
        "downstream": list(details.downstream),
        "made_with": list(view.made_with),
        "defined_at": view.computation.place,
        "config_fields": dict(details.config_fields),
        "resources": [record_json(one) for one in details.resources],
        "metadata": dict(view.asset.metadata),
        "code_version": details.code_version,
        "covers": [record_json(one) for one in details.covers],
        "observed": details.observed and record_json(details.observed),
        "materialization": record_json(made) if made else None,
        "failure": record_json(failed) if failed else None,
        "history": [record_json(attempt) for attempt in details.history],
    }
