"""What functions of the project have read in this process and keep, as a cache does.

A step whose code covers such a function has its reads too, though another step was the first to
call it, and the only one that really read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from assetgraph.process.reads.recorder import keeping, kept_so_far
from assetgraph.records import ObservedRead, ReadKind

if TYPE_CHECKING:
    from assetgraph.process.reads.recorder import Recorder
    from assetgraph.process.reads.rules import Keeper
    from assetgraph.run.step_task import StepTask
    from assetgraph.storage.store import Store

_PARTS = {
    "files": (ReadKind.FILE, ReadKind.WRITTEN),
    "listings": (ReadKind.FOLDER,),
    "patterns": (ReadKind.PATTERN,),
    "variables": (ReadKind.VARIABLE,),
}
_MISSING = object()


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


def take_from_steps_under_way(recorder: Recorder, task: StepTask, store: Store) -> None:
    """Add what such functions that the step's code covers have read in steps that go on: this step
    may have got it from them."""
    others = [one for one in tuple(keeping.values()) if one is not recorder]
    if not others:
        return
    covers = _covers(task, store)
    for other in others:
        for keeper, items in tuple(other.kept.items()):
            for part, key in tuple(items) if covers(keeper) else ():
                read = getattr(other, part).get(key, _MISSING)
                if read is not _MISSING:
                    getattr(recorder, part).setdefault(key, read)


def kept_for(task: StepTask, store: Store, own: Sequence[ObservedRead]) -> Iterator[ObservedRead]:
    """What such functions that the step's code covers have read, beyond what it read itself."""
    known = {(read.kind, read.name) for read in own}
    covers = _covers(task, store)
    for keeper, reads in tuple(kept_so_far.items()):
        if covers(keeper):
            yield from (read for key, read in tuple(reads.items()) if key not in known)


def _covers(task: StepTask, store: Store) -> Callable[[Keeper], bool]:
    """Whether the code of a step covers a function."""
    covered = [
        (one.file, one.line, one.name) for one in store.code.covers(task.computation) if one.file
    ]
    places = {(file, line) for file, line, _ in covered}
    names = {(file, name.rpartition(":")[2]) for file, _, name in covered}
    rules = store.read_rules
    assert rules is not None

    def covers(keeper: Keeper) -> bool:
        path, line, name = keeper
        file, owner = rules.name(path), name.rpartition(".")[0]
        return (file, line) in places or bool(owner and (file, owner) in names)

    return covers
