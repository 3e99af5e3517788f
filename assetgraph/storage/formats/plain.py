"""Text, bytes and JSON: what is kept as it is, in the record itself where it is small.

JSON is for what it gives back exactly: see `survives_json`.
"""

from __future__ import annotations

import math

import msgspec

MAX_DEPTH = 100
_LEAVES = {str, int, float, bool, type(None)}
_ALLOWED = _LEAVES | {list, dict}

_encode = msgspec.json.Encoder().encode
decode_json = msgspec.json.Decoder().decode


def exact_json(value: object) -> bytes | None:
    """The value as JSON, or None if JSON would not give it back just as it is."""
    if not survives_json(value):
        return None
    try:
        return _encode(value)
    except (UnicodeEncodeError, ValueError):  # half a character, or a number of too many digits
        return None


def exact_text(value: str) -> bytes | None:
    try:
        return value.encode()
    except UnicodeEncodeError:
        return None


def survives_json(value: object) -> bool:
    """Whether JSON would give the value back just as it is: only lists, dicts with keys of text,
    text, numbers that are finite, bools and None, each of just that type; no list or dict in two
    places (they would come back as two) and nothing inside itself."""
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
