"""What the function of a check returned, as one evaluation for each check of the step."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from assetgraph.definitions.annotations import described
from assetgraph.definitions.check_nodes import CheckNode
from assetgraph.definitions.check_results import AssetCheckResult
from assetgraph.definitions.metadata import metadata_json
from assetgraph.errors import CheckFailedError, ValueTypeError
from assetgraph.keys import Target
from assetgraph.process.secrets import masked_data
from assetgraph.records import Evaluation, Materialization, StepState, StoredValue, now
from assetgraph.run.step_outcome import report_success
from assetgraph.text import did_you_mean, first_line, listed, shorten

if TYPE_CHECKING:
    from assetgraph.definitions.context import AssetExecutionContext
    from assetgraph.run.step_task import StepResult, StepTask


_FOUND_CELLS = 200


def evaluate(
    task: StepTask,
    context: AssetExecutionContext | None,
    returned: Any,
    started: float,
    result: StepResult,
) -> None:
    """Put an evaluation of each check of the step into `result`.

    Raises `CheckFailedError` if a blocking check failed; `result` then has the evaluations. Raises
    `ValueTypeError` if the function does not give one result for each: then none counts, and
    neither if it raises.
    """
    outputs: dict[Target, Materialization] = {}
    added = dict(context.output_metadata) if context is not None else {}
    checks = FoundChecks(task)
    for one in _results(task, returned):
        for target, found in checks.take([one]):
            outputs[target] = evaluation_record(task, target, found, started, added)
            started = time.perf_counter()  # for the next one
    checks.require_complete()
    result.outputs = outputs
    checks.require_passed()
    report_success(task, result)
    result.state = StepState.SUCCESS


def evaluation_record(
    task: StepTask,
    target: Target,
    found: AssetCheckResult,
    started: float,
    added: Mapping[str, Any],
) -> Materialization:
    """The uncommitted record of what a check found."""
    return Materialization(
        run_id=task.run_id,
        timestamp=now(),
        value=StoredValue("none"),
        data_version="",
        code_version=task.code_version,
        config=dict(task.config),
        metadata=masked_data({**added, **metadata_json(found.metadata, f"check {target.text!r}")}),
        duration_s=round(time.perf_counter() - started, 6),
        partition=target.partition,
        resources=dict(task.taken.recorded),
        evaluation=Evaluation(
            passed=found.passed,
            severity=found.severity.value,
            description=masked_data(found.description),
            blocking=_node(task, target).blocking,
        ),
        **task.made_from(target, task.versions()),
    )


class FoundChecks:
    """Which of the checks of a step have a result. Methods raise `ValueTypeError`."""

    def __init__(self, task: StepTask) -> None:
        self._task = task
        self._seen: set[Target] = set()
        self.given_twice: set[Target] = set()
        self._failed: list[str] = []  # the blocking ones

    def take(self, given: list[AssetCheckResult]) -> Iterator[tuple[Target, AssetCheckResult]]:
        """Each of `given`, which is then empty, with the check that it is of."""
        while given:
            found = given.pop(0)
            target = _target(self._task, found)
            if target in self._seen:
                self.given_twice.add(target)
                raise _refused(self._task, f"gave two results for {target.text!r}")
            self._seen.add(target)
            fails = not found.passed and found.severity == "ERROR"
            if fails and _node(self._task, target).blocking:
                self._failed.append(target.text + _found_text(found))
            yield target, found

    def require_complete(self) -> None:
        missing = [repr(one.text) for one in self._task.outputs if one not in self._seen]
        if missing:
            raise _refused(self._task, f"gave no result for {listed(missing)}")

    def require_passed(self) -> None:
        """Raise `CheckFailedError` if a blocking check failed."""
        if self._failed:
            checks = "check" if len(self._failed) == 1 else "checks"
            raise CheckFailedError(
                f"{len(self._failed)} blocking asset {checks} failed with ERROR severity: "
                f"{listed(self._failed)}."
            )


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
    return ValueTypeError(f"the {task.computation.label} {what}.", hint=hint or _returned(task))


def _returned(task: StepTask) -> str:
    """What the function of the step should return."""
    several = len(task.outputs) > 1
    if task.computation.is_check:
        each = " for each check, with its check_name=." if several else "."
        return f"Return AssetCheckResult(passed=…){each}"
    one = f"AssetCheckResult({'check_name=…, ' if several else ''}passed=…)"
    return (
        f"Return MaterializeResult(value=…, check_results=[{one}{', …' if several else ''}]), or "
        f"yield {one} beside what it makes."
    )


def _found_text(found: AssetCheckResult) -> str:
    """What a check says of itself, for a message: its description, or else its metadata."""
    if not (found.description or found.metadata):
        return ""
    from assetgraph.queries.event_text import metadata_text

    said = found.description or metadata_text(metadata_json(found.metadata, "check"))
    text = first_line(masked_data(said)).rstrip(".")
    return f" ({shorten(text, _FOUND_CELLS)})" if text else ""
