"""Notices a step that changes a file which its upstream returned.

The file stays where the upstream wrote it, so such a step makes its own upstream stale, each time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from assetgraph.records import Event, EventType, now
from assetgraph.storage.formats.format_registry import location_of

if TYPE_CHECKING:
    from assetgraph.run.step_task import Input, StepTask
    from assetgraph.storage.store import Store

_Stamp = tuple[int, int, int] | None


def input_files(task: StepTask, store: Store) -> list[tuple[Input, _Stamp]]:
    """The returned files and folders that the step reads, each with its present stamp."""
    return [
        (one, _stamp(one, store))
        for one in task.inputs
        if one.stored.path is not None and location_of(one.stored) == "project"
    ]


def changed_inputs(
    task: StepTask, store: Store, files: Sequence[tuple[Input, _Stamp]]
) -> Iterator[Event]:
    """A warning for each of these files whose content became another. Only a file with a new stamp
    is read."""
    for source, before in files:
        if _stamp(source, store) == before:
            continue
        condition = store.values.check(source.stored)
        if condition == "intact":
            continue
        what = "is gone" if condition == "gone" else "has changed"
        message = (
            f"{source.stored.path}, which {source.target.text} returned, {what} since this step "
            f"began. So {source.target.text} is not up to date. Write to another file instead."
        )
        yield Event(EventType.LOG, now(), task.step_id, "WARNING", message, {})


def _stamp(source: Input, store: Store) -> _Stamp:
    try:
        found = os.stat(os.path.join(store.project_root, source.stored.path or ""))
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
