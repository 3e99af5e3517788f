"""`RunRequest`: what a run should do, whoever asks for it. `plan_run` turns it into a plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.definitions.run_config import of_resources
from assetgraph.errors import ConfigError, PartitionsError, SelectionError
from assetgraph.hints import command
from assetgraph.keys import EVERY, RANGE, AssetKey, Target, recorded_target
from assetgraph.planning.plan import make_plan
from assetgraph.planning.reason_kinds import ReasonKind
from assetgraph.process.garbage_collector import paused_collector
from assetgraph.text import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.plan import Plan


_MOST_NAMES = 5


class RunRequest(msgspec.Struct, frozen=True):
    """A request for a run: from the command line, Python, the page or a re-execution.

    `selection` holds texts in the selection language; an empty one means every asset. `targets`
    names the targets one by one instead, for a re-execution. What the texts in `exclude` select
    does not run. `partitions` says which partitions of the selected assets are meant: keys, ranges
    as in "2023-01..2023-03", or "*" for all; where none is said, `default_partition` is one for
    definitions that have no default of their own. With `stale`, only targets that are not up to
    date run, and with `only`, those of the selected that are in one of these states. With
    `ignore_checks`, no blocking check keeps anything from running, and with `checks_only`, only
    checks run, of what is selected. `config` has
    each asset's fields by the text of its key. `executor`, `jobs` and `dask_scheduler` say where
    steps run; None means the project's setting. Without `wait`, the run fails at once if another
    run holds an asset. `run_id` is the id of the new run, if already
    known; `parent_run_id` is the run that it repeats, and `root_run_id` the first run of that
    chain.
    """

    selection: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    default_partition: str | None = None
    stale: bool = False
    ignore_checks: bool = False
    checks_only: bool = False
    only: tuple[str, ...] = ()
    config: Mapping[str, Mapping[str, Any]] = {}
    tags: Mapping[str, str] = {}
    executor: str | None = None
    jobs: int | None = None
    dask_scheduler: str | None = None
    wait: bool = True
    launched_by: str = ""
    run_id: str | None = None
    root_run_id: str | None = None
    parent_run_id: str | None = None


def nothing_to_do(request: RunRequest, plan: Plan) -> str:
    """Why `plan`, which has no steps, has none."""
    if request.only:
        return f"Nothing to do: nothing selected is {listed(request.only, 'or')}."
    if plan.selects_nothing:
        what = "no partition" if request.partitions else "no asset"
        return f"Nothing to do: {what} matches."
    if request.checks_only:
        return "Nothing to do: no check has anything new to look at."
    part = (
        request.targets
        or request.exclude
        or request.partitions
        or request.selection not in ((), ("*",))
    )
    what = "everything selected" if part else "everything"
    return f"Nothing to do: {what} is up to date."


def plan_run(request: RunRequest, facts: StoreFacts) -> Plan:
    """The plan of a run of `request`, as of now.

    Raises `SelectionError`, `ConfigError`, `PartitionsError`, and `AssetGraphError` for an asset
    that is not defined.
    """
    graph = facts.graph
    with paused_collector():
        if request.checks_only:
            return _checks_only(request, facts)
        config = _config(graph, request)
        plan = make_plan(
            facts.targets,
            facts,
            requested_targets(request, facts),
            stale_only=request.stale,
            requested=not request.only,
            config=config,
            excluded=_excluded(request, facts),
            ignore_checks=request.ignore_checks,
            one_partition=_names_one_partition(request.partitions),
        )
        facts.remember()
        shared = tuple(_shared(plan, facts))
        return msgspec.structs.replace(plan, warnings=plan.warnings + shared) if shared else plan


def _names_one_partition(partitions: Sequence[str]) -> bool:
    return len(partitions) == 1 and RANGE not in partitions[0] and EVERY not in partitions[0]


def _checks_only(request: RunRequest, facts: StoreFacts) -> Plan:
    from assetgraph.planning.check_plan import plan_of_checks

    checks = [one for one in requested_targets(request, facts) if one.key in facts.graph.checks]
    return plan_of_checks(facts.targets, facts, checks, stale_only=request.stale)


def facts_for(request: RunRequest, facts: StoreFacts) -> StoreFacts:
    """The facts that a run of `request` goes by: those with the resources that its config asks for.
    Raises `ConfigError`."""
    given = resource_config(facts.graph, request.config)
    if not given:
        return facts
    from assetgraph.planning.resource_config import configured

    return type(facts)(configured(facts.graph, given), facts.store)


def resource_config(
    graph: AssetGraph, config: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """What of the config of a run is for resources, and not for an asset called `resources`."""
    if not config or AssetKey.unchecked("resources") in graph:
        return {}
    return of_resources(config)


def _config(graph: AssetGraph, request: RunRequest) -> dict[AssetKey, dict[str, Any]] | None:
    if not request.config:
        return None
    from assetgraph.planning.checked_config import checked_config

    return checked_config(graph, config_by_key(graph, request.config))


def _shared(plan: Plan, facts: StoreFacts) -> Iterator[str]:
    changed = [
        target
        for step in plan.steps
        for reason in step.reasons
        if reason.kind is ReasonKind.CODE_CHANGED
        for target in step.outputs
    ]
    return shared_store(dict.fromkeys(changed), facts)


def shared_store(changed: Iterable[Target], facts: StoreFacts) -> Iterator[str]:
    """A warning for each other project that made values in this store of the same assets as this
    one. `changed` are targets whose code is another now."""
    found: dict[str, list[str]] = {}
    for target in changed:
        other = facts.other_project(target)
        if other is not None:
            found.setdefault(other, []).append(target.text)
    for other, names in found.items():
        some = names if len(names) <= _MOST_NAMES else [*names[:_MOST_NAMES], "others"]
        yield (
            f"the project in {other} shares this store and has other code for {listed(some)}: each "
            "project makes them stale for the other. Give one of the two another store, under "
            "[tool.assetgraph] in its pyproject.toml, or other keys."
        )


def config_by_key(
    graph: AssetGraph, settings: Mapping[str, Mapping[str, Any]]
) -> dict[AssetKey, dict[str, Any]]:
    """Config by key, from settings by the text of a key, or of a key and a nested field.

    `trips.source` with `{"host": …}` means `trips` with `{"source": {"host": …}}`. Raises
    `AssetGraphError` for a text that does not begin with an asset's key.
    """
    config: dict[AssetKey, dict[str, Any]] = {}
    applied = resource_config(graph, settings)  # by `facts_for`
    for text, given in settings.items():
        if text in applied:
            continue
        owner, _, field = text.rpartition(".")
        while owner and AssetKey.unchecked(owner) not in graph and owner not in graph.computations:
            owner, _, part = owner.rpartition(".")
            field = f"{part}.{field}"
        if AssetKey.unchecked(text) in graph or text in graph.computations or not owner:
            owner, field = text, ""
        fields = config.setdefault(_configured(graph, owner), {})
        for part in filter(None, field.split(".")):
            inner = fields.get(part)
            fields[part] = fields = dict(inner) if isinstance(inner, dict) else {}
        fields.update(given)
    return config


def _configured(graph: AssetGraph, owner: str) -> AssetKey:
    """The asset whose config is given: by its key, or one of a function of several by the name of
    that. Raises `AssetGraphError`."""
    computation = None if AssetKey.unchecked(owner) in graph else graph.computations.get(owner)
    if owner == "ops" and computation is None and AssetKey.unchecked(owner) not in graph:
        raise ConfigError(
            "the config under 'ops' is not that of assets.",
            hint='Write {"ops": {"trips": {"config": {"limit": 100}}}}.',
        )
    if computation is not None:
        return computation.specs[0].key
    if AssetKey.unchecked(owner) not in graph and "__" in owner:
        named = [key for key in graph.order if "__".join(key.parts) == owner]
        if len(named) == 1:
            return named[0]
    return graph.asset(AssetKey(owner)).key


def _excluded(request: RunRequest, facts: StoreFacts) -> frozenset[Target]:
    if not request.exclude:
        return frozenset()
    if _names_partitions(request.exclude):
        from assetgraph.planning.selected_targets import selected_targets

        return frozenset(selected_targets(request.exclude, facts))
    from assetgraph.graph.selection import select

    return frozenset(facts.targets.of(select(request.exclude, facts.graph, facts.state)))


def requested_targets(request: RunRequest, facts: StoreFacts) -> Iterable[Target]:
    """The targets that a request names, in no particular order.

    Without a partition, an asset with partitions means its default one; where only some states are
    asked for, it means all. With an asset come its checks. Raises `SelectionError` and
    `PartitionsError`.
    """
    if request.targets:
        return [_target(text, facts) for text in request.targets]
    if _names_partitions(request.selection):
        from assetgraph.planning.selected_targets import selected_targets

        chosen: Iterable[Target] = selected_targets(request.selection, facts, with_checks=True)
        if request.partitions:
            raise SelectionError(
                "the selection names partitions, and so do the options.",
                hint="Give them in one of the two.",
            )
    else:
        keys = requested_keys(request, facts, with_checks=True)
        if not facts.graph.partitioned and not request.partitions:
            chosen = map(facts.targets.graph.targets.__getitem__, keys)
        else:
            from assetgraph.planning.partitions_meant import targets_meant

            chosen = targets_meant(
                facts.targets,
                keys,
                request.partitions,
                every=request.stale or request.checks_only or bool(request.only),
                default=request.default_partition,
            )
    return _in_states(chosen, request.only, facts) if request.only else chosen


def _in_states(
    chosen: Iterable[Target], states: Sequence[str], facts: StoreFacts
) -> Iterable[Target]:
    """Those of the targets that are in one of these states."""
    from assetgraph.planning.target_numbers import TargetNumbers

    if isinstance(chosen, TargetNumbers) and facts.targets.looks_at_each(chosen.numbers):
        from assetgraph.planning.stale_rows import in_states

        return in_states(facts.row_states(chosen.numbers), chosen, states)
    found = facts.target_states(chosen)
    return [target for target in found if found[target].state.value in states]


def _names_partitions(texts: Sequence[str]) -> bool:
    if not any("@" in text for text in texts):  # most need no language
        return False
    from assetgraph.graph.selection import names_partitions

    return names_partitions(texts)


def requested_keys(
    request: RunRequest, facts: StoreFacts, *, with_checks: bool = False
) -> Sequence[AssetKey]:
    """The assets that a request names, in no particular order, `with_checks` those of them too that
    it does not take out again. Raises `SelectionError`."""
    if request.targets:
        return [_target(text, facts).key for text in request.targets]
    if _names_partitions(request.selection):
        return list({target.key: None for target in requested_targets(request, facts)})
    if request.selection in ((), ("*",)):
        return facts.graph.node_order if with_checks else facts.graph.order
    named = [AssetKey.unchecked(text) for text in request.selection]
    if all(key in facts.graph for key in named):  # these need no language
        return facts.graph.checks.along(named) if with_checks else named
    from assetgraph.graph.selection import select

    return select(request.selection, facts.graph, facts.state, with_checks=with_checks)


def _target(text: str, facts: StoreFacts) -> Target:
    """The target with this text, which may have been renamed since. Raises `AssetGraphError` for
    one that is not defined, or no longer."""
    target = recorded_target(text)
    if target.key not in facts.graph:
        target = Target(facts.store.names.present_name(target.key), target.partition)
    key = facts.graph.asset(target.key).key
    if facts.targets.exists(target):
        return target
    keys = facts.targets.keys(key)
    if target.partition is None:
        raise PartitionsError(
            f"{key.text!r} has partitions by now.",
            hint=f"To materialize what is missing: {command('materialize', '--stale', key.text)}",
        )
    if keys is None:
        raise PartitionsError(
            f"{key.text!r} has no partitions any more, so there is no {text!r}.",
            hint=f"To materialize the asset: {command('materialize', key.text)}",
        )
    try:
        keys.require(target.partition)
    except PartitionsError as error:
        error.about(text)
        raise
    return target
