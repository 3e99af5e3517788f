"""`make_plan`: the steps that would run, and their order. Pure: no disk, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from typing import TYPE_CHECKING, Protocol, cast

import msgspec

from assetgraph.errors import ConfigError, SelectionError
from assetgraph.graph.walk import walk
from assetgraph.hints import command
from assetgraph.planning.reasons import Configs, Facts, direct_reasons, stale_reasons
from assetgraph.planning.step_maker import StepMaker
from assetgraph.planning.steps import Cause as Cause
from assetgraph.planning.steps import Plan as Plan
from assetgraph.planning.steps import Step as Step
from assetgraph.process.garbage_collector import paused_collector
from assetgraph.text import listed

if TYPE_CHECKING:
    from assetgraph.keys import AssetKey, Target
    from assetgraph.planning.row_states import RowStates
    from assetgraph.planning.target_graph import TargetGraph
    from assetgraph.planning.target_numbers import TargetNumbers


class WholeFacts(Facts, Protocol):
    """Facts that also say of whole assets what is not up to date."""

    def row_states(self, keys: Iterable[AssetKey], config: Configs | None = None) -> RowStates:
        """The states of all targets of these assets, and of everything upstream of them."""


# Long: its parameters and docstring say what a plan is made of.
def make_plan(
    graph: TargetGraph,
    facts: Facts,
    selected: Iterable[Target],
    *,
    stale_only: bool = False,
    requested: bool = True,
    config: Configs | None = None,
    excluded: Set[Target] = frozenset(),
    ignore_checks: bool = False,
    one_partition: bool = False,
) -> Plan:
    """The steps for `selected`.

    These are all of the selected targets, with every upstream that has no value yet. With
    `stale_only`, they are the targets that are not up to date, among the selected and all their
    upstreams. Whichever target a call is needed for, it materializes all that it does. Unless they
    are `requested` one by one, whether they are needed is checked again before they start.

    Blocking checks that have not looked at what a step reads come before it, unless
    `ignore_checks`. None of `excluded` runs: its value of before is used. If a person has named
    `one_partition`, others of the same assets run only for what loads them, not for what has them
    among its `deps`.

    Raises `ConfigError` if config is given for an asset that would not run, `SelectionError` if a
    step needs an excluded target that has no value, and `PartitionsError` if a step reads a
    partition that its upstream does not have.
    """
    if stale_only and graph.graph.partitioned and not excluded:
        from assetgraph.planning.target_numbers import TargetNumbers

        if isinstance(selected, TargetNumbers) and graph.looks_at_each(selected.numbers):
            return _plan_by_rows(graph, facts, selected, config or {}, ignore_checks)
    selected = _own(graph, set(selected) - excluded)
    with paused_collector():
        whole, asked = graph.whole_calls(selected), config or {}
        if stale_only:
            plan = _stale_plan(graph, facts, whole, asked, excluded, ignore_checks)
        else:
            meant = frozenset(target.key for target in whole if one_partition and target.partition)
            plan = _requested_plan(
                graph, facts, whole, asked, excluded, requested, ignore_checks, meant
            )
    if len(whole) > len(selected):
        plan = _with_added(graph, plan, whole - selected)
    return plan if selected else msgspec.structs.replace(plan, selects_nothing=True)


def _with_added(graph: TargetGraph, plan: Plan, others: Set[Target]) -> Plan:
    """The plan, which says what of `others` it makes."""
    made = {output for step in plan.steps for output in step.outputs}
    return msgspec.structs.replace(plan, added=tuple(graph.in_order(others & made)))


def still_needed(step: Step, facts: Facts) -> bool:
    """Early cut-off: whether a planned step still has a reason to run. The steps before it may have
    materialized the same data as before."""
    for output in step.outputs:
        above = {one: facts.of(one) for one in step.upstream(output)}
        if not all(known.has_value for known in above.values()):
            return True  # it fails, and says what is missing
        upstream = {one: known.data_version for one, known in above.items()}
        given = step.config if facts.of(output).current else None
        if direct_reasons(output, facts, upstream, given):
            return True
    return False


def require_own(graph: TargetGraph, selected: Iterable[AssetKey]) -> None:
    """Raise `SelectionError` if something else makes all that is selected."""
    keys = graph.graph.in_order(set(selected))
    if keys and graph.graph.externals >= set(keys):
        readers = [f"{key.text}+" for key in keys][:3]
        raise SelectionError(
            f"something else makes {listed([key.text for key in keys][:3])}: "
            "there is nothing to run.",
            hint=f"To run what reads it: {command('materialize', *readers)}",
        )


def _own(graph: TargetGraph, selected: set[Target]) -> set[Target]:
    """Those of the targets that something here makes. Raises `SelectionError` if all are made
    elsewhere."""
    if not graph.graph.externals:
        return selected
    require_own(graph, [target.key for target in selected])
    return {target for target in selected if target.key not in graph.graph.externals}


def _requested_plan(
    graph: TargetGraph,
    facts: Facts,
    selected: set[Target],
    config: Configs,
    excluded: Set[Target],
    requested: bool,
    ignore_checks: bool,
    meant: Set[AssetKey],
) -> Plan:
    externals = graph.graph.externals
    missing, used = _missing_upstreams(graph, facts, selected, excluded, ignore_checks, meant)
    _require_values(graph, facts, selected | missing, excluded)
    _require_running(config, {target.key for target in selected | missing})
    targets = graph.in_order(selected | missing)
    reasons = stale_reasons(graph, facts, targets, config)
    asked = Cause.REQUESTED  # looking it up for each takes 0.2 µs in Python 3.11
    causes = {
        target: asked if requested and target in selected else cause_of(facts, target)
        for target in targets
    }
    warnings: list[str] = []
    if used:
        from assetgraph.planning.plan_warnings import bypassed, stale_inputs

        own = {target for target in used if target.key not in externals}
        warnings += stale_inputs(graph, facts, own, reasons)
        warnings += bypassed(graph, targets, {target for target in own if not reasons[target]})
    maker = StepMaker(
        graph, facts, causes, reasons, config, ignore_checks=ignore_checks, incomplete=bool(meant)
    )
    return maker.plan(warnings)


def cause_of(facts: Facts, target: Target) -> Cause:
    """Why a target that nobody asked for by name is in a plan."""
    return Cause.STALE if facts.of(target).has_value else Cause.MISSING


def _require_running(config: Configs, running: Set[AssetKey]) -> None:
    """Raise `ConfigError` if config is given for an asset that does not run."""
    for key in config:
        if key not in running:
            raise ConfigError(
                f"config is given for {key.text!r}, which would not run.",
                hint="Select that asset too, or leave its config out.",
            )


def _missing_upstreams(
    graph: TargetGraph,
    facts: Facts,
    selected: set[Target],
    excluded: Set[Target],
    ignore_checks: bool,
    meant: Set[AssetKey],
) -> tuple[set[Target], set[Target]]:
    """The upstreams of `selected` without a value, which must run too, with their checks and those
    that what is read must pass first; and the upstreams that are used as they are. Of the assets
    in `meant`, the partitions are selected that shall run."""
    used: set[Target] = set()
    externals = graph.graph.externals
    has_checks = bool(graph.graph.checks)

    def without_value(target: Target) -> Iterator[Target]:
        yield from graph.mates(target)
        for parent in graph.upstream(target):
            if parent in selected:
                continue
            if parent.key in externals or facts.of(parent).has_value:
                used.add(parent)
            elif parent.key not in meant or _is_loaded(graph, target, parent):
                yield parent
        if has_checks:
            from assetgraph.planning.gates import checks_of, needed_checks

            found = [] if target in selected else list(checks_of(graph, target))
            if not ignore_checks:
                found += needed_checks(graph, facts, target, selected)
            yield from graph.whole_calls(one for one in found if one not in excluded)

    missing = walk(selected, without_value).keys() - selected
    return missing, used - missing


def _is_loaded(graph: TargetGraph, target: Target, parent: Target) -> bool:
    return parent.key in graph.graph.inputs(target.key).values()


def _require_values(
    graph: TargetGraph, facts: Facts, running: Iterable[Target], excluded: Set[Target]
) -> None:
    """Raise `SelectionError` if an excluded target without a value is upstream of a step."""
    for target in running if excluded else ():
        for parent in graph.upstream(target):
            if parent in excluded and not facts.of(parent).has_value:
                raise SelectionError(
                    f"{parent.text!r} is excluded, but {target.text!r} needs it and it has no "
                    "value.",
                    hint=f"Exclude {target.text!r} too, or leave {parent.text!r} in.",
                )
    together = graph.whole_calls(running) & excluded if excluded else ()
    for target in together:
        raise SelectionError(
            f"{target.text!r} is excluded, but one call materializes it and others that run.",
            hint="Exclude all assets of the call, or none.",
        )


def _plan_by_rows(
    graph: TargetGraph,
    facts: Facts,
    selected: TargetNumbers,
    config: Configs,
    ignore_checks: bool,
) -> Plan:
    """The stale plan of whole assets, and ranges of partitions: only for what has to run, anything
    is made."""
    from assetgraph.planning.row_states import ExactReasons
    from assetgraph.planning.stale_rows import StaleRows

    if graph.graph.externals:
        require_own(graph, selected.numbers)
    with paused_collector():
        looked_at = with_checks_above(graph, selected.numbers)
        rows = cast("WholeFacts", facts).row_states(looked_at, config)
        stale, always = StaleRows(graph, rows, selected), graph.graph.checks.always
        causes = {
            one: Cause.REQUESTED if one.key in always else cause_of(facts, one)
            for one in stale.targets()
        }
        exact = ExactReasons(rows)
        maker = StepMaker(graph, facts, causes, exact, config, ignore_checks=ignore_checks)
        plan = maker.plan()
    return plan if selected else msgspec.structs.replace(plan, selects_nothing=True)


def with_checks_above(graph: TargetGraph, keys: Iterable[AssetKey]) -> Iterable[AssetKey]:
    """`keys`, and if there are checks, those of everything that these are made from."""
    if not graph.graph.checks:
        return keys
    from assetgraph.planning.gates import checks_above

    return checks_above(graph.graph, keys)


def _stale_plan(
    graph: TargetGraph,
    facts: Facts,
    selected: set[Target],
    config: Configs,
    excluded: Set[Target],
    ignore_checks: bool,
) -> Plan:
    if graph.graph.checks:
        from assetgraph.planning.gates import checks_of

        above = graph.with_upstreams(selected)
        checks = [check for one in above for check in checks_of(graph, one)]
        selected = selected | graph.whole_calls(checks)
    reasons = stale_reasons(graph, facts, selected, config)
    always = graph.graph.checks.always
    causes = {
        target: Cause.REQUESTED if target.key in always else cause_of(facts, target)
        for target, why in reasons.items()
        if (why or target.key in always)
        and target not in excluded
        and target.key not in graph.graph.externals
    }
    _require_values(graph, facts, causes, excluded)
    maker = StepMaker(graph, facts, causes, reasons, config, ignore_checks=ignore_checks)
    return maker.plan()
