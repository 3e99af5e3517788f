"""Arrays and numbers of numpy, stored as `.npy`: a number as an array without dimensions.

This module imports numpy only when a value is an array. An array of objects, of a type that `.npy`
does not keep, or of a subclass other than `memmap` is pickled.
"""

from __future__ import annotations

from contextlib import closing
from functools import lru_cache
from io import BytesIO
from math import prod
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.annotations import EMPTY, asks_for_memmap, type_name
from assetgraph.errors import NoValueError, ValueTypeError
from assetgraph.records import StoredValue
from assetgraph.storage.atomic_files import store_error
from assetgraph.storage.formats.digest import SummedFile, digest_of
from assetgraph.storage.formats.value_format import ClassVersion, Saved, ValueFormat

if TYPE_CHECKING:
    from assetgraph.storage.formats.preview_types import Preview

_ARRAY, _MEMMAP = "numpy.ndarray", "numpy.memmap"
_KINDS = "biufcmMSUV"
_SCALAR_KINDS = "biufcmM"  # a text loses its last NULs in an array; a record refers to its array
_LONGEST_HEADER = 1 << 24  # a structured type is described in it
_VERSION_1 = bytes([1, 0])
_SMALL = 1 << 20  # bytes of a file


class ArrayFormat(ValueFormat):
    """A plain array, or one that is memory-mapped. Its shape, type and order are kept."""

    def save(self, folder: str, value: object, class_version: ClassVersion | None) -> Saved | None:
        kind = type_name(type(value))
        array: Any = value if kind in (_ARRAY, _MEMMAP) else _of_scalar(value)
        if array is None or not _keeps(array.dtype):
            return None
        place, path = self.files.place, f"{folder}/value.npy"
        try:
            with (
                place.staged(path) as full_path,
                closing(SummedFile(place.open_write(full_path), "npy")) as file,
            ):
                _write(array, file)
                checksum = file.checksum()
        except OSError as error:
            raise store_error(error, "write", place.full_path(path)) from error
        stored = StoredValue("npy", kind, **self.files.written(path, checksum))
        content = checksum if array is value else f"{checksum}\0{kind}"
        return Saved(stored, digest_of("npy version", content.encode()))

    def load(self, stored: StoredValue, annotation: Any) -> object:
        is_array = stored.type in (_ARRAY, _MEMMAP)
        wanted = is_array and asks_for_memmap(annotation)
        if wanted or (stored.type == _MEMMAP and annotation is EMPTY):
            if self.files.place.filesystem is None:
                return self._mapped(stored)
            if wanted:
                raise ValueTypeError(
                    "an array in an object store cannot be memory-mapped.",
                    hint="Ask for an np.ndarray, or keep the values in a local folder.",
                )
        full_path = self.files.checked_path(stored)
        with self.files.place.open_read(stored.path or "") as file:
            try:
                if (stored.size or _SMALL) < _SMALL:
                    return _read_small(file.read(), is_array)
                return _read_array(file)
            except (OSError, ValueError) as error:
                raise _unreadable(full_path, error) from error

    def preview(self, stored: StoredValue, rows: int) -> Preview:
        from assetgraph.storage.formats.preview_types import NoPreview, TextPreview

        if self.files.place.filesystem is not None:
            return NoPreview("An array in an object store has no preview.")
        array = self._mapped(stored)
        if stored.type not in (_ARRAY, _MEMMAP):
            return TextPreview(str(array[()]))
        shown = array[:rows] if array.ndim else array
        return TextPreview(f"{array.dtype} of shape {array.shape}\n\n{shown}")

    def _mapped(self, stored: StoredValue) -> Any:
        """The array in its file. What is assigned to it stays in memory."""
        import numpy as np
        from numpy.lib.format import open_memmap

        full_path = self.files.checked_path(stored)
        try:
            return open_memmap(full_path, mode="c", max_header_size=_LONGEST_HEADER)
        except (OSError, ValueError) as error:
            with self.files.place.open_read(stored.path or "") as file:
                array = _read_empty(file)
            if array is None:
                raise _unreadable(full_path, error) from error
            return array.view(np.memmap)


def _of_scalar(value: Any) -> Any:
    """A number or date of numpy as an array without dimensions, if the array gives it back
    exactly; None for anything else."""
    if type(value).__module__ != "numpy" or not hasattr(value, "dtype"):
        return None
    import numpy as np
    from numpy.lib.format import descr_to_dtype, dtype_to_descr

    if not isinstance(value, np.generic) or value.dtype.kind not in _SCALAR_KINDS:
        return None
    array = np.asarray(value)
    back = descr_to_dtype(dtype_to_descr(array.dtype)).type
    return array if back is type(value) and array[()].tobytes() == value.tobytes() else None


def _read_array(file: Any) -> Any:
    from numpy.lib.format import read_array

    array = read_array(file, allow_pickle=False, max_header_size=_LONGEST_HEADER)
    return _with_clear_gaps(array) if _has_gaps(array.dtype) else array


def _read_small(data: bytes, is_array: bool) -> Any:
    """The array, or the number or date, in the bytes of a file. `read_array` takes three times as
    long, most of it for the header."""
    from numpy import frombuffer

    start = 10 + int.from_bytes(data[8:10], "little")
    if data[6:8] != _VERSION_1 or len(data) == start:
        return _read_array(BytesIO(data))
    shape, by_columns, dtype = _header_in(data[:start])
    items = frombuffer(data, dtype, prod(shape), start)
    if not is_array:
        return items[0]
    return items.reshape(shape, order="F" if by_columns else "C").copy("K")


@lru_cache
def _header_in(header: bytes) -> tuple[tuple[int, ...], bool, Any]:
    """The shape, whether the columns are stored one after the other, and the type."""
    from numpy.lib.format import read_array_header_1_0, read_magic

    file = BytesIO(header)
    read_magic(file)
    return read_array_header_1_0(file)


def _write(array: Any, file: Any) -> None:
    from numpy.lib import format as npy

    if array.dtype.names is not None:
        if _has_gaps(array.dtype):
            array = _with_clear_gaps(array)
        npy.write_array(file, array, (3, 0), allow_pickle=False)  # which has names in UTF-8
        return
    npy.write_array_header_1_0(file, npy.header_data_from_array_1_0(array))
    if not array.flags.forc:
        array = array.copy()
    file.write(array.reshape(-1, order="A").view("u1").data if array.nbytes else b"")


def _has_gaps(dtype: Any) -> bool:
    """Whether there are bytes between the fields of a type, or after them."""
    if dtype.subdtype is not None:
        return _has_gaps(dtype.subdtype[0])
    fields = [dtype.fields[name][0] for name in dtype.names or ()]
    if not fields:
        return False
    return sum(field.itemsize for field in fields) < dtype.itemsize or any(map(_has_gaps, fields))


def _with_clear_gaps(array: Any) -> Any:
    """A copy with zeros between its fields. What stands there is whatever was in memory, so equal
    arrays would have different bytes."""
    import numpy as np

    copy = np.zeros(array.shape, array.dtype, order="F" if array.flags.fnc else "C")
    copy[...] = array
    return copy


def _read_empty(file: Any) -> Any:
    """The array in a file if it has no items, which cannot be mapped."""
    try:
        array = _read_array(file)
    except (OSError, ValueError):
        return None
    return None if array.size else array


def _keeps(dtype: Any) -> bool:
    """Whether `.npy` keeps a type."""
    if dtype.hasobject or not _is_plain(dtype):
        return False
    if dtype.isbuiltin == 1:
        return True
    from numpy.lib.format import descr_to_dtype, dtype_to_descr

    try:
        return _same(dtype, descr_to_dtype(dtype_to_descr(dtype)))
    except (TypeError, ValueError):  # fields that overlap, or are in another order than in memory
        return False


def _is_plain(dtype: Any) -> bool:
    """Whether the types within are of numpy's own, without metadata, of which it would warn."""
    base = dtype.subdtype[0] if dtype.subdtype else None
    fields = [dtype.fields[name][0] for name in dtype.names or ()]
    return (
        dtype.metadata is None
        and dtype.kind in _KINDS
        and dtype.type.__module__ == "numpy"
        and all(map(_is_plain, [base] if base is not None else fields))
    )


def _same(one: Any, other: Any) -> bool:
    """Whether two types are equal in what `==` does not compare too."""
    if one != other or one.type is not other.type or one.isalignedstruct != other.isalignedstruct:
        return False
    if one.subdtype:
        return _same(one.subdtype[0], other.subdtype[0])
    return all(
        one.fields[name][1:] == other.fields[name][1:]
        and _same(one.fields[name][0], other.fields[name][0])
        for name in one.names or ()
    )


def _unreadable(full_path: str, error: Exception) -> NoValueError:
    return NoValueError(
        f"the value {full_path} cannot be read: {error}.", hint="Materialize its asset again."
    )
