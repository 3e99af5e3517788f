"""The hash of Arrow data by its content, however it is cut into batches or stored.

It covers the schema (names, types, and metadata without the versions of libraries). For each
column it has running hashes of which rows are null, of the other values in order, and, for types
of variable length, of the lengths; nested columns are hashed the same way. A dictionary column is
hashed as codes into one dictionary that grows over all batches, together with that dictionary. So
a stream is hashed as it passes, and a table has the same hash in one batch as in a thousand.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from assetgraph.storage.formats.arrow.column_types import LISTS, is_one, plain_type
from assetgraph.storage.formats.digest import hasher

_LIBRARY_VERSIONS = {"creator", "pandas_version"}


class ArrowHash:
    """The running hash of a table, which takes its rows batch by batch."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._columns = [_column_of(field.type) for field in schema]
        self._rows = 0

    def update(self, batch: pa.RecordBatch | pa.Table) -> None:
        """Add the next rows."""
        for part in batch.to_batches() if isinstance(batch, pa.Table) else (batch,):
            self._rows += part.num_rows
            for column, values in zip(self._columns, part.columns, strict=True):
                column.update(values)

    def hexdigest(self, kind: str) -> str:
        """The hash of all rows so far. `kind` is the kind of table that the data loads as, such as
        table or pandas."""
        digest = hasher("arrow")
        digest.update(f"{kind}\0{self._rows}\0".encode())
        for field in self._schema:
            digest.update(f"{field.name}\0{field.type}\0{field.nullable}\0".encode())
            digest.update(_metadata(field.metadata))
        digest.update(_metadata(self._schema.metadata))
        for column in self._columns:
            digest.update(column.digest())
        return digest.hexdigest()


class _Column:
    """The running hashes of one column and its nested columns."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._nulls = hasher("nulls")
        self._values = hasher("values")
        self._lengths = hasher("lengths")
        self._rows = 0
        self._children: list[_Column] = []
        self._dictionary: pa.Array | None = None
        self._add = self._adder(kind)

    def update(self, values: pa.Array) -> None:
        if values.null_count and not pa.types.is_null(self._kind):
            nulls = pc.indices_nonzero(values.is_null())
            self._nulls.update(_bytes_of(pc.add(nulls, pa.scalar(self._rows, pa.uint64()))))
        self._rows += len(values)
        if values.null_count:
            values = values.drop_null()
        if len(values):
            self._add(values)

    def digest(self) -> bytes:
        digest = hasher("column")
        for part in (self._nulls, self._values, self._lengths):
            digest.update(part.digest())
        digest.update(self._rows.to_bytes(8, "little"))
        for child in self._children:
            digest.update(child.digest())
        if self._dictionary is not None:
            entries = _Column(self._dictionary.type)
            entries.update(self._dictionary)
            digest.update(entries.digest())
        return digest.digest()

    def _adder(self, kind: pa.DataType) -> Callable[[pa.Array], None]:
        """The function that hashes non-null values of this type."""
        if isinstance(kind, pa.BaseExtensionType):
            add = self._adder(kind.storage_type)
            return lambda values: add(values.storage)
        if types.is_null(kind):
            return _nothing
        if types.is_boolean(kind):
            return lambda values: self._values.update(_bytes_of(values.cast(pa.uint8())))
        if is_one(kind, types.is_string, types.is_binary):
            return lambda values: self._add_binary(values, pa.int32())
        if is_one(kind, types.is_large_string, types.is_large_binary):
            return lambda values: self._add_binary(values, pa.int64())
        if types.is_dictionary(kind):
            return self._add_dictionary
        if types.is_struct(kind):
            self._children = [_Column(field.type) for field in kind]
            return self._add_struct
        if types.is_map(kind):
            item = pa.struct([kind.key_field, kind.item_field])
            self._children = [_Column(item)]
            return lambda values: self._add_list(_entries(values))
        if is_one(kind, *LISTS):
            self._children = [_Column(kind.value_type)]
            return self._add_list
        return lambda values: self._values.update(_bytes_of(values))

    def _add_binary(self, values: pa.Array, offset_type: pa.DataType) -> None:
        self._lengths.update(_bytes_of(pc.binary_length(values)))
        _, offset_bytes, data = values.buffers()
        offsets = pa.Array.from_buffers(
            offset_type, len(values) + 1, [None, offset_bytes], offset=values.offset
        )
        start, end = offsets[0].as_py(), offsets[len(values)].as_py()
        if end > start:
            self._values.update(data[start:end])

    def _add_list(self, values: pa.Array) -> None:
        self._lengths.update(_bytes_of(pc.list_value_length(values)))
        self._children[0].update(values.flatten())

    def _add_struct(self, values: pa.StructArray) -> None:
        for child, column in zip(self._children, values.flatten(), strict=True):
            child.update(column)

    def _add_dictionary(self, values: pa.DictionaryArray) -> None:
        """Hash codes into the dictionary of all batches, or the values if they do not compare."""
        entries = values.dictionary
        try:
            if self._dictionary is None:
                self._dictionary = entries.slice(0, 0)
            new = entries.filter(pc.invert(pc.is_in(entries, value_set=self._dictionary)))
            self._dictionary = pa.concat_arrays([self._dictionary, new])
            codes = pc.index_in(entries, value_set=self._dictionary).take(values.indices)
        except (pa.ArrowNotImplementedError, pa.ArrowTypeError):
            if not self._children:
                self._children = [_Column(self._kind.value_type)]
            self._children[0].update(values.dictionary_decode())
        else:
            self._values.update(_bytes_of(codes))


class _TextColumn:
    """A column of a type that Arrow cannot filter. It hashes the `repr` of each value."""

    def __init__(self) -> None:
        self._values = hasher("text")

    def update(self, values: pa.Array) -> None:
        for value in values.to_pylist():
            text = repr(value).encode()
            self._values.update(b"%d:" % len(text) + text)

    def digest(self) -> bytes:
        return self._values.digest()


class _CastColumn:
    """A column of views, or run-end encoded, hashed as its plain type."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._column = _Column(kind)

    def update(self, values: pa.Array) -> None:
        if types.is_run_end_encoded(values.type):
            values = pc.run_end_decode(values)
        self._column.update(values.cast(self._kind))

    def digest(self) -> bytes:
        return self._column.digest()


def _column_of(kind: pa.DataType) -> _Column | _CastColumn | _TextColumn:
    plain = plain_type(kind.value_type if types.is_run_end_encoded(kind) else kind)
    if plain is None:
        return _TextColumn()
    return _Column(kind) if plain is kind else _CastColumn(plain)


def _entries(values: pa.MapArray) -> pa.ListArray:
    """A map without nulls as a list of its entries. A cast would be wrong: for a slice with a
    nested column of type null, pyarrow's cast returns children of a wrong length."""
    kind = values.type
    fields = [kind.key_field, kind.item_field]
    entries = pa.StructArray.from_arrays([values.keys, values.items], fields=fields)
    return pa.ListArray.from_arrays(values.offsets, entries)


def _nothing(_: pa.Array) -> None:
    pass


def _bytes_of(values: pa.Array) -> Any:
    """The memory of a fixed-width column without nulls."""
    width = values.type.bit_width // 8
    data = values.buffers()[1]
    return data[values.offset * width : (values.offset + len(values)) * width] if data else b""


def _metadata(metadata: dict[bytes, bytes] | None) -> bytes:
    lines = []
    for name, text in sorted((metadata or {}).items()):
        if name == b"pandas":
            described = json.loads(text)
            kept = {k: v for k, v in described.items() if k not in _LIBRARY_VERSIONS}
            text = json.dumps(kept, sort_keys=True).encode()
        lines.append(name + b"\0" + text + b"\0")
    return b"".join(lines)
