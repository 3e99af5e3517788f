"""Runs a step again without recording anything, and compares its value with the one on record."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.definitions.annotations import EMPTY
from assetgraph.errors import AssetGraphError, NoValueError
from assetgraph.hints import command
from assetgraph.process.capture import captured
from assetgraph.queries.value_difference import differences, is_table
from assetgraph.records import ErrorInfo, Event, Materialization, StepState
from assetgraph.run.load_outside import with_open_manager
from assetgraph.run.step_compute import compute_step
from assetgraph.run.step_locks import read_guards
from assetgraph.run.step_task import StepTask, inputs_of, positions_of
from assetgraph.storage.formats.format_registry import location_of
from assetgraph.storage.value_store import Saved, ValueStore

if TYPE_CHECKING:
    from assetgraph.definitions.computation import AssetSpec, Computation
    from assetgraph.keys import Target
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.plan import Step
    from assetgraph.storage.formats.value_format import ClassVersion
    from assetgraph.storage.store import Store


class Reproduction(msgspec.Struct, frozen=True):
    """What came of running a step again.

    `same` says whether the value came out the same; `differences` say where it did not. `reasons`
    say why the asset was not up to date, so that another value was to be expected. `error` is what
    the step raised.
    """

    key: str
    same: bool
    data_version: str
    new_data_version: str | None = None
    differences: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    error: ErrorInfo | None = None


def reproduce(facts: StoreFacts, target: Target) -> Reproduction:
    """Run the step of a target again, on its present inputs and with the config of its value.

    The lock on the asset is held meanwhile. Its function does whatever else it does, but a file
    that it returns is put back as it was. Raises `NoValueError` if there is no value to compare
    with, and `LockedError` while a run materializes the asset.
    """
    step, current = _checked(facts, target)
    store = facts.store
    reasons = tuple(reason.text for reason in facts.target_states([target])[target].reasons)
    task = _task(facts, step, current)
    with ExitStack() as held:
        lock = store.lock(target)
        if not lock.acquire():
            raise store.locked(target, hint="Type this again once that run has ended.")
        held.callback(lock.release)
        for guard in read_guards(task, store):
            guard.wait(until=lambda: True)
            held.callback(guard.release)
        folder = held.enter_context(TemporaryDirectory(prefix="assetgraph-"))
        scratch = _scratch(store, folder)
        before = held.enter_context(_kept_file(store, current, folder))
        with captured(echo=False):
            result = compute_step(task, scratch, _Silent())
        if result.state is not StepState.SUCCESS:
            return Reproduction(
                target.text, False, current.data_version, reasons=reasons, error=result.error
            )
        made = result.outputs[target]
        spec = facts.spec(target)
        found = _compared(store, scratch, spec, current, made, before, reasons)
        return msgspec.structs.replace(found, key=target.text)


def _checked(facts: StoreFacts, target: Target) -> tuple[Step, Materialization]:
    from assetgraph.planning.plan import make_plan
    from assetgraph.planning.selected_targets import needs_partition

    if target.partition is None and facts.targets.is_partitioned(target.key):
        raise needs_partition(facts.targets, target.key, "reproduce")
    known = facts.of(target)
    if known.external:
        raise AssetGraphError(f"{target.key.text!r} is external: no code of the project makes it.")
    if known.current is None:
        raise facts.store.no_value(target)
    if not known.has_value:
        raise NoValueError(
            f"the value of {target.text!r} is {known.value}: there is nothing to compare with.",
            hint=f"Materialize it with: {command('materialize', target.text)}",
        )
    steps = make_plan(facts.targets, facts, [target]).steps
    missing = [step.id for step in steps if target not in step.outputs]
    if missing:
        raise NoValueError(
            f"{missing[0]!r}, which {target.text!r} is made from, has no value.",
            hint=f"Materialize it with: {command('materialize', missing[0])}",
        )
    return steps[-1], known.current


def _task(facts: StoreFacts, step: Step, current: Materialization) -> StepTask:
    inputs = inputs_of(step, facts)
    return StepTask(
        step_id=step.id,
        computation=_without_managers(facts.graph.computation(step.outputs[0].key)),
        outputs=step.outputs,
        run_id=current.run_id,
        attempt=1,
        inputs=inputs,
        config=current.config,
        code_version=current.code_version,
        gathered=step.gathered,
        upstream=step.upstreams,
        positions=positions_of(inputs, facts),
    )


def _without_managers(computation: Computation) -> Computation:
    """The computation with nothing that stores its values elsewhere, nor tries it again."""
    specs = tuple(
        msgspec.structs.replace(spec, io_manager=None) if spec.io_manager is not None else spec
        for spec in computation.specs
    )
    return replace(computation, specs=specs, retry_policy=None)


def _compared(
    store: Store,
    scratch: Store,
    spec: AssetSpec,
    current: Materialization,
    made: Materialization,
    before: Path | None,
    reasons: tuple[str, ...],
) -> Reproduction:
    same = made.data_version == current.data_version
    found: list[str] = []
    if not same and before is not None:
        found = differences(before, store.project_root / (made.value.path or ""))
    elif not same:
        found = differences(*_values(store, scratch, spec, current, made))
    if not found and current.value.by_io_manager:
        same = True  # its data version is that of the run
    elif not found and not same:
        found = ["no difference is found in the value, but what is stored of it differs"]
    return Reproduction(
        spec.key.text, same, current.data_version, made.data_version, tuple(found), reasons
    )


def _values(
    store: Store, scratch: Store, spec: AssetSpec, current: Materialization, made: Materialization
) -> tuple[object, object]:
    """The value on record and the new one, both as they are loaded; tables as those of pyarrow."""
    after = scratch.values.load(made.value)
    annotation: Any = EMPTY
    if is_table(after):
        import pyarrow as pa

        annotation = pa.Table
        after = scratch.values.load(made.value, annotation)
    maker = spec if current.value.by_io_manager else None
    with with_open_manager(maker) as ready:
        try:
            return _load_current(store, current, annotation, ready), after
        except AssetGraphError:
            return _load_current(store, current, EMPTY, ready), after


def _load_current(
    store: Store, current: Materialization, annotation: Any, maker: AssetSpec | None
) -> object:
    return store.values.load_output(
        current.value,
        annotation,
        run_id=current.run_id,
        maker=maker,
        partition=current.partition,
    )


@contextmanager
def _kept_file(store: Store, current: Materialization, folder: str) -> Iterator[Path | None]:
    """A copy of the file or folder that the asset returned. In the end the file is as it was."""
    if location_of(current.value) != "project" or current.value.path is None:
        yield None
        return
    place, kept = store.project_root / current.value.path, Path(folder, "returned")
    _copy(place, kept)
    try:
        yield kept
    finally:
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
        _copy(kept, place)


def _copy(source: Path, place: Path) -> None:
    """Copy a file or folder with its times."""
    if source.is_dir():
        shutil.copytree(source, place, symlinks=True)
        shutil.copystat(source, place)
    else:
        os.makedirs(place.parent, exist_ok=True)
        shutil.copy2(source, place)


def _scratch(store: Store, folder: str) -> Store:
    """The same store, but values are saved in `folder`."""
    make, arguments = store.__reduce__()
    scratch: Store = make(*arguments)
    scratch.__dict__["code"] = store.code
    scratch.__dict__["values"] = _ScratchValues(store, folder)
    return scratch


class _ScratchValues(ValueStore):
    """Loads inputs from the store, and saves and loads what is made anew in a folder."""

    def __init__(self, store: Store, folder: str) -> None:
        super().__init__(store.storage, store.project_root, f"{store.folder}/cache", store.names)
        self._made = ValueStore(folder, store.project_root, None, store.names)

    def save(
        self, target: Target, run_id: str, value: object, *,
        class_version: ClassVersion | None = None,
    ) -> Saved:  # fmt: skip
        return self._made.save(target, run_id, value, class_version=class_version)

    def load(self, stored: Any, annotation: Any = EMPTY) -> object:
        return self._made.load(stored, annotation)

    def load_output(
        self, stored: Any, annotation: Any = EMPTY, *,
        run_id: str, maker: AssetSpec | None, partition: str | None = None,
    ) -> object:  # fmt: skip
        if maker is None or maker.io_manager is None or not stored.by_io_manager:
            return super().load(stored, annotation)
        return super().load_output(
            stored, annotation, run_id=run_id, maker=maker, partition=partition
        )


class _Silent:
    """The channel of a step that nobody hears, and that must not commit."""

    def started(self) -> None: ...

    def events(self, events: Sequence[Event]) -> None: ...

    def output(self, stream: str, text: str) -> None: ...

    def progress(self, done: float, total: float | None, unit: str) -> None: ...

    def canceled(self) -> bool:
        return False

    def wanted(self) -> bool:
        return True

    def may_commit(self) -> bool:
        return False
