"""`AssetCheckExecutionContext`: what a check's function can use while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from assetgraph.definitions.context import AssetExecutionContext, ContextStep

if TYPE_CHECKING:
    from assetgraph.process.step_sink import StepSink


class CheckStep(ContextStep, Protocol):
    """The step that a check's context is about."""

    @property
    def computation(self) -> Any: ...
    @property
    def run_id(self) -> str: ...
    @property
    def attempt(self) -> int: ...


class AssetCheckExecutionContext(AssetExecutionContext):
    """The current step, as seen by the function of a check.

        @asset_check(asset=trips)
        def not_empty(context: AssetCheckExecutionContext, trips): ...

    It has what an `AssetExecutionContext` has. `asset_key` is the asset that is checked: of several
    checks, that of the first.
    """


def check_context(step: CheckStep, sink: StepSink) -> AssetCheckExecutionContext:
    """The context of a step of checks."""
    first = step.computation.specs[0]
    return AssetCheckExecutionContext(
        getattr(first, "checks", first.key),
        step.run_id,
        sink,
        retry_number=step.attempt - 1,
        step=step,
    )
