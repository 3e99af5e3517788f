"""JSON for scripts, which may end up on a terminal all the same."""

from __future__ import annotations

import unicodedata
from typing import Any

import msgspec

_UNSAFE = {"Cc", "Cf", "Zl", "Zp"}


def json_text(data: Any) -> str:
    """`data` as indented JSON in which every control and direction mark is escaped."""
    return _safe(msgspec.json.format(msgspec.json.encode(data), indent=2).decode())


def json_line(data: Any) -> str:
    """The same in one line."""
    return _safe(msgspec.json.encode(data).decode())


def _safe(text: str) -> str:
    if text.isascii():
        return text.replace("\x7f", "\\u007f")
    return "".join(_escaped(c) if unicodedata.category(c) in _UNSAFE else c for c in text)


def _escaped(character: str) -> str:
    if character == "\n":  # between the values: inside them it is escaped already
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
