"""Where two values of one asset differ, in sentences: the type first, then the first places."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assetgraph.definitions.annotations import table_kind, type_name
from assetgraph.text import shorten

_MOST = 10
_CELLS = 60
_DEPTH = 50


def is_table(value: object) -> bool:
    return table_kind(type(value)) is not None


def differences(before: Any, after: Any) -> list[str]:
    """Where `after` differs from `before`; empty if no difference is found. Tables are to be those
    of pyarrow."""
    found: list[str] = []
    for one in _differences(before, after, "", 0):
        found.append(one)
        if len(found) == _MOST:
            break
    return found


def _differences(before: Any, after: Any, where: str, depth: int) -> Iterator[str]:
    if type(before) is not type(after):
        yield _said(where, f"it was {_kind(before)}, and is {_kind(after)}")
    elif isinstance(before, Mapping):
        yield from _of_mappings(before, after, where, depth)
    elif isinstance(before, list | tuple):
        yield from _of_sequences(before, after, where, depth)
    elif isinstance(before, str):
        yield from _of_texts(before, str(after), where)
    elif isinstance(before, bytes):
        yield from _of_bytes(before, after, where)
    elif isinstance(before, Path):
        yield from _of_files(before, after, where)
    elif is_table(before):
        yield from _of_tables(before, after)
    elif hasattr(before, "dtype") and hasattr(before, "shape"):
        yield from _of_arrays(before, after, where)
    elif not _equal(before, after):
        yield _said(where, f"{_shown(before)} before, {_shown(after)} now")


def _of_mappings(
    before: Mapping[Any, Any], after: Mapping[Any, Any], where: str, depth: int
) -> Iterator[str]:
    for key in before:
        if key not in after:
            yield _said(where, f"the key {key!r} is gone")
    for key in after:
        if key not in before:
            yield _said(where, f"the key {key!r} is new")
    if depth < _DEPTH:
        for key in before:
            if key in after:
                yield from _differences(before[key], after[key], f"{where}[{key!r}]", depth + 1)


def _of_sequences(before: Any, after: Any, where: str, depth: int) -> Iterator[str]:
    if len(before) != len(after):
        yield _said(where, f"{len(before):,} items before, {len(after):,} now")
    if depth < _DEPTH:
        for at, (one, other) in enumerate(zip(before, after, strict=False)):
            found = list(_differences(one, other, f"{where}[{at}]", depth + 1))
            if found:
                yield from found
                return  # the rest may only be shifted


def _of_texts(before: str, after: str, where: str) -> Iterator[str]:
    if before == after:
        return
    old, new = before.splitlines(), after.splitlines()
    if len(old) != len(new):
        yield _said(where, f"{len(old):,} lines before, {len(new):,} now")
    for number, (one, other) in enumerate(zip(old, new, strict=False), 1):
        if one != other:
            place = f"line {number}: " if len(old) > 1 or len(new) > 1 else ""
            yield _said(where, f"{place}{_shown(one)} before, {_shown(other)} now")
            return
    if len(old) == len(new):
        yield _said(where, "the ends of lines differ")


def _of_bytes(before: bytes, after: bytes, where: str) -> Iterator[str]:
    if len(before) != len(after):
        yield _said(where, f"{len(before):,} bytes before, {len(after):,} now")
    for at, (one, other) in enumerate(zip(before, after, strict=False)):
        if one != other:
            yield _said(where, f"byte {at:,}: {one:#04x} before, {other:#04x} now")
            return


def _of_files(before: Path, after: Path, where: str) -> Iterator[str]:
    """Of two files, or of two folders with files."""
    if before.is_dir() != after.is_dir():
        yield _said(where, "one of them is a folder")
    elif before.is_dir():
        old, new = _names(before), _names(after)
        for name in sorted(old - new):
            yield _said(where, f"the file {name} is gone")
        for name in sorted(new - old):
            yield _said(where, f"the file {name} is new")
        for name in sorted(old & new):
            yield from _of_files(before / name, after / name, f"{where}{name}")
    else:
        old_data, new_data = before.read_bytes(), after.read_bytes()
        try:
            yield from _of_texts(old_data.decode(), new_data.decode(), where)
        except UnicodeDecodeError:
            yield from _of_bytes(old_data, new_data, where)


def _names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def _of_tables(before: Any, after: Any) -> Iterator[str]:
    old = {field.name: field.type for field in before.schema}
    new = {field.name: field.type for field in after.schema}
    for name in [name for name in old if name not in new]:
        yield f"the column {name} is gone"
    for name in [name for name in new if name not in old]:
        yield f"the column {name} is new"
    for name in [name for name in old if name in new and old[name] != new[name]]:
        yield f"the column {name} was {old[name]}, and is {new[name]}"
    if list(old) != list(new) and set(old) == set(new):
        yield f"the columns are in another order: {', '.join(new)}"
    if before.num_rows != after.num_rows:
        yield f"{before.num_rows:,} rows before, {after.num_rows:,} now"
    for name in old:
        if name in new and old[name] == new[name]:
            yield from _of_columns(name, before.column(name), after.column(name))


def _of_columns(name: str, before: Any, after: Any) -> Iterator[str]:
    """The first row in which a column differs, and in how many."""
    rows = min(len(before), len(after))
    first, count, step = None, 0, 65_536
    for start in range(0, rows, step):
        old, new = before.slice(start, min(step, rows - start)), after.slice(start, step)
        if old.equals(new.slice(0, len(old))):
            continue
        for at, (one, other) in enumerate(zip(old.to_pylist(), new.to_pylist(), strict=False)):
            if not _equal(one, other):
                count += 1
                first = first or (start + at, one, other)
    if first is not None:
        row, one, other = first
        yield (
            f"the column {name} differs in {count:,} of {rows:,} rows, first in row {row:,}: "
            f"{_shown(one)} before, {_shown(other)} now"
        )


def _of_arrays(before: Any, after: Any, where: str) -> Iterator[str]:
    if before.dtype != after.dtype:
        yield _said(where, f"its type was {before.dtype}, and is {after.dtype}")
    elif before.shape != after.shape:
        yield _said(where, f"its shape was {before.shape}, and is {after.shape}")
    else:
        import numpy as np

        unequal = np.atleast_1d((before != after) & ~((before != before) & (after != after)))
        places = np.argwhere(unequal)
        if len(places):
            first = tuple(int(at) for at in places[0]) if before.ndim else ()
            yield _said(
                where,
                f"{len(places):,} of {before.size:,} elements differ, first at "
                f"{list(first)}: {_shown(before[first])} before, {_shown(after[first])} now",
            )


def _equal(before: object, after: object) -> bool:
    if isinstance(before, float) and isinstance(after, float):
        return before == after or (math.isnan(before) and math.isnan(after))
    try:
        return bool(before == after)
    except Exception:  # an object's own comparison may do anything
        return False


def _said(where: str, text: str) -> str:
    return f"{where}: {text}" if where else text


def _shown(value: object) -> str:
    return shorten(repr(value), _CELLS)


def _kind(value: object) -> str:
    return type_name(type(value)).removeprefix("builtins.")
