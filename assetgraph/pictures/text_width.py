"""How wide a text is, where no font can be asked."""

from __future__ import annotations

import unicodedata


def fitted(text: str, room: float) -> str:
    """`text`, or its beginning with an ellipsis if it is wider than `room`, in ems."""
    if ems(text) <= room:
        return text
    used, end = 1.0, 0
    for character in text:
        used += ems(character)
        if used > room:
            break
        end += 1
    return text[:end].rstrip() + "…"


def ems(text: str) -> float:
    """The estimated maximum width of `text` in a common sans-serif font, in ems."""
    return sum(map(_em, text))


def _em(character: str) -> float:
    if character in "iljtfrI.,:;'|!-()[]/ ":
        return 0.36
    if character in "mwMW@%":
        return 0.92
    if character.isascii():
        return 0.7 if character.isupper() else 0.58
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 1.0 if unicodedata.east_asian_width(character) in "WF" else 0.7
