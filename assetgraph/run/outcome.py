"""`RunOutcome`: how a run ended, as known to the process that ran it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from assetgraph.errors import AssetGraphError
from assetgraph.records import ErrorInfo, RunRecord


class RunOutcome(msgspec.Struct, frozen=True):
    """How a run ended: its summary, and the errors of its failed steps by step id, in the order in
    which they failed.

    `exceptions` holds the exceptions of the steps that failed in this process. `note` is what a
    person should know that is in no record.
    """

    record: RunRecord
    errors: Mapping[str, ErrorInfo]
    exceptions: Mapping[str, BaseException]
    note: str = ""

    def first_exception(self) -> BaseException:
        """The exception of the step that failed first. If it stayed in another process, an
        `AssetGraphError` that describes it."""
        step_id, error = next(iter(self.errors.items()))
        return self.exceptions.get(step_id) or AssetGraphError(
            f"asset {step_id!r} failed: {error.type}: {error.message}"
        )
