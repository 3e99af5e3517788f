"""What the store knows of a check and of its asset, for the check's own function."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.check_context import AssetCheckExecutionContext, check_context
from assetgraph.keys import Target, checked_asset
from assetgraph.records import Materialization

if TYPE_CHECKING:
    from assetgraph.process.step_sink import StepSink
    from assetgraph.run.step_task import StepTask
    from assetgraph.storage.store import Store


def context_of_check(task: StepTask, store: Store, sink: StepSink) -> AssetCheckExecutionContext:
    """The context of a step of checks."""
    return check_context(task, sink, CheckPast(task, store))


class CheckPast:
    """What the store knows of the first check of a step."""

    def __init__(self, task: StepTask, store: Store) -> None:
        self._task = task
        self._store = store

    def metadata(self) -> Iterator[Mapping[str, Any]]:
        """The metadata of earlier evaluations, newest first: of each value, and never of the one
        that the check looks at now."""
        seen = [self._task.made_from(self._check, self._task.versions())["inputs"]]
        for attempt in self._store.history.readable(self._check):
            if isinstance(attempt, Materialization) and attempt.inputs not in seen:
                seen.append(attempt.inputs)
                yield attempt.metadata

    def updated_at(self) -> datetime | None:
        asset = checked_asset(self._check.key)
        assert asset is not None
        partition = self._check.partition
        of = asset if partition is None else Target(asset, partition)
        for attempt in self._store.history.readable(of):
            if isinstance(attempt, Materialization):
                return attempt.timestamp
        return self._file_changed_at()

    def _file_changed_at(self) -> datetime | None:
        """When the file was changed that the asset is, if it is one that something else writes."""
        paths = [one.stored.path for one in self._task.inputs if one.stored.path is not None]
        for path in paths:
            try:
                stamp = os.stat(os.path.join(self._store.project_root, path)).st_mtime
            except OSError:
                continue
            return datetime.fromtimestamp(stamp, UTC)
        return None

    @property
    def _check(self) -> Target:
        return self._task.outputs[0]
