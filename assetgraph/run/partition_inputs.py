"""What a parameter gets that reads several partitions: their values by key, or one table of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.annotations import EMPTY, annotation_text
from assetgraph.definitions.gathered import DICT, gathered_as, gathering_hint
from assetgraph.errors import AssetGraphError, ValueTypeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.definitions.signature import Parameter
    from assetgraph.run.step_task import Input, StepTask
    from assetgraph.storage.store import Store

Load = Callable[["StepTask", "Store", "Input", Any], Any]


class PartitionValues(Mapping[str, Any]):
    """The values of several partitions by their keys, in the order of the partitions. Each value is
    loaded whenever it is looked at, and is not kept."""

    def __init__(self, sources: Mapping[str, Input], load: Callable[[Input], Any]) -> None:
        self._sources, self._load = sources, load

    def __getitem__(self, partition: str) -> Any:
        if partition not in self._sources:
            raise KeyError(f"{partition!r} is not among {self!r}")
        return self._load(self._sources[partition])

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)

    def __contains__(self, partition: object) -> bool:
        return partition in self._sources  # without loading the value

    def __repr__(self) -> str:
        keys = list(self._sources)
        if len(keys) < 2:
            return f"<{len(keys)} partitions>" if not keys else f"<1 partition: {keys[0]}>"
        return f"<{len(keys)} partitions: {keys[0]}..{keys[-1]}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


def gathered_input(
    task: StepTask, store: Store, parameter: Parameter, load: Load
) -> tuple[Any, dict[str, Any] | None]:
    """What a parameter gets of the partitions that it reads, and the data of the event that says
    so, if there are any. `load` loads one of them as an annotation asks.

    Raises `ValueTypeError` if the annotation cannot hold several partitions, or if their values do
    not fit it.
    """
    sources = [source for source in task.inputs if source.parameter == parameter.name]
    column = task.computation.partition_columns.get(parameter.name)
    about = f"parameter {parameter.name!r} of {task.computation.label}"
    try:
        value = _gathered(task, store, parameter, sources, column, load)
    except AssetGraphError as error:
        if not error.message.startswith(about):  # as it does if it is about one partition
            error.about(about)
        raise
    if not sources:
        return value, None
    return value, {"upstream": sources[0].target.key.text, "partitions": len(sources)}


def as_stored(returned: Any) -> Any:
    """A returned value, with a dict in place of a lazy mapping."""
    return dict(returned) if isinstance(returned, PartitionValues) else returned


def _gathered(
    task: StepTask,
    store: Store,
    parameter: Parameter,
    sources: Sequence[Input],
    column: str | None,
    load: Load,
) -> Any:
    found = gathered_as(parameter.annotation)
    if found is None:
        return _refused(parameter, sources)
    if not found.is_mapping:
        return _table(task, store, parameter, sources, found.kind, load) if sources else None
    if column is not None:
        raise ValueTypeError(
            f"its partition_column {column!r} needs a table, but it gets the partitions by key.",
            hint="Leave out partition_column, or annotate the parameter as a table: pa.Table.",
        )
    by_key = {source.target.partition or "": source for source in sources}
    values = PartitionValues(by_key, lambda source: load(task, store, source, found.item))
    return dict(values) if found.kind == DICT else values


def _refused(parameter: Parameter, sources: Sequence[Input]) -> None:
    if sources:
        upstream, annotation = sources[0].target.key.text, annotation_text(parameter.annotation)
        count = "1 partition" if len(sources) == 1 else f"{len(sources)} partitions"
        raise ValueTypeError(
            f"it reads {count} of {upstream!r}, which `{annotation}` cannot hold.",
            hint=gathering_hint(parameter.annotation),
        )


def _table(
    task: StepTask,
    store: Store,
    parameter: Parameter,
    sources: Sequence[Input],
    kind: str,
    load: Load,
) -> Any:
    from assetgraph.storage.formats.arrow.gather import Part, one_table

    def part(source: Input) -> Part:
        # An IO manager is told what is asked for; a value of the store comes as what it is.
        wanted = parameter.annotation if source.stored.by_io_manager else EMPTY
        partition, name = source.target.partition or "", source.target.text
        file = None if source.target in task.passed else store.values.table_file(source.stored)
        return Part(partition, name, lambda: load(task, store, source, wanted), file)

    column = task.computation.partition_columns.get(parameter.name)
    return one_table([part(source) for source in sources], kind, column)
