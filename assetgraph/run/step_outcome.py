"""How a step ended, as its result and its events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.errors import CheckFailedError
from assetgraph.keys import checked_asset
from assetgraph.process.secrets import any_hidden, mask_exception, masked, masked_data
from assetgraph.records import ErrorInfo, Event, EventType, StepState, now
from assetgraph.run.step_task import StepResult, StepTask
from assetgraph.text import listed, shorten

if TYPE_CHECKING:
    from collections.abc import Collection

    from assetgraph.keys import Target
    from assetgraph.records import Evaluation, Materialization
    from assetgraph.storage.store import Store

# Members of an enum: looking one up takes 0.2 µs in Python 3.11.
_OUTPUT, _MADE = EventType.STEP_OUTPUT, EventType.ASSET_MATERIALIZATION
_SUCCESS = EventType.STEP_SUCCESS
_MESSAGE_CELLS = 600
_MOST_NAMED = 10


def failed_step(
    task: StepTask, store: Store, error: BaseException, started: float | None = None
) -> StepResult:
    """The result of a step that `error` ended.

    It asks for another attempt if the step's retry policy, or the error itself, says so.
    """
    from assetgraph.code.tracebacks import definition_frame, error_info  # few steps fail
    from assetgraph.definitions.retries import retry_delay, retry_text

    mask_exception(error)
    info = error_info(error, str(store.project_root))
    function = task.computation.plain_function
    about_function = not isinstance(error, CheckFailedError)  # but about the data
    if not info.frames and function is not None and about_function:  # about what it returned
        place = definition_frame(function.__code__, str(store.project_root))
        info = msgspec.structs.replace(info, frames=(place,))
    if any_hidden():
        info = masked_error(info)
    retry_in_s = retry_delay(error, task.computation.retry_policy, task.attempt)
    data = {"error": msgspec.to_builtins(info), "attempt": task.attempt}
    if started is not None:
        data["duration_s"] = round(time.perf_counter() - started, 6)
    kind, level, text = EventType.STEP_FAILURE, "ERROR", f"{info.type}: {info.message}"
    if retry_in_s is not None:
        kind, level = EventType.STEP_UP_FOR_RETRY, "WARNING"
        data["retry_in_s"] = round(retry_in_s, 3)
        retry = retry_text(error, task.computation.retry_policy, task.attempt, retry_in_s)
        text = f"{retry}, after {text}"
    text = shorten(text, _MESSAGE_CELLS)  # the data has the whole message
    event = Event(kind, now(), task.step_id, level, text, data)
    return StepResult(
        StepState.FAILURE, [event], error=info, retry_in_s=retry_in_s, exception=error
    )


def masked_error(info: ErrorInfo) -> ErrorInfo:
    """The record of an error without secret values."""
    frames = tuple(
        msgspec.structs.replace(frame, source=masked_data(frame.source)) for frame in info.frames
    )
    return msgspec.structs.replace(
        info,
        message=masked(info.message),
        trace=masked(info.trace),
        hint=masked_data(info.hint),
        causes=masked_data(info.causes),
        frames=frames,
    )


def report_success(task: StepTask, result: StepResult) -> None:
    """Add the events for each target that the step materialized, and for its success."""
    _report_outputs(task, result)
    result.events.append(Event(_SUCCESS, now(), task.step_id))


def part_of_step(task: StepTask, result: StepResult, failed: StepResult) -> StepResult:
    """The result `failed` with what the step did before, as `result` has it."""
    if result.outputs and (task.computation.is_check or len(result.outputs) == len(task.outputs)):
        _report_outputs(task, result)
    elif result.outputs:
        report_part(task, result, "failed")
    failed.events[:0] = result.events
    failed.outputs = result.outputs
    return failed


def report_part(task: StepTask, result: StepResult, end: str) -> None:
    """Add the events for what a step materialized before its `end`, and say what is missing."""
    _report_outputs(task, result)
    assets = [target for target in task.outputs if checked_asset(target.key) is None]
    several = len({target.key for target in assets}) > 1
    made = [target for target in result.outputs if checked_asset(target.key) is None]
    if len(assets) > 1 and made:
        text = (
            f"{len(made)} of {len(assets)} {'assets' if several else 'partitions'} "
            f"were materialized before it {end}: {_named(made, several)}"
        )
        if several and len(made) < len(assets):
            left = [target for target in assets if target not in result.outputs]
            text += f". Missing: {_named(left, several)}"
        result.events.append(Event(EventType.LOG, now(), task.step_id, "WARNING", text))


def _named(targets: Collection[Target], several: bool) -> str:
    """The first of some targets by name: partitions of one asset by their keys."""
    first = [*targets][:_MOST_NAMED]
    more = len(targets) - len(first)
    names = [target.text if several else str(target.partition) for target in first]
    return f"{', '.join(names)} and {more} more" if more > 0 else listed(names)


def _report_outputs(task: StepTask, result: StepResult) -> None:
    for target, made in result.outputs.items():
        if made.evaluation is not None:
            result.events.append(_evaluation_event(task, target, made, made.evaluation))
            continue
        output: dict[str, Any] = {"format": made.value.format}
        if made.value.size is not None:
            output["size"] = made.value.size
        if made.value.path is not None:
            output["path"] = made.value.path
        what: dict[str, Any] = {"data_version": made.data_version}
        if made.metadata:
            what["metadata"] = made.metadata
        if made.tags:
            what["tags"] = made.tags
        name = task.named(target)
        at = made.timestamp
        result.events += (
            Event(_OUTPUT, at, task.step_id, data=output, target=name),
            Event(_MADE, at, task.step_id, data=what, target=name),
        )


def _evaluation_event(
    task: StepTask, target: Target, made: Materialization, found: Evaluation
) -> Event:
    data = msgspec.to_builtins(found)
    if made.metadata:
        data["metadata"] = made.metadata
    level = "INFO" if found.passed else {"WARN": "WARNING"}.get(found.severity, "ERROR")
    kind, named = EventType.ASSET_CHECK_EVALUATION, task.named(target)
    return Event(kind, made.timestamp, task.step_id, level, data=data, target=named)
