"""`StepSink`: receives the log records, the output and the progress of one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from assetgraph.process.reads.recorder import Recorder


class StepSink(Protocol):
    """Receives what one step logs, prints and reports while it runs."""

    @property
    def reads(self) -> Recorder | None:
        """What is told what the step reads, unless that is not observed."""

    def log(self, level: str, message: str, data: dict[str, Any]) -> None:
        """Record one log message. `level` is a name of `logging`, such as "WARNING"."""

    def output(self, stream: str, text: str) -> None:
        """Record printed text. `stream` is "out" or "err"."""

    def progress(self, done: float, total: float | None, unit: str) -> None:
        """Report that `done` of `total` units are finished; `total` is None if unknown."""
