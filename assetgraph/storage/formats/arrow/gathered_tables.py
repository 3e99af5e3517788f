"""The tables of several partitions as one table to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import types

from assetgraph.errors import ValueTypeError
from assetgraph.storage.formats.arrow.common_schema import (
    Named,
    aligned,
    check_labels,
    common_schema,
    conflict,
    may_change,
)
from assetgraph.storage.formats.arrow.gathered_frames import name_taken
from assetgraph.storage.formats.arrow.table_sources import TableInFile, TableInMemory

if TYPE_CHECKING:
    from pyarrow.dataset import Dataset


class LoadedTable:
    """A table that no file of the store holds, loaded each time that it is read."""

    def __init__(self, load: Callable[[], TableInMemory]) -> None:
        self._load = load

    @cached_property
    def _schema(self) -> pa.Schema:
        return self._load().schema()

    def schema(self) -> pa.Schema:
        return self._schema

    def read(self) -> pa.Table:
        return self._load().read()

    def reader(self) -> pa.RecordBatchReader:
        return self._load().reader()


@dataclass(frozen=True, slots=True)
class Piece:
    """The table of one partition: its key, the name of its target in errors, and where it is."""

    partition: str
    name: str
    table: TableInFile | TableInMemory | LoadedTable
    schema: pa.Schema


class GatheredTables:
    """The tables of several partitions, one after the other.

    `column` is the name of a last column with the keys of the partitions. Raises `ValueTypeError`,
    which names two partitions and a column, if they do not fit together.
    """

    def __init__(self, pieces: Sequence[Piece], column: str | None = None) -> None:
        self.pieces, self.column = pieces, column
        self._named = [Named(piece.name, piece.schema) for piece in pieces]
        self.columns = common_schema(self._named)
        if column is not None and column in self.columns.names:
            owner = next(piece.name for piece in pieces if column in piece.schema.names)
            raise name_taken(column, owner)
        for piece in pieces:
            self._check_values(piece)

    @cached_property
    def _schema(self) -> pa.Schema:
        if self.column is None:
            return self.columns
        return self.columns.append(pa.field(self.column, pa.string()))

    def schema(self) -> pa.Schema:
        return self._schema

    def check_labels(self) -> None:
        """Refuse indexes of pandas that differ among the partitions."""
        check_labels(self._named)

    def read(self) -> pa.Table:
        tables = [self._whole(piece, piece.table.read()) for piece in self.pieces]
        self._check_orders(tables)
        return pa.concat_tables(tables)

    def reader(self) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(self._schema, self._batches())

    def dataset(self) -> Dataset:
        """A dataset that reads the files when it is scanned. What is in no file is in memory."""
        import pyarrow.dataset

        groups = groupby(self.pieces, _place)
        children = [self._child(list(pieces)) for _, pieces in groups]
        if len(children) == 1:
            return children[0]
        return pyarrow.dataset.UnionDataset(self._schema, children)

    def _child(self, pieces: list[Piece]) -> Dataset:
        import pyarrow.dataset
        from pyarrow.fs import LocalFileSystem

        tables = [piece.table for piece in pieces]
        files = [table for table in tables if isinstance(table, TableInFile)]
        if not files:
            whole = pa.concat_tables([self._whole(p, p.table.read()) for p in pieces])
            return pyarrow.dataset.dataset(whole)
        keys = None
        if self.column is not None:
            field = pyarrow.dataset.field(self.column)
            keys = [field == piece.partition for piece in pieces]
        return pyarrow.dataset.FileSystemDataset.from_paths(
            [file.path for file in files],
            schema=self._schema,
            format=files[0].dataset_format(),
            filesystem=files[0].filesystem or LocalFileSystem(),
            partitions=keys,
        )

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for piece in self.pieces:
            for batch in piece.table.reader():
                yield from self._whole(piece, pa.Table.from_batches([batch])).to_batches()

    def _whole(self, piece: Piece, table: pa.Table) -> pa.Table:
        """The table of a piece with all columns."""
        found = aligned(table, self.columns)
        if self.column is None:
            return found
        keys = pa.repeat(pa.scalar(piece.partition, pa.string()), table.num_rows)
        return found.append_column(self._schema.field(self.column), keys)

    def _check_values(self, piece: Piece) -> None:
        """Refuse a value that the common type of its column lacks, before anything is read."""
        wanted = {field.name: field.type for field in self.columns}
        changed = [one for one in piece.schema if may_change(one.type, wanted[one.name])]
        for batch in piece.table.reader() if changed else ():
            for field in changed:
                column = batch.column(batch.schema.get_field_index(field.name))
                try:
                    column.cast(wanted[field.name])
                except pa.ArrowException as error:
                    other = self._other(field)
                    its = other.schema.field(field.name).type
                    refused = conflict(field.name, piece.name, field.type, other.name, its)
                    refused.message += f" They have no type for all values: {error}."
                    raise refused from error

    def _other(self, field: pa.Field) -> Piece:
        """A piece where a column has another type."""
        return next(
            piece
            for piece in self.pieces
            if field.name in piece.schema.names
            and not piece.schema.field(field.name).type.equals(field.type)
        )

    def _check_orders(self, tables: Sequence[pa.Table]) -> None:
        """Refuse categories that have another order in another partition."""
        for at, field in enumerate(self.columns):
            if not types.is_dictionary(field.type) or not field.type.ordered:
                continue
            known: tuple[str, pa.Array] | None = None
            for piece, table in zip(self.pieces, tables, strict=True):
                for chunk in table.column(at).chunks:
                    if known is None:
                        known = piece.name, chunk.dictionary
                    elif len(chunk) and not chunk.dictionary.equals(known[1]):
                        raise ValueTypeError(
                            f"column {field.name!r} has ordered categories, and those of "
                            f"{known[0]!r} are not those of {piece.name!r}.",
                            hint="Let the asset return the same categories for each partition, or "
                            "ask for Mapping[str, pa.Table].",
                        )


def _place(piece: Piece) -> tuple[str, int]:
    """What pieces have in common that one dataset of files can read."""
    table = piece.table
    if isinstance(table, TableInFile):
        return table.file_format, id(table.filesystem)
    return "", 0
