"""Outlines in WKT: `MULTIPOLYGON (((x y, x y, …), (hole…)), …)` or `POLYGON ((…))`."""

from __future__ import annotations

import json
import re

Ring = list[list[float]]
"""Points as [longitude, latitude]; the last equals the first."""

Polygon = list[Ring]
"""The outer ring, then the holes."""

_POINT = re.compile(r"([^\s(),]+)\s+([^\s(),]+)")
_BRACKETS = str.maketrans("()", "[]")


def polygons(text: str) -> list[Polygon]:
    """The polygons of an outline. Raises `ValueError` if the text is not valid WKT."""
    kind, _, _ = text.partition("(")
    points = _POINT.sub(r"[\1,\2]", text[len(kind) :])
    try:
        nested = json.loads(points.translate(_BRACKETS))
        found: list[Polygon] = {"MULTIPOLYGON": nested, "POLYGON": [nested]}[kind.strip().upper()]
    except (KeyError, ValueError):
        raise ValueError(f"{text[:40]!r} is not an outline in WKT") from None
    return found


def join(outlines: list[str]) -> str:
    """One outline with the parts of all `outlines`. Raises `ValueError` if one is not valid WKT."""
    return f"MULTIPOLYGON ({', '.join(_parts(outline) for outline in outlines)})"


def _parts(outline: str) -> str:
    """The polygons of an outline as text, without an outer pair of parentheses."""
    kind, _, _ = outline.partition("(")
    body = outline[len(kind) :].strip()
    match kind.strip().upper():
        case "MULTIPOLYGON" if body.endswith(")"):
            return body[1:-1]
        case "POLYGON" if body.endswith(")"):
            return body
    raise ValueError(f"{outline[:40]!r} is not an outline in WKT")
