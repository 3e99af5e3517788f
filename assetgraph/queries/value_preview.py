"""What every view shows of a stored value, as JSON, without running code from the value."""

from __future__ import annotations

import codecs
import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assetgraph.errors import AssetGraphError, NoValueError
from assetgraph.storage.formats.format_registry import location_of
from assetgraph.storage.formats.preview_types import (
    MOST_COLUMNS,
    FilePreview,
    NoPreview,
    Preview,
    TablePreview,
    TextPreview,
)

if TYPE_CHECKING:
    from assetgraph.records import StoredValue
    from assetgraph.storage.store import Store

ROWS = 50
_TEXT_BYTES = 16_384
_CELL = 200
_TELLING_ROWS = 10
_DELIMITERS = ",;\t|"
_LONGEST_LINE = 1 << 24
IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
}


def preview(store: Store, stored: StoredValue, most: int = ROWS) -> dict[str, Any]:
    """At most `most` rows of a table, or the beginning of a text.

    `kind` is table, text, image, folder or none. `note` says what is not shown, and why.
    """
    try:
        return readable_preview(store, stored, most)
    except AssetGraphError as error:
        return _nothing(str(error))


def readable_preview(store: Store, stored: StoredValue, most: int = ROWS) -> dict[str, Any]:
    """The `preview` of a value that can be read. Raises `AssetGraphError` for one that cannot."""
    try:
        return _shown(store.values.preview(stored, most), most)
    except (OSError, ValueError, csv.Error) as error:
        raise NoValueError(
            f"the value cannot be read: {error}.", hint="Materialize its asset again."
        ) from error


def image_file(store: Store, stored: StoredValue) -> tuple[Path, str] | None:
    """The file of a value that is an image, with its media type."""
    if location_of(stored) != "project":
        return None
    file = store.project_root / (stored.path or "")
    media = IMAGES.get(file.suffix.lower())
    return (file, media) if media and file.is_file() else None


def _shown(found: Preview, most: int) -> dict[str, Any]:
    match found:
        case TablePreview():
            columns = [{"name": name, "type": kind} for name, kind in found.columns]
            return _table(columns, found.rows, found.more, found.more_columns)
        case TextPreview():
            return _text(found.text)
        case FilePreview():
            return _file(Path(found.path), most)
        case NoPreview():
            return _nothing(found.reason)


def _file(file: Path, most: int) -> dict[str, Any]:
    """A file or folder that the asset returned, by its suffix."""
    suffix = file.suffix.lower()
    if file.is_dir():
        names = sorted(os.listdir(file))
        return {"kind": "folder", "names": names[:most], "count": len(names)}
    if suffix in IMAGES:
        return {"kind": "image"}
    if file.stat().st_size == 0:
        return _nothing("The file is empty.")
    if suffix in (".csv", ".tsv"):
        return _csv(file, _DELIMITERS if suffix == ".csv" else "\t" + _DELIMITERS, most)
    if suffix == ".parquet":
        from assetgraph.storage.formats.arrow.table_sources import TableInFile

        return _shown(TableInFile(str(file), None, "parquet").preview(most, MOST_COLUMNS), most)
    with file.open("rb") as opened:
        data = opened.read(_TEXT_BYTES + 1)
    encoding, note = _encoding(data)
    if b"\0" in data and encoding != "utf-16":
        return _nothing(f"The file {file.name} is not text. Open it in its own program.")
    return _noted(_text(data.decode(encoding, errors="replace")), note)


def _csv(file: Path, delimiters: str, most: int) -> dict[str, Any]:
    """The first rows, told apart by the first of `delimiters` that fits."""
    with file.open("rb") as sample:
        encoding, note = _encoding(sample.read(_TEXT_BYTES))
    with file.open(newline="", encoding=encoding, errors="replace") as opened:
        lines = iter(partial(opened.readline, _LONGEST_LINE), "")
        first = list(islice(lines, _TELLING_ROWS))
        delimiter = _delimiter(first, delimiters)
        head, *body = list(islice(_records(chain(first, lines), delimiter), most + 2)) or [[]]
    body, more = body[:most], len(body) > most
    width = max(len(row) for row in (head, *body))
    head = [*head, *[""] * (width - len(head))]
    columns = [{"name": _cell(name), "type": ""} for name in head[:MOST_COLUMNS]]
    rows = [[*row, *[None] * (width - len(row))][:MOST_COLUMNS] for row in body]
    return _noted(_table(columns, rows, more, max(0, width - MOST_COLUMNS)), note)


def _records(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    # The csv module refuses long cells by default, such as a polygon as text.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_LINE))
    return filter(None, csv.reader(lines, delimiter=delimiter))  # a blank line is no row


def _delimiter(lines: Sequence[str], delimiters: str) -> str:
    """The one that splits the lines into the most columns, and each into as many; else the first.

    Where a comma is the decimal point, a semicolon is between the cells.
    """
    widths = {}
    for one in delimiters:
        found = {len(row) for row in _records(lines, one)}
        widths[one] = found.pop() if len(found) == 1 else 1
    return max(delimiters, key=lambda one: widths[one])


def _encoding(data: bytes) -> tuple[str, str | None]:
    """In which encoding the beginning of a file is text, and a note if that is a guess."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)  # a character may be cut at the end
    except UnicodeDecodeError:
        return "cp1252", "The file is not UTF-8. It is shown as Windows-1252."
    return "utf-8-sig", None


def _noted(shown: dict[str, Any], note: str | None) -> dict[str, Any]:
    notes = [text for text in (shown.get("note"), note) if text]
    return {**shown, "note": " ".join(notes)} if notes else shown


def _table(
    columns: list[dict[str, Any]], rows: Sequence[Sequence[Any]], more: bool, more_columns: int
) -> dict[str, Any]:
    cells = [[_cell(value) for value in row] for row in rows]
    shown = {"kind": "table", "columns": columns, "rows": cells}
    if more:
        shown = _noted(shown, f"The first {len(rows)} rows.")
    if more_columns:
        total = len(columns) + more_columns
        shown = _noted(shown, f"The first {len(columns)} of {total:,} columns.")
    return shown


def _text(text: str) -> dict[str, Any]:
    shown = {"kind": "text", "text": text[:_TEXT_BYTES]}
    return _noted(shown, "Only the beginning." if len(text) > _TEXT_BYTES else None)


def _nothing(note: str) -> dict[str, Any]:
    return {"kind": "none", "note": note}


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"
