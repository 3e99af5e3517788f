"""`make_plan`: the steps that would run, and their order. Pure: no disk, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.errors import ConfigError, SelectionError
from assetgraph.graph.walk import walk
from assetgraph.hints import command
from assetgraph.keys import Target
from assetgraph.planning.reason_kinds import Reason, ReasonKind
from assetgraph.planning.reasons import (
    Configs,
    Facts,
    direct_reasons,
    input_targets,
    stale_reasons,
    upstream_targets,
)
from assetgraph.process.garbage_collector import paused_collector
from assetgraph.text import listed

if TYPE_CHECKING:
    from assetgraph.definitions.computation import Computation
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.keys import AssetKey

Reasons = Mapping[Target, tuple[Reason, ...]]


class Cause(StrEnum):
    """Why a step is in a plan. A requested step always runs; any other is checked again just
    before it starts."""

    REQUESTED = "requested"
    MISSING = "missing"
    STALE = "stale"


_CAUSES = tuple(Cause)  # by precedence: if outputs have different causes, the first counts


class Step(msgspec.Struct, frozen=True):
    """One planned call of a computation.

    `id` is unique in its plan; for a step with one output, it is the text of that target. `reads`
    has the targets that each parameter loads: a parameter in `gathered` takes several, as a mapping
    by partition. `deps` are upstreams that no parameter loads; for a step with several outputs,
    `deps_of` says which of them are of which output. `after` holds the ids of the steps that come
    before. `config` has the given fields, without defaults; with `config_given`, it was given for
    this run, and checked.
    """

    id: str
    computation: str
    outputs: tuple[Target, ...]
    cause: Cause
    reasons: tuple[Reason, ...] = ()
    config: Mapping[str, Any] = {}
    reads: Mapping[str, tuple[Target, ...]] = {}
    deps: tuple[Target, ...] = ()
    after: tuple[str, ...] = ()
    gathered: frozenset[str] = frozenset()
    deps_of: Mapping[Target, tuple[Target, ...]] = {}
    config_given: bool = False

    def upstream(self, output: Target) -> tuple[Target, ...]:
        """The targets that `output` is made from, each once: all that the step reads, and the
        `deps` of that output."""
        seen = dict.fromkeys(target for targets in self.reads.values() for target in targets)
        seen.update(dict.fromkeys(self.deps_of.get(output, () if self.deps_of else self.deps)))
        return tuple(seen)

    @property
    def upstreams(self) -> Mapping[Target, frozenset[Target]]:
        """What each output is made from."""
        return {output: frozenset(self.upstream(output)) for output in self.outputs}


class Plan(msgspec.Struct, frozen=True):
    """The steps, upstream before downstream, and the computations that they call, by name.

    `warnings` are sentences that the user should read before the steps run. `selects_nothing` says
    why there are no steps: the selection matched no asset.
    """

    steps: tuple[Step, ...]
    computations: Mapping[str, Computation] = {}
    warnings: tuple[str, ...] = ()
    selects_nothing: bool = False


def make_plan(
    graph: AssetGraph,
    facts: Facts,
    selected: Iterable[AssetKey],
    *,
    stale_only: bool = False,
    config: Configs | None = None,
    excluded: Set[AssetKey] = frozenset(),
) -> Plan:
    """The steps for `selected`.

    These are all of the selected assets, with every upstream that has no value yet. With
    `stale_only`, they are the assets that are not up to date, among the selected and all their
    upstreams. Whichever asset a call is needed for, it materializes all of its assets.

    None of `excluded` runs: its value of before is used.

    Raises `ConfigError` if config is given for an asset that would not run, and `SelectionError` if
    a step needs an excluded asset that has no value.
    """
    selected = set(selected) - excluded
    if graph.externals:
        selected = _own(graph, selected)
    make = _stale_plan if stale_only else _requested_plan
    with paused_collector():
        plan = make(graph, facts, graph.whole_calls(selected), config or {}, excluded)
    return plan if selected else msgspec.structs.replace(plan, selects_nothing=True)


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


def _own(graph: AssetGraph, selected: set[AssetKey]) -> set[AssetKey]:
    """`selected` without external assets. Raises `SelectionError` if nothing is left."""
    own = selected - graph.externals
    if selected and not own:
        names = listed([key.text for key in graph.in_order(selected)][:3])
        readers = [f"{key.text}+" for key in graph.in_order(selected)][:3]
        raise SelectionError(
            f"something else makes {names}: there is nothing to run.",
            hint=f"To run what reads it: {command('materialize', *readers)}",
        )
    return own


def _requested_plan(
    graph: AssetGraph,
    facts: Facts,
    selected: set[AssetKey],
    config: Configs,
    excluded: Set[AssetKey],
) -> Plan:
    missing, used = _missing_upstreams(graph, facts, selected)
    _require_values(graph, facts, selected | missing, excluded)
    for key in config:
        if key not in selected and key not in missing:
            raise ConfigError(
                f"config is given for {key.text!r}, which would not run.",
                hint="Select that asset too, or leave its config out.",
            )
    keys = graph.in_order(selected | missing)
    reasons = stale_reasons(graph, facts, [graph.targets[key] for key in keys], config)
    causes = {
        graph.targets[key]: Cause.REQUESTED if key in selected else Cause.MISSING for key in keys
    }
    warnings = [
        *_stale_inputs(graph, used, reasons),
        *_bypassed(graph, keys, {key for key in used if not reasons[Target(key)]}),
    ]
    return _StepMaker(graph, facts, causes, reasons, config).plan(warnings)


def _missing_upstreams(
    graph: AssetGraph, facts: Facts, selected: set[AssetKey]
) -> tuple[set[AssetKey], set[AssetKey]]:
    """The upstreams of `selected` without a value, which must run too, and those that are used as
    they are."""
    used: set[AssetKey] = set()

    def without_value(key: AssetKey) -> Iterator[AssetKey]:
        for parent in graph.parents(key):
            if parent in selected:
                continue
            if parent in graph.externals or facts.of(graph.targets[parent]).has_value:
                used.add(parent)
            else:
                yield from graph.whole_calls([parent])

    missing = walk(selected, without_value).keys() - selected
    return missing, used - missing


def _require_values(
    graph: AssetGraph, facts: Facts, running: Iterable[AssetKey], excluded: Set[AssetKey]
) -> None:
    """Raise `SelectionError` if an excluded asset without a value is upstream of a step."""
    for key in running if excluded else ():
        for parent in graph.parents(key):
            if parent in excluded and not facts.of(graph.targets[parent]).has_value:
                raise SelectionError(
                    f"{parent.text!r} is excluded, but {key.text!r} needs it and it has no value.",
                    hint=f"Exclude {key.text!r} too, or leave {parent.text!r} in.",
                )
    together = graph.whole_calls(running) & excluded if excluded else ()
    for key in together:
        raise SelectionError(
            f"{key.text!r} is excluded, but one call materializes it and others that run.",
            hint="Exclude all assets of the call, or none.",
        )


def _stale_inputs(graph: AssetGraph, used: set[AssetKey], reasons: Reasons) -> Iterator[str]:
    """Warnings about upstreams that are used as they are although they are not up to date."""
    for key in graph.in_order(used - graph.externals):
        why = " and ".join(reason.text for reason in reasons[Target(key)])
        if why:
            yield (
                f"{key.text} is used as it is, though {why}. "
                f"To bring it up to date first: {command('materialize', '--stale', key.text)}"
            )


def _bypassed(graph: AssetGraph, keys: Sequence[AssetKey], used: set[AssetKey]) -> Iterator[str]:
    """Warnings about assets that a step reads and that do not run, although one of their upstreams
    does."""
    reached = walk(keys, graph.children) if used else {}
    running = set(keys)
    for key in graph.in_order((used - graph.externals) & reached.keys()):
        above = [k.text for k in graph.in_order(walk([key], graph.parents).keys() & running)]
        names = listed(above) if len(above) <= 3 else str(len(above))
        readers = [child.text for child in graph.children(key) if child in running]
        yield (
            f"{key.text} is used as it is, though its upstream {names} will run. Select it too, or "
            f"run this afterwards: {command('materialize', '--stale', *readers)}"
        )


def _stale_plan(
    graph: AssetGraph,
    facts: Facts,
    selected: set[AssetKey],
    config: Configs,
    excluded: Set[AssetKey],
) -> Plan:
    reasons = stale_reasons(graph, facts, [graph.targets[key] for key in selected], config)
    causes = {
        target: Cause.STALE if facts.of(target).has_value else Cause.MISSING
        for target, why in reasons.items()
        if why and target.key not in excluded and target.key not in graph.externals
    }
    _require_values(graph, facts, [target.key for target in causes], excluded)
    return _StepMaker(graph, facts, causes, reasons, config).plan()


class _StepMaker:
    """Makes the steps for the targets of `causes`, which must be in order, upstream first."""

    def __init__(
        self,
        graph: AssetGraph,
        facts: Facts,
        causes: Mapping[Target, Cause],
        reasons: Reasons,
        config: Configs,
    ) -> None:
        self._graph = graph
        self._facts = facts
        self._causes = causes
        self._reasons = reasons
        self._config = config
        self._made_by: dict[Target, str] = {}
        self._calls: dict[str, tuple[Computation, tuple[Target, ...]]] = {}
        for target in causes:
            if target not in self._made_by:
                self._add_call(target)

    def plan(self, warnings: Iterable[str] = ()) -> Plan:
        steps = [self._step(name) for name in self._calls]
        computations = {made.name: made for made, _ in self._calls.values()}
        return Plan(tuple(steps), computations, tuple(warnings))

    def _add_call(self, target: Target) -> None:
        computation = self._graph.computation(target.key)
        outputs: tuple[Target, ...] = (target,)
        step_id = target.text
        if len(computation.specs) > 1:
            outputs = tuple([Target(spec.key, target.partition) for spec in computation.specs])
            step_id = computation.name
            if target.partition is not None:
                step_id += f"@{target.partition}"
        self._calls[step_id] = computation, outputs
        for output in outputs:
            self._made_by[output] = step_id

    def _step(self, step_id: str) -> Step:
        computation, outputs = self._calls[step_id]
        first = outputs[0]
        if len(outputs) == 1:
            cause, reasons = self._causes[first], self._reasons[first]
            upstream = upstream_targets(self._graph, first)
        else:
            cause, reasons = self._cause(outputs), self._why(outputs)
            above = [up for output in outputs for up in upstream_targets(self._graph, output)]
            upstream = tuple(dict.fromkeys(above))
        reads = input_targets(self._graph, first)
        loaded = {up for loads in reads.values() for up in loads}
        deps: tuple[Target, ...] = ()
        if len(upstream) > len(loaded):
            deps = tuple([up for up in upstream if up not in loaded])
        after = dict.fromkeys(filter(None, map(self._made_by.get, upstream)))
        after.pop(step_id, None)
        given = self._given(outputs)
        return Step(
            id=step_id,
            computation=computation.name,
            outputs=outputs,
            cause=cause,
            reasons=reasons,
            config=self._recorded(first, cause) if given is None else dict(given),
            reads=reads,
            deps=deps,
            after=tuple(after),
            deps_of=self._deps_of(outputs, set(deps)) if deps and len(outputs) > 1 else {},
            config_given=given is not None,
        )

    def _deps_of(
        self, outputs: Sequence[Target], deps: set[Target]
    ) -> Mapping[Target, tuple[Target, ...]]:
        """Which of the `deps` of a call each of its outputs depends on."""
        upstreams = {output: upstream_targets(self._graph, output) for output in outputs}
        return {output: tuple([u for u in ups if u in deps]) for output, ups in upstreams.items()}

    def _given(self, outputs: Sequence[Target]) -> Mapping[str, Any] | None:
        """The config given for any output of the call."""
        config = self._config
        given = [config[one.key] for one in outputs if one.key in config] if config else []
        for one in given[1:]:
            if one != given[0]:
                names = listed([output.text for output in outputs])
                raise ConfigError(
                    f"{names} are materialized by one call, but were given different config.",
                    hint="Give config for only one of them.",
                )
        return given[0] if given else None

    def _recorded(self, output: Target, cause: Cause) -> Mapping[str, Any]:
        """The config of the value that the step replaces, if nobody asked for the step."""
        current = None if cause is Cause.REQUESTED else self._facts.of(output).current
        return dict(current.config) if current else {}

    def _cause(self, outputs: Sequence[Target]) -> Cause:
        return min([self._causes[output] for output in outputs], key=_CAUSES.index)

    def _why(self, outputs: Sequence[Target]) -> tuple[Reason, ...]:
        """The reasons of all outputs, each once."""
        found: list[Reason] = []
        for output in outputs:
            for why in self._reasons[output]:
                if why.kind is not ReasonKind.MADE_TOGETHER and why not in found:
                    found.append(why)
        return tuple(found)
