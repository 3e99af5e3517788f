"""Makes one table of the tables of several partitions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from assetgraph.definitions.annotations import described, kind_of_value
from assetgraph.errors import AssetGraphError, ValueTypeError
from assetgraph.storage.formats.arrow.gathered_frames import Frame, one_frame
from assetgraph.storage.formats.arrow.gathered_tables import GatheredTables, LoadedTable, Piece
from assetgraph.storage.formats.arrow.streams import stream_of
from assetgraph.storage.formats.arrow.table_sources import TableInFile, TableInMemory
from assetgraph.storage.formats.arrow.to_parameter_type import arrow_of, table_as

_FRAMES = {"pandas": "pandas", "polars": "polars", "polars-lazy": "polars"}


@dataclass(frozen=True, slots=True)
class Part:
    """The value of one partition: its key, the name of its target in errors, a function that loads
    it, and its file if it is stored as a table."""

    partition: str
    name: str
    load: Callable[[], Any]
    file: TableInFile | None


def one_table(parts: Sequence[Part], kind: str, column: str | None = None) -> Any:
    """The tables of all parts in their order, as one of the kinds of `table_kind`. `column` is the
    name of a last column with the keys of the partitions.

    Raises `ValueTypeError` if a part is no table, or if two do not fit together.
    """
    if kind == "reader":
        pieces = [_piece(part, part.file or LoadedTable(_loader(part))) for part in parts]
        return table_as(GatheredTables(pieces, column), kind)
    values = {part.partition: part.load() for part in parts if part.file is None}
    library = _FRAMES.get(kind)
    if library and any(kind_of_value(value) == library for value in values.values()):
        frames = [_frame(part, values, library) for part in parts]
        frame = one_frame(frames, library, column)
        return frame.lazy() if kind == "polars-lazy" else frame
    pieces = [_piece(part, part.file or _table(part, values[part.partition])) for part in parts]
    return table_as(GatheredTables(pieces, column), kind)


def _piece(part: Part, table: TableInFile | TableInMemory | LoadedTable) -> Piece:
    return Piece(part.partition, part.name, table, table.schema())


def _loader(part: Part) -> Callable[[], TableInMemory]:
    return lambda: _table(part, part.load())


def _table(part: Part, value: Any) -> TableInMemory:
    """A value that is in memory, as a table. Raises `ValueTypeError` if it is none."""
    if isinstance(value, pa.Table | pa.RecordBatch):
        return TableInMemory(value)
    try:
        if kind_of_value(value) in ("pandas", "polars"):
            return arrow_of(value)
        stream = stream_of(value)
    except AssetGraphError as error:
        error.about(repr(part.name))
        raise
    if stream is None:
        raise ValueTypeError(
            f"{part.name!r} is {described(value)}, and not a table.",
            hint="Return a table for each partition, or ask for Mapping[str, Any].",
        )
    return TableInMemory(pa.Table.from_batches(stream.batches, stream.schema))


def _frame(part: Part, values: dict[str, Any], library: str) -> Frame:
    value = values.get(part.partition)
    if kind_of_value(value) != library:
        value = table_as(part.file or _table(part, value), library)
    return Frame(part.partition, part.name, value)
