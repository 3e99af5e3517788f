"""The computing part of a step: load the inputs, call the function, save its value.

It commits nothing, so it can run on a different machine than the one that holds the asset's lock.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from assetgraph.definitions.annotations import EMPTY
from assetgraph.definitions.deep_types import require_result
from assetgraph.definitions.metadata import RESULTS
from assetgraph.errors import AssetGraphError, StoreError
from assetgraph.keys import Target
from assetgraph.process.capture import begin_output, end_output
from assetgraph.process.secrets import masked_data
from assetgraph.records import Event, EventType, Materialization, ObservedRead, StepState, now
from assetgraph.run.step_outcome import failed_step, part_of_step, report_success
from assetgraph.run.step_recorder import StepRecorder
from assetgraph.run.step_task import Channel, StepResult, StepTask
from assetgraph.storage.value_store import IMMUTABLE, Saved

if TYPE_CHECKING:
    from assetgraph.definitions.context import AssetExecutionContext
    from assetgraph.run.changed_inputs import InputFiles
    from assetgraph.run.step_task import Input
    from assetgraph.storage.store import Store

# Commits the record of one output, with what the step has read so far, and returns that record.
Commit = Callable[[Target, Materialization, tuple[ObservedRead, ...]], Materialization]
# Members of enums: looking one up takes 0.2 µs in Python 3.11.
_LOADED, _SUCCESS, _FAILURE = EventType.LOADED_INPUT, StepState.SUCCESS, StepState.FAILURE
_NOT_PASSED = object()
_GENERATORS = (GeneratorType, AsyncGeneratorType)
_forks = 0  # how many forks lie between the program's start and this process


def compute_step(
    task: StepTask, store: Store, channel: Channel, commit: Commit | None = None
) -> StepResult:
    """Load the inputs, call the function and save its values.

    Commits nothing itself. `commit` is called with the record of each partition that the function
    yields, as soon as its value is saved.
    """
    started = time.perf_counter()
    result = StepResult(_FAILURE, [])
    sink = StepRecorder(task, store, channel, result.events)
    context = _context(task, store, sink) if task.computation.context_parameter else None
    try:
        outside = begin_output(sink)
        try:
            if task.computation.code_version is not None and not store.ephemeral:
                # Before the call, because a worker has not computed it yet: changes that the step
                # makes to its own classes must not count.
                store.code.version(task.computation)
            task, opened = _opened(task, sink, channel, context)
            arguments = arguments_of(task, store, context, result.events) | opened
            files = _input_files(task, store)
            returned = _call(task.computation.function, arguments)
            result.events += files.changes() if files is not None else ()
            if not channel.wanted():
                return StepResult(StepState.CANCELED, [])
            keep = _evaluate if task.computation.is_check else _save
            keep(task, store, context, returned, started, result, sink, commit)
        finally:
            end_output(sink, outside)
    except KeyboardInterrupt:
        _keep_reads(task, store, sink)
        raise
    except BaseException as error:
        result = part_of_step(task, result, failed_step(task, store, error, started))
    finally:
        sink.close()
    result.reads = _reads(task, store, sink, result.state, result.outputs)
    return result


def _evaluate(task: StepTask, _store: Store, *found: Any) -> None:
    from assetgraph.run.evaluations import evaluate  # most steps make assets

    evaluate(task, *found[:4])


def _context(task: StepTask, store: Store, sink: StepRecorder) -> AssetExecutionContext:
    if task.computation.is_check:
        from assetgraph.run.check_past import context_of_check

        return context_of_check(task, store, sink)
    from assetgraph.definitions.context import AssetExecutionContext

    return AssetExecutionContext(
        task.outputs[0].key,
        task.run_id,
        sink,
        retry_number=task.attempt - 1,
        step=task,
    )


def _opened(
    task: StepTask, sink: StepRecorder, channel: Channel, context: AssetExecutionContext | None
) -> tuple[StepTask, dict[str, Any]]:
    """The task with its IO managers opened, and the resources for its parameters."""
    if not task.taken.resources:
        return task, {}
    from assetgraph.run.open_resources import open_resources

    return open_resources(task, sink, channel, context)


def _reads(
    task: StepTask,
    store: Store,
    sink: StepRecorder,
    state: StepState,
    made: Mapping[Target, Materialization],
) -> tuple[ObservedRead, ...]:
    """What the step has read without declaring it, until it `made` these values.

    Raises `StoreError`, but not of a step that failed: its own error matters more.
    """
    if not sink.has_read():
        return ()
    from assetgraph.run.observed_reads import observed_reads  # few steps read anything

    assert sink.reads is not None
    try:
        return observed_reads(sink.reads, task, store, made)
    except StoreError:
        if state is _SUCCESS:
            raise
        return ()


def _keep_reads(task: StepTask, store: Store, sink: StepRecorder) -> None:
    """Have what a cache keeps count for later steps, though this one is interrupted."""
    if sink.has_read() and sink.reads is not None and sink.reads.kept:
        _reads(task, store, sink, StepState.CANCELED, {})


def arguments_of(
    task: StepTask, store: Store, context: AssetExecutionContext | None, events: list[Event]
) -> dict[str, Any]:
    """The arguments of the step's function, by parameter. What was loaded is added to `events`."""
    computation = task.computation
    arguments: dict[str, Any] = {}
    if computation.context_parameter:
        arguments[computation.context_parameter] = context
    if computation.config_parameter is not None:
        arguments[computation.config_parameter.name] = _config(task)
    inputs = computation.inputs
    if not inputs:
        return arguments
    annotations = {parameter.name: parameter.annotation for parameter in inputs}
    passed, step_id, several = task.passed, task.step_id, task.gathered
    if computation.partition_columns:
        several |= computation.partition_columns.keys()
    loaded_at = now()  # of what is here already
    for source in task.inputs:
        name = source.parameter
        if name is None or name in several:
            continue
        target, wanted = source.target, annotations[name]
        if target in passed and wanted is EMPTY and type(passed[target]) in IMMUTABLE:
            arguments[name] = passed[target]
        else:
            arguments[name] = _loaded(task, store, source, wanted)
            loaded_at = now()
        events.append(Event(_LOADED, loaded_at, step_id, "INFO", None, {"upstream": target.text}))
    for parameter in inputs:
        if parameter.name in several:
            from assetgraph.run.partition_inputs import gathered_input

            arguments[parameter.name], read = gathered_input(task, store, parameter, _loaded)
            if read is not None:
                events.append(Event(_LOADED, now(), step_id, "INFO", None, read))
        elif parameter.name not in arguments:
            arguments[parameter.name] = None  # the first partition of what reads the one before
    return arguments


def _config(task: StepTask) -> Any:
    from assetgraph.definitions.config_values import build_config

    kind = task.computation.config_type
    assert kind is not None
    return build_config(kind, task.config, task.computation.name)


def _loaded(task: StepTask, store: Store, source: Input, wanted: Any) -> Any:
    """One input as its annotation asks."""
    value = task.passed.get(source.target, _NOT_PASSED)
    try:
        if value is not _NOT_PASSED:
            return store.values.adapt(value, wanted)
        return store.values.load_output(
            source.stored,
            wanted,
            run_id=source.run_id,
            maker=source.maker,
            partition=source.target.partition,
        )
    except AssetGraphError as error:
        error.about(_parameter(task, source))
        raise


def _parameter(task: StepTask, source: Input) -> str:
    name, read = source.parameter, source.target.text
    other = "" if read == name else f", which reads {read!r}"
    return f"parameter {name!r} of {task.computation.label}{other}"


def _input_files(task: StepTask, store: Store) -> InputFiles | None:
    for source in task.inputs:
        if source.stored.path is not None:
            from assetgraph.run.changed_inputs import InputFiles

            return InputFiles(task, store)
    return None


def _call(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    forks = _forks
    try:
        returned = function(**arguments)
        if not isinstance(returned, CoroutineType):
            return returned
        from assetgraph.run.async_call import awaited

        return awaited(returned)
    finally:
        if _forks != forks:  # this is a child that the function forked: only its parent is the step
            _end_child(sys.exception())


def _count_fork() -> None:
    global _forks
    _forks += 1


os.register_at_fork(after_in_child=_count_fork)


def _end_child(error: BaseException | None) -> NoReturn:
    """End a forked process the way `sys.exit`, an error or the end of a program does."""
    if error is not None and not isinstance(error, SystemExit):
        sys.excepthook(type(error), error, error.__traceback__)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    code = error.code if isinstance(error, SystemExit) else int(error is not None)
    os._exit(code if isinstance(code, int) else int(code is not None))


def _save(
    task: StepTask,
    store: Store,
    context: AssetExecutionContext | None,
    returned: Any,
    started: float,
    result: StepResult,
    sink: StepRecorder,
    commit: Commit | None,
) -> None:
    """Store the returned value of each output. What a function yields counts one by one: if it
    fails later, `result` has what is stored."""
    outputs: dict[Target, Materialization] = {}
    values: dict[Target, Any] = {}
    made_from = partial(task.made_from, versions=task.versions())
    in_parts = task.computation.makes_several_partitions
    several = in_parts or len(task.outputs) > 1
    each, yields = _values(task, returned)
    save = _saved if not task.computation.makes_checks else _saved_or_evaluated
    share = 0.0  # of the time of the call, for each partition that it returned
    if yields:
        result.outputs = outputs
    elif in_parts:
        share = (time.perf_counter() - started) / len(task.outputs)
        started = time.perf_counter() - share
    for target, one in each:
        made, value = save(task, store, context, target, one, started, result.events, made_from)
        if not yields:
            values[target] = value  # of what is yielded, one at a time is in memory
        elif commit is not None and made.evaluation is None:
            reads = _reads(task, store, sink, _SUCCESS, {target: made})
            made = commit(target, made, reads)
        outputs[target] = made
        if several:
            started = time.perf_counter() - share  # for the next one
    result.outputs, result.values = outputs, values
    report_success(task, result)
    result.state = _SUCCESS


def _values(task: StepTask, returned: Any) -> tuple[Iterable[tuple[Target, Any]], bool]:
    """Each output with the value returned for it, and whether they come as the function yields
    them.

    Raises `ValueTypeError` if the value contradicts the return annotation, or if a function of
    several assets or a step of several partitions does not return one for each.
    """
    computation = task.computation
    if computation.makes_checks:
        from assetgraph.run.check_results import values_and_results

        return values_and_results(task, returned, _values), True
    if len(computation.specs) == 1 and computation.returns is not EMPTY:
        require_result(computation.name, returned, computation.returns)
    if len(task.outputs) > 1 or computation.makes_several_partitions or computation.is_multi:
        from assetgraph.run.several_outputs import values_of_each

        return values_of_each(task, returned)
    target = task.outputs[0]
    if type(returned) in _GENERATORS:
        from assetgraph.run.named_outputs import result_of_one

        results, returned = result_of_one(task, returned)
        if results is not None:
            return ((target, one) for one in results), False
    if task.gathered:
        from assetgraph.run.partition_inputs import as_stored

        returned = as_stored(returned)
    return ((target, returned),), False


def _saved_or_evaluated(task: StepTask, *given: Any) -> tuple[Materialization, Any]:
    """As `_saved`, of a step that also makes checks."""
    from assetgraph.run.check_results import evaluated

    return evaluated(task, given[2], given[3], given[4]) or _saved(task, *given)


def _saved(
    task: StepTask,
    store: Store,
    context: AssetExecutionContext | None,
    target: Target,
    returned: Any,
    started: float,
    events: list[Event],
    made_from: Callable[[Target], dict[str, Any]],
) -> tuple[Materialization, Any]:
    """The uncommitted record of one output, and its value."""
    value, version = returned, None
    metadata: dict[str, Any] = {}
    tags: dict[str, str] = {}
    if isinstance(returned, RESULTS):
        from assetgraph.run.named_outputs import parts_of  # most give values alone

        value, version, metadata, tags = parts_of(task, target, returned)
    added = dict(context.metadata_of(target.key)) if context is not None else {}
    saved = _stored(task, store, target, value, added)
    metadata = masked_data({**saved.metadata, **added, **metadata})
    if "columns" in metadata and any(task.known_run_ids):
        from assetgraph.run.changed_columns import compare_columns

        compare_columns(task, store, target, metadata, events)
    made = Materialization(
        run_id=task.run_id,
        timestamp=now(),
        value=msgspec.structs.replace(saved.stored, class_digest=None) if version else saved.stored,
        data_version=version or saved.data_version,
        code_version=task.code_version,
        config=dict(task.config),
        metadata=metadata,
        duration_s=round((time.perf_counter() - started) * 1e6) / 1e6,
        partition=target.partition,
        resources=dict(task.taken.recorded),
        tags=tags,
        **made_from(target),
    )
    return made, value


def _stored(
    task: StepTask, store: Store, target: Target, value: Any, metadata: dict[str, Any]
) -> Saved:
    """What is stored of one output. Its IO manager may add to `metadata`."""
    spec = task.computation.spec(target.key)
    if spec.io_manager is None or value is None:
        class_version = None if store.ephemeral else store.code.class_version
        return store.values.save(target, task.run_id, value, class_version=class_version)
    from assetgraph.run.io_managers import handled  # few assets have one

    return handled(spec, task, target, value, metadata)
