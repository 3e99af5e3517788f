"""The first rows of a pickled frame, written beside it when it is stored.

Unpickling runs code, so nothing that only shows a value may do it. The step that returns the frame
has it in memory and runs its code anyway: there, cells become plain text and numbers.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from assetgraph.storage.formats.preview_types import MOST_COLUMNS, NoPreview, Preview, TablePreview

FILE_NAME = "preview.json"
_ROWS = 50
_MOST_TEXT = 201  # one more than any view shows, so that it marks the cut
_BRIEF = reprlib.Repr()
_BRIEF.maxlist = _BRIEF.maxtuple = _BRIEF.maxset = _BRIEF.maxdict = 20
_NULLS = ("NAType", "NaTType", "NoneType")

Cell = str | int | float | bool | None
Column = tuple[object, object, Sequence[object]]  # its name, its type and its first values


class _Stored(msgspec.Struct, frozen=True):
    """What the file has: see `TablePreview`."""

    columns: list[tuple[str, str]]
    rows: list[list[Cell]]
    more: bool
    more_columns: int


def frame_preview(value: Any) -> bytes | None:
    """The first rows of a frame or series of pandas or polars, as the content of the file. None for
    any other value, and where an object in the frame does not allow it."""
    classes = {f"{cls.__module__.partition('.')[0]}.{cls.__name__}" for cls in type(value).__mro__}
    kind = next((kind for kind in _COLUMNS_OF if kind in classes), None)
    if kind is None:
        return None
    try:
        columns = list(islice(_COLUMNS_OF[kind](value), MOST_COLUMNS))
        cells = [[_cell(one) for one in values] for _, _, values in columns]
        return msgspec.json.encode(
            _Stored(
                [(_text(name), _text(dtype)) for name, dtype, _ in columns],
                [list(row) for row in zip(*cells, strict=True)],
                len(value) > _ROWS,
                max(0, _width(value) - MOST_COLUMNS),
            )
        )
    except Exception:  # the text of an object in it fails, say: a preview is worth no failed step
        return None


def read_frame_preview(data: bytes, rows: int) -> Preview:
    """What the file says, at most `rows` rows."""
    try:
        found = msgspec.json.decode(data, type=_Stored)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return NoPreview("The preview of the value is damaged. Materialize its asset again.")
    more = found.more or len(found.rows) > rows
    return TablePreview(found.columns, found.rows[:rows], more, found.more_columns)


def _of_polars_frame(frame: Any) -> Iterator[Column]:
    for column in frame.get_columns():
        yield from _of_polars_series(column)


def _of_polars_series(series: Any) -> Iterator[Column]:
    yield series.name, series.dtype, series.head(_ROWS).to_list()


def _of_pandas_frame(frame: Any) -> Iterator[Column]:
    yield from _levels(frame.index)
    for name, column in frame.iloc[:_ROWS].items():
        yield name, column.dtype, column.tolist()


def _of_pandas_series(series: Any) -> Iterator[Column]:
    yield from _levels(series.index)
    yield "" if series.name is None else series.name, series.dtype, series.iloc[:_ROWS].tolist()


def _levels(index: Any) -> Iterator[Column]:
    """The columns of an index, unless it counts from 0."""
    if _is_default(index):
        return
    for number, name in enumerate(index.names):
        level = index.get_level_values(number)[:_ROWS]
        yield "" if name is None else name, level.dtype, level.tolist()


def _is_default(index: Any) -> bool:
    return type(index).__name__ == "RangeIndex" and (index.start, index.step) == (0, 1)


def _width(frame: Any) -> int:
    """How many columns there are, with those of the index."""
    own = frame.shape[1] if len(frame.shape) > 1 else 1
    index = getattr(frame, "index", None)
    return own if index is None or _is_default(index) else own + index.nlevels


def _cell(value: Any) -> Cell:
    if type(value).__name__ in _NULLS:
        return None
    if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0:
        value = value.item()
    if isinstance(value, bool | float):
        return bool(value) if isinstance(value, bool) else float(value)
    if isinstance(value, int) and abs(value) < 1 << 63:
        return int(value)
    return _text(value)


def _text(value: object) -> str:
    """The text of an object, whose length is bounded before it is made where that is possible."""
    brief = isinstance(value, Iterable) and not isinstance(value, str | bytes)
    text = _BRIEF.repr(value) if brief and type(value).__module__ == "builtins" else str(value)
    return text[:_MOST_TEXT]


_COLUMNS_OF: Mapping[str, Callable[[Any], Iterator[Column]]] = {
    "pandas.DataFrame": _of_pandas_frame,
    "pandas.Series": _of_pandas_series,
    "polars.DataFrame": _of_polars_frame,
    "polars.Series": _of_polars_series,
}
