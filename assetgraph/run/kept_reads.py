"""What functions of the project have read in this process and keep, as a cache does.

A step whose code covers such a function has its reads too, though another step was the first to
call it, and the only one that really read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from assetgraph.process.reads.recorder import kept_so_far
from assetgraph.records import ObservedRead, ReadKind

if TYPE_CHECKING:
    from assetgraph.process.reads.recorder import Recorder
    from assetgraph.run.step_task import StepTask
    from assetgraph.storage.store import Store

_PARTS = {
    "files": (ReadKind.FILE, ReadKind.WRITTEN),
    "listings": (ReadKind.FOLDER,),
    "patterns": (ReadKind.PATTERN,),
    "variables": (ReadKind.VARIABLE,),
}


def keep(recorder: Recorder, reads: Sequence[ObservedRead]) -> None:
    """Remember what those functions read in a step that has ended."""
    if not recorder.kept:
        return
    by_key = {(read.kind, read.name): read for read in reads}
    for keeper, items in tuple(recorder.kept.items()):
        known = kept_so_far.setdefault(keeper, {})
        for part, key in items:
            name = key if part == "variables" else recorder.rules.name(key)
            found = (by_key.get((kind, name)) for kind in _PARTS[part])
            known.update(((read.kind, read.name), read) for read in found if read is not None)


def kept_for(task: StepTask, store: Store, own: Sequence[ObservedRead]) -> Iterator[ObservedRead]:
    """What such functions that the step's code covers have read, beyond what it read itself."""
    known = {(read.kind, read.name) for read in own}
    covered = [
        (one.file, one.line, one.name) for one in store.code.covers(task.computation) if one.file
    ]
    places = {(file, line) for file, line, _ in covered}
    names = {(file, name.rpartition(":")[2]) for file, _, name in covered}
    rules = store.read_rules
    assert rules is not None
    for (path, line, name), reads in tuple(kept_so_far.items()):
        file, owner = rules.name(path), name.rpartition(".")[0]
        if (file, line) in places or (owner and (file, owner) in names):
            yield from (read for key, read in reads.items() if key not in known)
