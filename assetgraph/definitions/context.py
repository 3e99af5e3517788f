"""`AssetExecutionContext`: what an asset's function can use while it runs."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.metadata import metadata_json
from assetgraph.errors import MetadataError

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

    from assetgraph.keys import AssetKey
    from assetgraph.process.step_sink import StepSink


class AssetExecutionContext:
    """The current step, as seen by its asset's function.

        @asset
        def trips(context: AssetExecutionContext):
            context.log.info("downloading")

    It is passed to a parameter with this annotation, or with the name `context`. `asset_key` is the
    asset, `run_id` the run, and `retry_number` how often this step was retried: 0 at first.
    """

    def __init__(
        self,
        asset_key: AssetKey,
        run_id: str,
        sink: StepSink,
        *,
        retry_number: int = 0,
        several: bool = False,
    ) -> None:
        self.asset_key = asset_key
        self.run_id = run_id
        self.retry_number = retry_number
        self._sink = sink
        self._several = several  # whether the call materializes several assets
        self._metadata: dict[str, Any] = {}

    @cached_property
    def log(self) -> logging.Logger:
        """A standard logger, whose records become events of the step."""
        import logging

        from assetgraph.process.logs import SinkHandler

        logger = logging.Logger(self.asset_key.text, logging.DEBUG)
        logger.addHandler(SinkHandler(self._sink))
        return logger

    def add_output_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Record `metadata` with the value, in addition to earlier calls.

        A later value for the same name wins. Raises `MetadataError` for a value that cannot be
        recorded, and in a function of several assets.
        """
        if self._several:
            raise MetadataError(
                "add_output_metadata does not say which of the function's assets it is about.",
                hint="Return a MaterializeResult with its own metadata for each asset.",
            )
        self._metadata.update(metadata_json(metadata, self.asset_key.text))

    def progress(self, done: float, total: float | None = None, unit: str = "") -> None:
        """Report progress: `done` of `total`, or of an unknown total.

        The unit "B" is shown as bytes with a speed.
        """
        self._sink.progress(done, total, unit)

    @property
    def output_metadata(self) -> Mapping[str, Any]:
        """The metadata added so far, in its recorded form."""
        return self._metadata
