"""`StepMaker`: the steps for the targets of a plan, each one call of a computation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from assetgraph.errors import ConfigError
from assetgraph.keys import RANGE, Target
from assetgraph.planning.reason_kinds import Reason, ReasonKind
from assetgraph.planning.reasons import Configs, Facts, KnownReasons
from assetgraph.planning.steps import CAUSES, Cause, Plan, Step
from assetgraph.text import listed

if TYPE_CHECKING:
    from assetgraph.definitions.computation import Computation
    from assetgraph.planning.target_graph import TargetGraph


class StepMaker:
    """Makes the steps for the targets of `causes`, which must be in order, upstream first. If they
    are `incomplete`, upstreams that no parameter loads may have no value, and are not read then."""

    def __init__(
        self,
        graph: TargetGraph,
        facts: Facts,
        causes: Mapping[Target, Cause],
        reasons: KnownReasons,
        config: Configs,
        *,
        ignore_checks: bool = False,
        incomplete: bool = False,
    ) -> None:
        self._graph = graph
        self._facts = facts
        self._causes = causes
        self._reasons = reasons
        self._config = config
        self._has_gates = bool(graph.graph.checks.gates) and not ignore_checks
        self._incomplete = incomplete
        self._made_by: dict[Target, str] = {}
        self._calls: dict[str, tuple[Computation, tuple[Target, ...]]] = {}
        for targets in self._together():
            self._add_call(targets)

    def plan(self, warnings: Iterable[str] = ()) -> Plan:
        steps = [self._step(name) for name in self._calls]
        computations = {made.name: made for made, _ in self._calls.values()}
        return Plan(tuple(steps), computations, tuple(warnings))

    def _together(self) -> Iterator[list[Target]]:
        """The targets of one asset that each call is for: a range of partitions if the
        computation's policy says so, and else one. `_add_call` adds those of its other assets."""
        together: list[Target] = []
        for target in self._causes:
            if together and not self._continues(together, target):
                yield together
                together = []
            together.append(target)
        if together:
            yield together

    def _continues(self, together: Sequence[Target], target: Target) -> bool:
        """Whether the call for the targets `together`, which follow each other, is for the next one
        too. What a target reads of its own asset must be there before its call begins."""
        last = together[-1]
        if target.partition is None or last.key is not target.key:
            return False
        policy = self._graph.graph.computation(last.key).backfill_policy
        if policy is None:
            return False
        number, next_one = self._graph.number(last), self._graph.number(target)
        return (
            len(together) != policy.max_partitions_per_run
            and number is not None
            and next_one == number + 1
            and self._have_one_config(last, target)
            and not (
                target.key in self._graph.graph.self_readers
                and set(self._graph.upstream(target)).intersection(together)
            )
        )

    def _have_one_config(self, one: Target, other: Target) -> bool:
        """Whether one call can be for both partitions: config that is given is for all of them."""
        if self._config and not self._config.keys().isdisjoint(
            spec.key for spec in self._graph.graph.computation(one.key).specs
        ):
            return True
        return self._config_of(one) == self._config_of(other)

    def _add_call(self, targets: Sequence[Target]) -> None:
        left = [target for target in targets if target not in self._made_by]
        if 0 < len(left) < len(targets):  # the calls for another asset make some of them
            for part in self._ranges(left):
                self._add_one_call(part)
        elif left:
            self._add_one_call(left)

    def _ranges(self, targets: Iterable[Target]) -> Iterator[list[Target]]:
        """Partitions of an asset, each range that has no gap by itself."""
        found: list[Target] = []
        for target in targets:
            number = self._graph.number(target)
            if found and number != (self._graph.number(found[-1]) or 0) + 1:
                yield found
                found = []
            found.append(target)
        yield found

    def _add_one_call(self, targets: Sequence[Target]) -> None:
        first, last = targets[0], targets[-1]
        computation = self._graph.graph.computation(first.key)
        specs = computation.specs
        outputs = tuple(targets)
        name = first.text
        if len(specs) > 1:
            outputs = tuple([Target(spec.key, one.partition) for one in targets for spec in specs])
            if computation.can_subset:
                outputs = tuple([one for one in outputs if self._is_left(one)])
            name = computation.name
            if first.partition is not None:
                name += f"@{first.partition}"
        step_id = name if first is last else f"{name}{RANGE}{last.partition}"
        self._calls[step_id] = computation, outputs
        for output in outputs:
            self._made_by[output] = step_id

    def _there(self, upstream: tuple[Target, ...]) -> tuple[Target, ...]:
        """Those of the upstreams that have a value when the step begins."""
        if not self._incomplete:
            return upstream
        there = self._made_by.keys() | {
            one for one in upstream if one.key in self._graph.graph.externals
        }
        return tuple([one for one in upstream if one in there or self._facts.of(one).has_value])

    def _is_left(self, output: Target) -> bool:
        """Whether a call that may be for some of its assets has to make this one."""
        return output in self._causes and output not in self._made_by

    def _step(self, step_id: str) -> Step:
        computation, outputs = self._calls[step_id]
        first = outputs[0]
        upstreams: dict[Target, tuple[Target, ...]] = {}
        if len(outputs) == 1:
            cause, reasons = self._causes[first], self._reasons[first]
            upstream = self._there(self._graph.upstream(first))
            reads = self._graph.inputs(first)
        else:
            cause, reasons = self._cause(outputs), self._why(outputs)
            reads = self._reads(outputs)
            loaded = [up for loads in reads.values() for up in loads]
            made = frozenset(outputs)
            if len({one.partition for one in outputs}) > 1:
                loaded = []
            upstreams = {one: self._there(self._made_from(one, loaded, made)) for one in outputs}
            upstream = tuple(dict.fromkeys(up for ups in upstreams.values() for up in ups))
        loads = {up for targets in reads.values() for up in targets}
        deps: tuple[Target, ...] = ()
        if len(upstream) > len(loads):
            deps = tuple([up for up in upstream if up not in loads])
        after = dict.fromkeys(filter(None, map(self._made_by.get, upstream)))
        after.pop(step_id, None)
        if self._graph.graph.checks:
            reasons = self._with_checks(computation, outputs, after, reasons)
        given = self._given(outputs)
        return Step(
            id=step_id,
            computation=computation.name,
            outputs=outputs,
            cause=cause,
            reasons=reasons,
            config=self._config_of(first, cause) if given is None else dict(given),
            reads=reads,
            deps=deps,
            after=tuple(after),
            gathered=self._graph.gathered(outputs[0].key),
            upstreams=upstreams,
            config_given=given is not None,
        )

    def _with_checks(
        self,
        computation: Computation,
        outputs: Sequence[Target],
        after: dict[str, None],
        reasons: tuple[Reason, ...],
    ) -> tuple[Reason, ...]:
        """The reasons of a step in the words for a check, or with the check that holds it. Blocking
        checks are added to what it comes `after`."""
        from assetgraph.planning.gates import gates_of, held_reason, in_words_of_check

        if computation.is_check:
            return in_words_of_check(reasons)
        if not self._has_gates:
            return reasons
        gates = (gate for one in outputs for gate in gates_of(self._graph, one))
        after.update(dict.fromkeys(filter(None, map(self._made_by.get, gates))))
        return reasons + held_reason(self._graph, self._facts, outputs, self._made_by)

    def _reads(self, outputs: Sequence[Target]) -> dict[str, tuple[Target, ...]]:
        """What each parameter of a call loads for any of its partitions, without what the call
        itself materializes."""
        found: dict[str, dict[Target, None]] = {}
        for one in outputs:
            for name, targets in self._graph.inputs(one).items():
                found.setdefault(name, {}).update(dict.fromkeys(targets))
        own = frozenset(outputs)
        return {
            name: tuple([target for target in targets if target not in own])
            for name, targets in found.items()
        }

    def _made_from(
        self, output: Target, loaded: Sequence[Target], outputs: Set[Target]
    ) -> tuple[Target, ...]:
        """What one of the outputs of a call is made from: its own upstreams. If the call is for one
        partition, of several assets, all that is `loaded` counts for each of them."""
        own = [up for up in self._graph.upstream(output) if up not in outputs]
        return tuple(dict.fromkeys([*loaded, *own]))

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

    def _config_of(self, output: Target, cause: Cause | None = None) -> Mapping[str, Any]:
        """The config of the value that the step replaces, if nobody asked for the step."""
        cause = cause or self._causes[output]
        current = None if cause is Cause.REQUESTED else self._facts.of(output).current
        return dict(current.config) if current else {}

    def _cause(self, outputs: Sequence[Target]) -> Cause:
        return min([self._causes[output] for output in outputs], key=CAUSES.index)

    def _why(self, outputs: Sequence[Target]) -> tuple[Reason, ...]:
        """The reasons of all outputs, each once."""
        found: list[Reason] = []
        for output in outputs:
            for why in self._reasons[output]:
                if why.kind is not ReasonKind.MADE_TOGETHER and why not in found:
                    found.append(why)
        return tuple(found)
