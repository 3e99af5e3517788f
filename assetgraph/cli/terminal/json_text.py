"""JSON for scripts, safe to show on a terminal too."""

from __future__ import annotations

import unicodedata
from typing import Any

import msgspec

from assetgraph.storage.atomic_files import encoded

_UNSAFE = {"Cc", "Cf", "Zl", "Zp"}


def json_text(data: Any) -> str:
    """`data` as indented JSON, with every control character and direction mark escaped."""
    return _safe(msgspec.json.format(encoded(data), indent=2).decode())


def json_line(data: Any) -> str:
    """`data` likewise, on one line."""
    return _safe(encoded(data).decode())


def _safe(text: str) -> str:
    if text.isascii():
        return text.replace("\x7f", "\\u007f")
    return "".join(_escaped(c) if unicodedata.category(c) in _UNSAFE else c for c in text)


def _escaped(character: str) -> str:
    if character == "\n":  # between values: JSON escapes it inside them
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
