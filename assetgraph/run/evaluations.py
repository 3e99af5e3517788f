"""What the function of a check returned, as one evaluation for each check of the step."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

from assetgraph.definitions.annotations import described
from assetgraph.definitions.check_results import AssetCheckResult
from assetgraph.definitions.checks import CheckNode
from assetgraph.definitions.metadata import metadata_json
from assetgraph.errors import CheckFailedError, ValueTypeError
from assetgraph.keys import Target
from assetgraph.records import Evaluation, Materialization, StepState, StoredValue, now
from assetgraph.run.step_outcome import report_success
from assetgraph.text import did_you_mean, listed

if TYPE_CHECKING:
    from assetgraph.definitions.context import AssetExecutionContext
    from assetgraph.run.step_task import StepResult, StepTask


def evaluate(
    task: StepTask,
    context: AssetExecutionContext | None,
    returned: Any,
    started: float,
    result: StepResult,
) -> None:
    """Put an evaluation of each check of the step into `result`.

    Raises `CheckFailedError` if a blocking check failed, and `ValueTypeError` if the function does
    not give one result for each. `result` then has the evaluations so far.
    """
    outputs: dict[Target, Materialization] = {}
    result.outputs = outputs
    versions = task.versions()
    for target, found in _by_check(task, returned):
        node = _node(task, target)
        added = dict(context.metadata_of(target.key)) if context is not None else {}
        outputs[target] = Materialization(
            run_id=task.run_id,
            timestamp=now(),
            value=StoredValue("none"),
            data_version="",
            code_version=task.code_version,
            config=dict(task.config),
            metadata={**added, **metadata_json(found.metadata, f"check {target.text!r}")},
            duration_s=round(time.perf_counter() - started, 6),
            partition=target.partition,
            evaluation=Evaluation(
                passed=found.passed,
                severity=found.severity.value,
                description=found.description,
                blocking=node.blocking,
            ),
            **task.made_from(target, versions),
        )
        started = time.perf_counter()  # for the next one
    _require_passed(outputs)
    report_success(task, result)
    result.state = StepState.SUCCESS


def _require_passed(outputs: dict[Target, Materialization]) -> None:
    failed = [
        one.text for one, made in outputs.items() if made.evaluation and made.evaluation.blocks
    ]
    if failed:
        checks = "check" if len(failed) == 1 else "checks"
        raise CheckFailedError(
            f"{len(failed)} blocking asset {checks} failed with ERROR severity: {listed(failed)}."
        )


def _by_check(task: StepTask, returned: Any) -> Iterator[tuple[Target, AssetCheckResult]]:
    seen: set[Target] = set()
    for found in _results(task, returned):
        target = _target(task, found)
        if target in seen:
            raise _refused(task, f"gave two results for {target.text!r}")
        seen.add(target)
        yield target, found
    missing = [repr(one.text) for one in task.outputs if one not in seen]
    if missing:
        raise _refused(task, f"gave no result for {listed(missing)}")


def _results(task: StepTask, returned: Any) -> Iterator[AssetCheckResult]:
    several = isinstance(returned, Iterator) or (
        len(task.outputs) > 1 and isinstance(returned, list | tuple)
    )
    for one in cast("Iterable[Any]", returned) if several else (returned,):
        if not isinstance(one, AssetCheckResult):
            raise _refused(task, f"{'gave' if several else 'returned'} {described(one)}")
        yield one


def _target(task: StepTask, found: AssetCheckResult) -> Target:
    """The check that a result is about. Raises `ValueTypeError`."""
    nodes = {target: _node(task, target) for target in task.outputs}
    names = [node.check_name for node in nodes.values()]
    if found.check_name is None and len(nodes) > 1:
        raise _refused(
            task,
            "gave a result that does not say which check it is of",
            f"Pass check_name=: {listed(list(map(repr, names)), 'or')}.",
        )
    alike = [
        target
        for target, node in nodes.items()
        if found.check_name in (None, node.check_name) and found.asset_key in (None, node.checks)
    ]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise _refused(
            task, f"gave a result of {found.check_name!r}, which is a check of several assets",
            "Pass asset_key= too.",
        )  # fmt: skip
    what = found.check_name or names[0]
    about = "" if found.asset_key is None else f" of the asset {found.asset_key.text!r}"
    meant = did_you_mean(what, [name for name in names if name != what])
    raise _refused(
        task,
        f"gave a result of {what!r}{about}, which is not one of its checks",
        meant or f"Its checks are {listed([target.text for target in nodes])}.",
    )


def _node(task: StepTask, target: Target) -> CheckNode:
    return cast("CheckNode", task.computation.spec(target.key))


def _refused(task: StepTask, what: str, hint: str | None = None) -> ValueTypeError:
    return ValueTypeError(
        f"the check {task.computation.name!r} {what}.",
        hint=hint
        or f"Return {AssetCheckResult.__name__}(passed=…)"
        + (" for each check, with its check_name=." if len(task.outputs) > 1 else "."),
    )
