"""`AssetCheckExecutionContext`: what a check's function can use while it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from assetgraph.definitions.context import AssetExecutionContext, ContextStep

if TYPE_CHECKING:
    from datetime import datetime

    from assetgraph.process.step_sink import StepSink


class CheckStep(ContextStep, Protocol):
    """The step that a check's context is about."""

    @property
    def computation(self) -> Any: ...
    @property
    def run_id(self) -> str: ...
    @property
    def attempt(self) -> int: ...


class Past(Protocol):
    """What the store knows of a check and of its asset."""

    def metadata(self) -> Iterator[Mapping[str, Any]]: ...
    def updated_at(self) -> datetime | None: ...


class AssetCheckExecutionContext(AssetExecutionContext):
    """The current step, as seen by the function of a check.

        @asset_check(asset=trips)
        def not_empty(context: AssetCheckExecutionContext, trips): ...

    It has what an `AssetExecutionContext` has. `asset_key` is the asset that is checked: of several
    checks, that of the first.
    """

    past: Past | None = None

    def past_metadata(self) -> Iterator[Mapping[str, Any]]:
        """The metadata that this check recorded before, newest first, once for each value that it
        looked at. Empty in a call without a run."""
        return iter(()) if self.past is None else self.past.metadata()

    def asset_updated_at(self) -> datetime | None:
        """When the asset was last materialized, observed or reported, or its file was changed.
        None if it never was, and in a call without a run."""
        return None if self.past is None else self.past.updated_at()


def check_context(step: CheckStep, sink: StepSink, past: Past) -> AssetCheckExecutionContext:
    """The context of a step of checks."""
    first = step.computation.specs[0]
    context = AssetCheckExecutionContext(
        getattr(first, "checks", first.key),
        step.run_id,
        sink,
        retry_number=step.attempt - 1,
        step=step,
    )
    context.past = past
    return context
