"""`AssetExecutionContext`: what a step offers to the function that it runs."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.metadata import metadata_json

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

    from assetgraph.keys import AssetKey
    from assetgraph.process.step_sink import StepSink


class AssetExecutionContext:
    """Given to a parameter annotated with this class, or named `context`.

    `run_id` and `asset_key` say what is being made; `retry_number` counts from 0; `log` is a
    standard logger whose records become events of the step.
    """

    def __init__(
        self, asset_key: AssetKey, run_id: str, sink: StepSink, *, retry_number: int = 0
    ) -> None:
        self.asset_key = asset_key
        self.run_id = run_id
        self.retry_number = retry_number
        self._sink = sink
        self._metadata: dict[str, Any] = {}

    @cached_property
    def log(self) -> logging.Logger:
        import logging

        from assetgraph.process.capture import SinkHandler

        logger = logging.Logger(self.asset_key.text, logging.DEBUG)
        logger.addHandler(SinkHandler(self._sink))
        return logger

    def add_output_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Record `metadata` with the value, beside what was added before.

        Raises `MetadataError` for a value that cannot be recorded.
        """
        self._metadata.update(metadata_json(metadata))

    def progress(self, done: float, total: float | None = None, unit: str = "") -> None:
        """Say how far the step is: `done` of `total`, which may not be known yet. The unit "B"
        is shown as bytes with a speed."""
        self._sink.progress(done, total, unit)

    @property
    def output_metadata(self) -> Mapping[str, Any]:
        """What was added, as it will be recorded."""
        return self._metadata
