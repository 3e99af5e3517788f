"""Text, bytes and JSON: stored as they are, and small ones in the record itself.

JSON holds only values that it returns unchanged: see `survives_json`.
"""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.records import StoredValue, ValueCondition
from assetgraph.storage.formats.digest import digest_of
from assetgraph.storage.formats.value_format import (
    ClassVersion,
    Saved,
    ValueFormat,
    missing_in_record,
)

if TYPE_CHECKING:
    from assetgraph.storage.formats.preview_types import Preview

INLINE_BYTES = 4096
SHORT = 8  # digits of the checksum of a value in its record
MAX_DEPTH = 100
_SUFFIX = {"text": "txt", "bytes": "bin", "json": "json"}
_LEAVES = {str, int, float, bool, type(None)}
_ALLOWED = _LEAVES | {list, dict}
_LONGEST_PREVIEW = 1 << 20

_encode = msgspec.json.Encoder().encode
_decode_json = msgspec.json.Decoder().decode


class PlainFormat(ValueFormat):
    """A str, bytes, or lists, dicts and leaves that JSON returns unchanged."""

    def save(self, folder: str, value: object, class_version: ClassVersion | None) -> Saved | None:
        if value is None:
            return None
        kind = type(value)
        if kind is str:
            name, data = "text", exact_text(str(value))
        elif isinstance(value, bytes) and kind is bytes:
            name, data = "bytes", value
        else:
            name, data = "json", exact_json(value)
        if data is None:
            return None
        version = digest_of(name, data)
        if len(data) <= INLINE_BYTES:
            inline = base64.b64encode(data) if name == "bytes" else data
            short = version[:SHORT]
            stored = StoredValue(name, kind.__name__, inline=inline.decode(), checksum=short)
            return Saved(stored, version)
        path = f"{folder}/value.{_SUFFIX[name]}"
        self.files.place.write(path, data)
        return Saved(StoredValue(name, kind.__name__, **self.files.written(path, version)), version)

    def load(self, stored: StoredValue, annotation: Any) -> object:
        if stored.path is not None:
            self.files.checked_path(stored)
            data = self.files.place.read(stored.path)
        elif stored.inline is None:
            raise missing_in_record()
        elif stored.format == "bytes":
            return base64.b64decode(stored.inline)
        else:
            data = stored.inline.encode()
        if stored.format == "json":
            return _decode_json(data)
        return data.decode() if stored.format == "text" else data

    def check(self, stored: StoredValue, *, deep: bool = False) -> ValueCondition:
        if stored.path is not None:
            return super().check(stored, deep=deep)
        if stored.checksum is None or stored.inline is None:
            return "intact"
        data = stored.inline.encode()
        if stored.format == "bytes":
            try:
                data = base64.b64decode(data, validate=True)
            except ValueError:
                return "damaged"
        same = digest_of(stored.format, data)[:SHORT] == stored.checksum
        return "intact" if same else "damaged"

    def preview(self, stored: StoredValue, rows: int) -> Preview:
        from assetgraph.storage.formats.preview_types import NoPreview, TextPreview

        if stored.format == "bytes":
            return NoPreview("The value is bytes, which have no preview.")
        if (stored.size or 0) > _LONGEST_PREVIEW:
            return NoPreview(f"The value is too large to show here: {stored.size:,} bytes.")
        value = self.load(stored, None)
        if isinstance(value, str):
            return TextPreview(value)
        return TextPreview(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def exact_json(value: object) -> bytes | None:
    """The value as JSON, or None if JSON would not return it unchanged."""
    if not survives_json(value):
        return None
    try:
        return _encode(value)
    except (UnicodeEncodeError, ValueError):  # a lone surrogate, or an int with too many digits
        return None


def exact_text(value: str) -> bytes | None:
    """The text as UTF-8, or None if it has a lone surrogate."""
    try:
        return value.encode()
    except UnicodeEncodeError:
        return None


def survives_json(value: object) -> bool:
    """Whether JSON returns the value unchanged.

    It may hold only lists, dicts with str keys, str, finite numbers, bools and None, and no
    subclasses of these. No list or dict may be in two places, since it would come back as two, or
    inside itself.
    """
    if type(value) in _LEAVES:
        return type(value) is not float or math.isfinite(value)
    seen: set[int] = set()
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        deeper: list[object] = []
        for container in level:
            if type(container) is dict:
                if container and set(map(type, container)) != {str}:
                    return False
                items = list(container.values())
            else:
                items = container if type(container) is list else [container]
            if id(container) in seen or not _all_plain(items):
                return False
            seen.add(id(container))
            deeper += [item for item in items if type(item) is list or type(item) is dict]
        if not deeper:
            return True
        level = deeper
    return False


def _all_plain(items: list[object]) -> bool:
    kinds = set(map(type, items))
    if not kinds <= _ALLOWED:
        return False
    if float not in kinds:
        return True
    return all(math.isfinite(item) for item in items if type(item) is float)
