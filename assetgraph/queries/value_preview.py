"""What every view shows of a stored value, as JSON, without running code from the value."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assetgraph.errors import AssetGraphError
from assetgraph.storage.formats.format_registry import location_of
from assetgraph.storage.formats.previews import (
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
        return _shown(store.values.preview(stored, most), most)
    except AssetGraphError as error:
        return _nothing(str(error))
    except (OSError, ValueError, csv.Error) as error:
        return _nothing(f"The value cannot be read: {error}")


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
    if suffix in (".csv", ".tsv"):
        return _csv(file, "\t" if suffix == ".tsv" else ",", most)
    if suffix == ".parquet":
        from assetgraph.storage.formats.arrow.table_sources import TableInFile

        return _shown(TableInFile(str(file), None, "parquet").preview(most, MOST_COLUMNS), most)
    with file.open("rb") as opened:
        data = opened.read(_TEXT_BYTES + 1)
    if b"\0" in data:
        return _nothing("The file is not text.")
    return _text(data.decode(errors="replace"))


def _csv(file: Path, delimiter: str, most: int) -> dict[str, Any]:
    with file.open(newline="", encoding="utf-8", errors="replace") as opened:
        # The csv module refuses long cells by default, such as a polygon as text.
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_LINE))
        lines = iter(partial(opened.readline, _LONGEST_LINE), "")
        head, *body = list(islice(csv.reader(lines, delimiter=delimiter), most + 2)) or [[]]
    columns = [{"name": _cell(name), "type": ""} for name in head[:MOST_COLUMNS]]
    rows = [row[:MOST_COLUMNS] for row in body[:most]]
    return _table(columns, rows, len(body) > most, max(0, len(head) - MOST_COLUMNS))


def _table(
    columns: list[dict[str, Any]], rows: Sequence[Sequence[Any]], more: bool, more_columns: int
) -> dict[str, Any]:
    cells = [[_cell(value) for value in row] for row in rows]
    shown = {"kind": "table", "columns": columns, "rows": cells}
    notes = [f"The first {len(rows)} rows."] if more else []
    if more_columns:
        notes.append(f"The first {len(columns)} of {len(columns) + more_columns:,} columns.")
    return {**shown, "note": " ".join(notes)} if notes else shown


def _text(text: str) -> dict[str, Any]:
    shown = {"kind": "text", "text": text[:_TEXT_BYTES]}
    return {**shown, "note": "Only the beginning."} if len(text) > _TEXT_BYTES else shown


def _nothing(note: str) -> dict[str, Any]:
    return {"kind": "none", "note": note}


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"
