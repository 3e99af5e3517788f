"""`RunOutcome`: a run that ended, as the process that ran it knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assetgraph.errors import AssetGraphError
from assetgraph.records import ErrorInfo, RunRecord


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """A run that ended: its summary, and the errors of its failed steps by id, first to fail first.

    `exceptions` holds those that were raised in this process.
    """

    record: RunRecord
    errors: Mapping[str, ErrorInfo]
    exceptions: Mapping[str, BaseException]

    def first_exception(self) -> BaseException:
        """What the first failing step raised. If that stayed in another process, its record as an
        exception."""
        step_id, error = next(iter(self.errors.items()))
        return self.exceptions.get(step_id) or AssetGraphError(
            f"asset {step_id!r} failed: {error.type}: {error.message}"
        )
