"""Notices a step that changes a file which its upstream returned.

The file stays where the upstream wrote it, so such a step makes its own upstream stale, each time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from assetgraph.records import Event, EventType, now
from assetgraph.storage.formats.format_registry import location_of

if TYPE_CHECKING:
    from assetgraph.run.step_task import Input, StepTask
    from assetgraph.storage.store import Store

_Stamp = tuple[int, int, int] | None


class InputFiles:
    """The returned files and folders that a step reads, each with its stamp before the call."""

    def __init__(self, task: StepTask, store: Store) -> None:
        self._step = task.step_id
        self._store = store
        self._before = [
            (one, _stamp(one, store))
            for one in task.inputs
            if one.stored.path is not None and location_of(one.stored) == "project"
        ]

    def changes(self) -> Iterator[Event]:
        """A warning for each file whose content became another. Only one with a new stamp is
        read."""
        for source, before in self._before:
            if _stamp(source, self._store) == before:
                continue
            condition = self._store.values.check(source.stored)
            if condition == "intact":
                continue
            what = "is gone" if condition == "gone" else "has changed"
            name = source.target.text
            message = (
                f"{source.stored.path}, which {name} returned, {what} since this step began. So "
                f"{name} is not up to date. Write to another file instead."
            )
            yield Event(EventType.LOG, now(), self._step, "WARNING", message, {})


def _stamp(source: Input, store: Store) -> _Stamp:
    try:
        found = os.stat(os.path.join(store.project_root, source.stored.path or ""))
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
