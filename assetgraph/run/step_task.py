"""What passes through an executor: the task of one step, its result and its channel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from assetgraph.definitions.computation import AssetSpec, Computation
from assetgraph.keys import AssetKey, Target
from assetgraph.records import (
    IO_MANAGED,
    ErrorInfo,
    Event,
    Materialization,
    ObservedRead,
    StepState,
    StoredValue,
)

if TYPE_CHECKING:
    from assetgraph.definitions.partitions.definition import PartitionsDefinition
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.plan import Step
    from assetgraph.run.sent_exception import SentException


class Limits(msgspec.Struct, frozen=True):
    """How much of a step's output is kept: bytes of each printed stream, and log events."""

    output_bytes: int = 16_000_000
    log_events: int = 10_000


class Input(msgspec.Struct, frozen=True, gc=False):
    """One upstream target of a step.

    `parameter` is None for an upstream that is not loaded. `maker` is the upstream's spec if its
    own IO manager stored the value. `run_id` is the run that stored it. `partitions_def` has the
    partitions of the upstream, if the target is one of them.
    """

    target: Target
    parameter: str | None
    data_version: str
    stored: StoredValue
    maker: AssetSpec | None = None
    run_id: str = ""
    partitions_def: PartitionsDefinition | None = None


class Taken(NamedTuple):
    """The resources that a step takes, by name, as they are defined; the names of those that store
    values, and what its records say of them."""

    resources: Mapping[str, Any]
    managers: frozenset[str]
    recorded: Mapping[str, dict[str, Any]]


NOTHING = Taken({}, frozenset(), {})


class StepTask(msgspec.Struct, frozen=True):
    """Everything that a worker needs to run a step.

    `outputs` are the targets that the call materializes: for each partition, those of all specs in
    their order. If there are several, `upstream` has the targets that each is made from.
    `known_run_ids` are the runs that materialized their current values when the step was planned.
    `passed` holds input values that are still in memory. A parameter in `gathered` takes several
    partitions, as a mapping or as one table. `positions` has, for each asset of which the step
    reads several partitions, how much of its history is known. `taken` has its resources.
    """

    step_id: str
    computation: Computation
    outputs: tuple[Target, ...]
    run_id: str
    attempt: int
    inputs: tuple[Input, ...]
    config: Mapping[str, Any]
    code_version: str | None
    known_run_ids: tuple[str | None, ...] = ()
    wait: bool = True
    limits: Limits = Limits()
    passed: Mapping[Target, Any] = {}
    gathered: frozenset[str] = frozenset()
    upstream: Mapping[Target, tuple[Target, ...]] = {}
    positions: Mapping[AssetKey, int] = {}
    taken: Taken = NOTHING

    @property
    def timeout_s(self) -> float | None:
        return self.computation.timeout

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """The partitions of what the step materializes."""
        return self.computation.spec(self.outputs[0].key).partitions_def

    @property
    def input_names(self) -> tuple[str, ...]:
        """The parameters that name an upstream."""
        return tuple(parameter.name for parameter in self.computation.inputs)

    @property
    def output_names(self) -> Mapping[str, AssetKey]:
        """What the function may call each of its assets."""
        return self.computation.output_names

    def versions(self) -> dict[Target, str]:
        """The data version of everything that the step is made from."""
        return {source.target: source.data_version for source in self.inputs}

    def made_from(self, output: Target, versions: Mapping[Target, str]) -> dict[str, Any]:
        """The fields of a record that say which of `versions` an output was made from: `inputs`,
        and `partitions_read` where it was several partitions of an asset."""
        if self.upstream:
            versions = {one: versions[one] for one in self.upstream[output]}
        found: dict[str, str] = {}
        for (key, partition), version in versions.items():
            if partition is not None:
                break
            found[key.text] = version
        else:
            return {"inputs": found}
        from assetgraph.planning.what_was_read import as_recorded

        inputs, read = as_recorded(versions, self.positions)
        return {"inputs": inputs, "partitions_read": read}

    def named(self, target: Target) -> str | None:
        """The target for an event about it: None where it is just what the step is called after."""
        text = target.text
        return None if text == self.step_id else text


class StepResult(msgspec.Struct):
    """The outcome of a step.

    `outputs` has what it materialized, by target. `values`, also by target, and `exception` exist
    only in the process that ran the step. `retry_in_s` is set if the step
    failed and is to run again. `reads` has what its call read without declaring it.
    """

    state: StepState
    events: list[Event]
    outputs: Mapping[Target, Materialization] = {}
    error: ErrorInfo | None = None
    retry_in_s: float | None = None
    reads: tuple[ObservedRead, ...] = ()
    values: Mapping[Target, Any] = {}
    exception: BaseException | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        kept = (self.state, self.events, self.outputs, self.error, self.retry_in_s, self.reads)
        from assetgraph.run.sent_exception import sent  # only for workers

        return _received, (kept, sent(self.exception) if self.exception is not None else None)


def inputs_of(step: Step, facts: StoreFacts) -> tuple[Input, ...]:
    """The upstream targets of a step as they are now: those that it loads, then the others."""
    reads: Iterable[tuple[str | None, tuple[Target, ...]]] = step.reads.items()
    if step.deps:
        reads = [*reads, (None, step.deps)]
    return tuple([_input(target, name, facts) for name, targets in reads for target in targets])


def positions_of(inputs: Iterable[Input], facts: StoreFacts) -> Mapping[AssetKey, int]:
    """For each asset with several partitions among `inputs`, how much of its history is known."""
    if not facts.graph.partitioned:
        return {}
    counts: dict[AssetKey, int] = {}
    for source in inputs:
        if source.target.partition is not None:
            counts[source.target.key] = counts.get(source.target.key, 0) + 1
    history = facts.store.history
    return {key: history.position(key) for key, count in counts.items() if count > 1}


def _input(target: Target, parameter: str | None, facts: StoreFacts) -> Input:
    known = facts.of(target)
    made = known.current
    assert made is not None  # a plan includes every upstream without a value
    version = known.data_version or made.data_version
    maker = facts.spec(target) if made.value.format == IO_MANAGED else None
    if target.partition is None:
        return Input(target, parameter, version, made.value, maker, made.run_id)
    partitions = facts.spec(target).partitions_def
    return Input(target, parameter, version, made.value, maker, made.run_id, partitions)


class Channel(Protocol):
    """Where a step reports to while it runs: the runner, in this process or another."""

    def started(self) -> None:
        """Called when the step holds its locks and its worker begins: its timeout starts."""

    def events(self, events: Sequence[Event]) -> None: ...

    def output(self, stream: str, text: str) -> None: ...

    def progress(self, done: float, total: float | None, unit: str) -> None: ...

    def canceled(self) -> bool:
        """Whether the run is ending: a step that waits for a lock then stops waiting."""

    def wanted(self) -> bool:
        """Asked before the step saves its values. False if nobody waits for them any longer."""

    def may_commit(self) -> bool:
        """Asked once, before the step records anything. False for an abandoned step."""


def _received(kept: tuple[Any, ...], exception: SentException | None) -> StepResult:
    """The result in another process. It has no exception if this process cannot make it anew; the
    result's `error` describes it."""
    result = StepResult(*kept)
    if exception is not None:
        from assetgraph.run.sent_exception import rebuilt

        result.exception = rebuilt(exception)
    return result
