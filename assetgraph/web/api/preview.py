"""What can be shown of a value without running anything of it."""

from __future__ import annotations

import csv
import os
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.errors import AssetGraphError

if TYPE_CHECKING:
    from assetgraph.records import StoredValue
    from assetgraph.storage.store import Store

ROWS = 50
_TEXT_BYTES = 16_384
_CELL = 200
_WHOLE_BYTES = 1 << 20
_LONGEST_LINE = 1 << 24
IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
}


def preview(store: Store, stored: StoredValue) -> dict[str, Any]:
    """`kind` is table, text, image, folder or none; `note` says what is not shown, and why."""
    try:
        return _preview(store, stored)
    except AssetGraphError as error:
        return _nothing(str(error))
    except (OSError, ValueError, csv.Error) as error:
        return _nothing(f"It does not read: {error}")


def image_file(store: Store, stored: StoredValue) -> tuple[Path, str] | None:
    """The file of a value that is a picture, with its media type."""
    if stored.format != "path" or stored.path is None:
        return None
    file = store.project_root / stored.path
    media = IMAGES.get(file.suffix.lower())
    return (file, media) if media and file.is_file() else None


def _preview(store: Store, stored: StoredValue) -> dict[str, Any]:
    match stored.format:
        case "none":
            return _nothing("It returned nothing to store.")
        case "path":
            return _file(store.project_root / (stored.path or ""))
        case "parquet" | "arrow":
            import pyarrow.dataset

            return _table(store.values.load(stored, pyarrow.dataset.Dataset))
        case "json" | "text" if (stored.size or 0) <= _WHOLE_BYTES:
            return _plain(store.values.load(stored))
        case "json" | "text":
            return _nothing(f"Its {stored.size:,} bytes are too many to show here.")
        case "bytes":
            return _nothing("It is bytes.")
        case "pickle":
            return _nothing(f"It is a pickled {stored.type}: to look at it would run code.")
    return _nothing("It is stored by an IO manager of the project.")


def _file(file: Path) -> dict[str, Any]:
    suffix = file.suffix.lower()
    if file.is_dir():
        names = sorted(os.listdir(file))
        return {"kind": "folder", "names": names[:ROWS], "count": len(names)}
    if suffix in IMAGES:
        return {"kind": "image"}
    if suffix in (".csv", ".tsv"):
        return _csv(file, "\t" if suffix == ".tsv" else ",")
    if suffix == ".parquet":
        import pyarrow.dataset

        return _table(pyarrow.dataset.dataset(file))
    with file.open("rb") as opened:
        data = opened.read(_TEXT_BYTES + 1)
    if b"\0" in data:
        return _nothing("It is not text.")
    return _text(data.decode(errors="replace"))


def _csv(file: Path, delimiter: str) -> dict[str, Any]:
    with file.open(newline="", encoding="utf-8", errors="replace") as opened:
        # A polygon as text is longer than what the reader takes of a cell unless it is told.
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_LINE))
        lines = iter(partial(opened.readline, _LONGEST_LINE), "")
        found = islice(csv.reader(lines, delimiter=delimiter), ROWS + 2)
        rows = [[_cell(cell) for cell in row] for row in found]
    head, *body = rows or [[]]
    return _rows([{"name": name, "type": ""} for name in head], body)


def _table(dataset: Any) -> dict[str, Any]:
    head = dataset.head(ROWS + 1)
    columns = [{"name": field.name, "type": str(field.type)} for field in head.schema]
    cells = [[_cell(value) for value in column.to_pylist()] for column in head.columns]
    return _rows(columns, [list(row) for row in zip(*cells, strict=True)])


def _rows(columns: list[dict[str, str]], rows: list[list[Any]]) -> dict[str, Any]:
    shown = {"kind": "table", "columns": columns, "rows": rows[:ROWS]}
    return {**shown, "note": f"The first {ROWS} rows."} if len(rows) > ROWS else shown


def _plain(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return _text(value)
    return _text(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _text(text: str) -> dict[str, Any]:
    shown = {"kind": "text", "text": text[:_TEXT_BYTES]}
    return {**shown, "note": "The beginning."} if len(text) > _TEXT_BYTES else shown


def _nothing(note: str) -> dict[str, Any]:
    return {"kind": "none", "note": note}


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"
