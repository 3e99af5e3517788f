"""Taxi zones as GeoJSON (RFC 7946)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from nyc_taxi.wkt import polygons

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nyc_taxi.wkt import Ring

DECIMALS = 6  # of a degree: about ten centimetres


def feature(outline: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """A GeoJSON feature from an outline in WKT. Raises `ValueError` if it is not valid WKT."""
    shape = [
        [_wound(ring, counterclockwise=position == 0) for position, ring in enumerate(polygon)]
        for polygon in polygons(outline)
    ]
    return {
        "type": "Feature",
        "properties": dict(properties),
        "geometry": {"type": "MultiPolygon", "coordinates": shape},
    }


def _wound(ring: Ring, *, counterclockwise: bool) -> Ring:
    """The ring in the given direction. RFC 7946 wants outer rings counterclockwise, holes not."""
    x, y = ring[0]
    doubled_area = sum(
        (ax - x) * (by - y) - (bx - x) * (ay - y) for (ax, ay), (bx, by) in pairwise(ring)
    )
    points = ring if (doubled_area > 0) == counterclockwise else ring[::-1]
    return [[round(x, DECIMALS), round(y, DECIMALS)] for x, y in points]
