"""The doctor reads every file of a store, reports problems, and repairs without guessing."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from assetgraph.errors import AssetGraphError, StoreError, UnknownRunError
from assetgraph.graph.walk import walk
from assetgraph.hints import command
from assetgraph.keys import AssetKey, Target, recorded_target
from assetgraph.records import (
    STATE_AFTER,
    Event,
    EventType,
    Materialization,
    RunRecord,
    RunStatus,
    StepState,
    StoredValue,
    now,
)
from assetgraph.storage.asset_records import orphaned
from assetgraph.storage.atomic_files import AppendFile, is_cut, names_in, opened
from assetgraph.storage.cut_lines import has_cut_line, remove_cut_line
from assetgraph.storage.file_locks import is_held
from assetgraph.storage.histories import Attempt
from assetgraph.storage.project_code import CodeTable
from assetgraph.storage.retention import Prunable, find_prunable, has_folder, named_reads, prune
from assetgraph.storage.step_states import is_log_lost
from assetgraph.text import listed

if TYPE_CHECKING:
    from assetgraph.storage.store import Store

_CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass(frozen=True)
class Finding:
    """A problem in a store.

    `serious` means that records are lost or cannot be read. `repair` solves the problem, or returns
    False while another process is at work there; it is None if a repair would have to guess.
    """

    text: str
    serious: bool = False
    repair: Callable[[], object] | None = None


def examine(
    store: Store, *, deep: bool = False, defined: Collection[AssetKey] | None = None
) -> Iterator[Finding]:
    """The problems in `store`, and what dead processes left in it. The caller may repair a finding
    before it asks for the next one.

    With `deep`, every value that is kept is read, also where its stamp is unchanged: this finds
    what a disk lost by itself. `defined` are the assets that the project defines, if that is known:
    the histories of others are mentioned.
    """
    yield from _files_for_folders(store)
    if any(_files_for_folders(store)):
        return  # what lies below them cannot be read until they are repaired
    histories = partial(_histories, deep=deep)
    orphans = partial(_orphaned, defined=defined)
    runs = partial(_runs, defined=defined)
    for part in (histories, orphans, runs, _dynamic_partitions, _code, _reads, _left_over):
        try:
            yield from part(store)
        except StoreError as error:
            yield Finding(str(error), serious=True)


def _files_for_folders(store: Store) -> Iterator[Finding]:
    for name in ("runs", "assets", "locks", "values", "code", "cache", "partitions"):
        path = f"{store.folder}/{name}"
        if os.path.exists(path) and not os.path.isdir(path):
            if name in ("locks", "cache"):  # their content is created again when it is needed
                yield Finding(
                    f"{path} is a file where a folder should be",
                    serious=True,
                    repair=lambda path=path: os.rename(path, f"{path}.file"),  # type: ignore[misc]
                )
            else:
                yield Finding(
                    f"{path} is a file where a folder should be. Move it away, and restore the "
                    "folder from a copy if there is one",
                    serious=True,
                )


def _histories(store: Store, *, deep: bool) -> Iterator[Finding]:
    unsummed = 0
    for text in sorted(store.history.touched()):
        key = AssetKey.unchecked(text)
        path = store.history.path(key)
        try:
            attempts = [*store.history.newest_first(key)][::-1]
            cut = has_cut_line(path)
        except FileNotFoundError:  # it was deleted since it was listed, or is a link to nothing
            continue
        except StoreError as error:
            yield Finding(str(error), serious=True)
            continue
        if cut:
            yield _cut_line(path, lambda path=path: remove_cut_line(path))  # type: ignore[misc]
        made = {a.partition: a.value for a in attempts if isinstance(a, Materialization)}
        for partition, value in made.items():
            yield from _value(store, Target(key, partition), value, deep)
            unsummed += value.checksum is None and (value.inline is not None or has_folder(value))
        if deep:
            yield from _earlier_values(store, attempts, made.values())
    if unsummed:
        values = "1 value was" if unsummed == 1 else f"{unsummed} values were"
        yield Finding(
            f"{values} recorded without a checksum by an earlier version: of such a value only the "
            "size is checked. Its next materialization records one"
        )


def _orphaned(store: Store, *, defined: Collection[AssetKey] | None) -> Iterator[Finding]:
    orphans = [key.text for key in orphaned(store, defined)] if defined else []
    if orphans:
        assets = "1 asset has" if len(orphans) == 1 else f"{len(orphans)} assets have"
        yield Finding(
            f"{assets} a history, but no definition: {listed(orphans)}. "
            f"If renamed: {command('mv', orphans[0], 'NEW')}. "
            f"If removed: {command('prune', '--orphaned')}"
        )


def _value(store: Store, target: Target, value: StoredValue, deep: bool) -> Iterator[Finding]:
    condition = store.values.check(value, deep=deep)
    wrong = {
        "gone": "is gone",
        "damaged": "is damaged",
        "unreadable": "needs a class that no longer exists",
    }
    if condition in wrong:
        yield Finding(
            f"the value of {target} {wrong[condition]}: {value.path or 'it is in its record'}. "
            f"To restore it: {command('materialize', target.key.text)}",
            serious=True,
        )


def _earlier_values(
    store: Store, attempts: Sequence[Attempt], current: Iterable[StoredValue]
) -> Iterator[Finding]:
    """Damage in the values that newer ones replaced, as far as they are still kept."""
    known = {value.path for value in current}
    for attempt in attempts:
        if not isinstance(attempt, Materialization) or attempt.value.path in known:
            continue
        if has_folder(attempt.value) and store.values.check(attempt.value, deep=True) == "damaged":
            yield Finding(f"an earlier value is damaged: {attempt.value.path}", serious=True)


def _runs(store: Store, *, defined: Collection[AssetKey] | None) -> Iterator[Finding]:
    makers: dict[AssetKey, str] = {}  # the last run that materialized each asset
    for run_id in store.runs.ids():
        folder = store.runs.path(run_id)
        try:
            record = store.runs.read(run_id)
            events = tuple(store.runs.events(run_id))
        except UnknownRunError:
            continue  # it was deleted since it was listed
        except StoreError as error:
            yield Finding(str(error), serious=True)
            continue
        for key in _materialized(record, events):
            makers.setdefault(key, run_id)
        if is_log_lost(record, events):
            yield Finding(
                f"the run {run_id} has lost events: {folder}/events.jsonl is missing, cut or "
                "empty. Restore it from a copy, or delete the run: "
                f"{command('runs', 'delete', run_id)}",
                serious=True,
            )
            continue
        if record.started_at > now() + _CLOCKS_DIFFER:
            yield Finding(
                f"the run {run_id} has a start time in the future: a clock was wrong. Later runs "
                f"get ids after its own. To delete it: {command('runs', 'delete', run_id)}"
            )
        if record.status is RunStatus.INTERRUPTED and not _succeeded_since(store, record):
            yield Finding(f"the run {run_id} was interrupted after {len(events)} events")
        path = f"{folder}/events.jsonl"
        if not is_held(f"{folder}/lock") and _is_cut(path):  # nobody writes into a run that ended
            yield _cut_line(path, lambda path=path: AppendFile(path).close())  # type: ignore[misc]
    yield from _lost_histories(store, makers, defined)


def _materialized(record: RunRecord, events: Iterable[Event]) -> Iterator[AssetKey]:
    """The assets that the steps of a run materialized."""
    for event in events:
        if event.type is EventType.STEP_SUCCESS and event.step is not None:
            for text in record.targets_of(event.step):
                yield recorded_target(text).key


def _lost_histories(
    store: Store, makers: Mapping[AssetKey, str], defined: Collection[AssetKey] | None
) -> Iterator[Finding]:
    """Histories that somebody took away: a run of `makers` materialized the asset, or it has a
    value. `wipe` leaves an empty history, so it takes none away."""
    stored = {AssetKey.unchecked(run.key): run.run_id for run in store.values.runs()}
    lost = {}
    for key, run_id in {**makers, **stored}.items():
        if store.history.is_missing(key):
            present = store.names.present_name(key)  # a run has the name of its time
            known = present in stored or defined is None or present in defined
            if known and store.history.is_missing(present):
                lost[present] = run_id
    folder = f"{store.folder}/assets"
    if lost and not os.path.isdir(folder):
        yield Finding(
            f"{folder} is missing, and with it the record of every value. Restore it from a copy",
            serious=True,
        )
        return
    for key, run_id in lost.items():
        path = store.history.path(key)
        name = os.path.basename(path)
        others = sorted(other for other in names_in(folder) if other.startswith(name))
        beside = f" (there is {listed(others)})" if others else ""
        word = "materialize" if defined is None or key in defined else "wipe"
        yield Finding(
            f"{path} is missing{beside}, though the run {run_id} materialized {key}. "
            f"Restore it from a copy. If there is none: {command(word, key.text)}",
            serious=True,
        )


def _succeeded_since(store: Store, record: RunRecord) -> bool:
    """Whether every step of an interrupted run succeeded after all: in the run itself, in a
    re-execution, or in a later run."""
    runs = walk([record.run_id], store.runs.reruns)
    done = {
        event.step
        for run_id in runs
        for event in store.runs.events(run_id)
        if STATE_AFTER.get(event.type) in (StepState.SUCCESS, StepState.UNCHANGED)
    }
    return all(
        step_id in done
        or all(_materialized_since(store, text, record) for text in record.targets_of(step_id))
        for step_id in record.step_ids
    )


def _materialized_since(store: Store, target: str, record: RunRecord) -> bool:
    try:
        made, _ = store.history.current(recorded_target(target))
    except StoreError:
        return False  # a history that cannot be read is a finding of its own
    return made is not None and made.timestamp >= record.started_at


def _dynamic_partitions(store: Store) -> Iterator[Finding]:
    for path in store.dynamic_partitions.paths():
        if os.path.exists(path) and has_cut_line(path):
            yield _cut_line(path, lambda path=path: remove_cut_line(path))  # type: ignore[misc]
    for name in store.dynamic_partitions.names():
        try:
            store.dynamic_partitions.get(name)
        except StoreError as error:
            yield Finding(str(error), serious=True)


def _code(store: Store) -> Iterator[Finding]:
    table = CodeTable(f"{store.folder}/code")
    table.load()
    if table.damaged:
        yield Finding(
            f"{_lines(table.damaged)} of {table.path} cannot be read. If those "
            "definitions change, the reason cannot name them",
            repair=table.repair,
        )


def _reads(store: Store) -> Iterator[Finding]:
    table = store.reads.table
    known = table.load()
    lost = sorted({target.text for target, named in named_reads(store) if named not in known})
    if table.damaged:
        yield Finding(
            f"{_lines(table.damaged)} of {table.path}, which says what steps read, cannot be read",
            repair=table.repair,
        )
    if lost:
        keys = [recorded_target(text).key.text for text in lost]
        yield Finding(
            f"what {listed(lost)} read is not known any more, so that "
            f"{'it counts' if len(lost) == 1 else 'they count'} as not up to date. "
            f"To record it again: {command('materialize', *keys)}",
            serious=True,
        )


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"


def _left_over(store: Store) -> Iterator[Finding]:
    for item in find_prunable(store):
        if item.kind == "orphan" and item.target is not None and _was_recorded(store, item):
            path = store.history.path(item.target.key)
            yield Finding(
                f"{path} is empty, though there is a value: {item.path}. If the asset was not "
                f"wiped, restore its history from a copy. To delete the value: {command('prune')}"
            )
            continue
        if item.kind == "orphan":
            text = f"a value of {item.name} was stored but never recorded: {item.path}"
        elif item.kind == "leftover":
            text = f"a process died and left {item.path}"
        else:
            continue
        yield Finding(text, repair=lambda item=item: prune(store, item))  # type: ignore[misc]


def _was_recorded(store: Store, item: Prunable) -> bool:
    """Whether the history of a stored value was emptied: the run of the value committed it."""
    assert item.target is not None
    if store.history.is_there(item.target.key):
        return False
    try:
        run_id = os.path.basename(item.path)
        made = _materialized(store.runs.read(run_id), store.runs.events(run_id))
        return item.target.key in made
    except AssetGraphError:
        return False  # the run was deleted, or is a finding of its own


def _is_cut(path: str) -> bool:
    with opened(path) as file:
        return is_cut(file.fileno())


def _cut_line(path: str, repair: Callable[[], object]) -> Finding:
    return Finding(
        f"the last line of {path} is incomplete: the process that wrote it died", repair=repair
    )
