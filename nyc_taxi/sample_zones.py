"""The embedded sample of the taxi zones: the names of the city's zones, at roughly their places.

The borders are not the city's. Manhattan's outline is drawn by hand, and each zone in it is the
area that is nearer to its own middle than to any other zone's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nyc_taxi.wkt import Ring

HEADER = "OBJECTID,Shape_Leng,the_geom,Shape_Area,zone,LocationID,borough"
OBJECT_ID = 0  # in every row; the real file counts from 1
LONGITUDE_SCALE = math.cos(math.radians(40.77))  # a degree of longitude, in degrees of latitude


@dataclass(frozen=True, slots=True)
class Zone:
    """A taxi zone: its place in degrees, and its share of pick-ups as a `weight`."""

    id: int
    name: str
    borough: str
    longitude: float
    latitude: float
    weight: float


def _zones(borough: str, table: str) -> tuple[Zone, ...]:
    """Zones from lines with id, longitude, latitude, weight and name."""
    zones = []
    for line in table.strip().splitlines():
        zone_id, longitude, latitude, weight, name = line.split(maxsplit=4)
        place = float(longitude), float(latitude)
        zones.append(Zone(int(zone_id), name, borough, *place, float(weight)))
    return tuple(zones)


MANHATTAN = _zones(
    "Manhattan",
    """
    12  -74.016 40.703  2  Battery Park
    88  -74.010 40.704  6  Financial District South
    87  -74.007 40.707 10  Financial District North
    209 -74.003 40.709  4  Seaport
    261 -74.012 40.710  9  World Trade Center
    13  -74.017 40.712 11  Battery Park City
    45  -73.998 40.713  5  Chinatown
    232 -73.986 40.713  6  Two Bridges/Seward Park
    231 -74.007 40.718 20  TriBeCa/Civic Center
    148 -73.990 40.719 17  Lower East Side
    144 -73.996 40.721 13  Little Italy/NoLiTa
    211 -74.002 40.724 15  SoHo
    125 -74.008 40.726 10  Hudson Sq
    4   -73.978 40.724  5  Alphabet City
    79  -73.985 40.728 33  East Village
    114 -73.997 40.728 18  Greenwich Village South
    113 -73.994 40.732 19  Greenwich Village North
    249 -74.002 40.735 24  West Village
    158 -74.009 40.735 13  Meatpacking/West Village West
    224 -73.977 40.732  5  Stuy Town/Peter Cooper Village
    107 -73.984 40.737 28  Gramercy
    234 -73.990 40.740 36  Union Sq
    90  -73.997 40.742 24  Flatiron
    137 -73.976 40.741 17  Kips Bay
    170 -73.978 40.748 34  Murray Hill
    164 -73.985 40.748 29  Midtown South
    186 -73.993 40.748 40  Penn Station/Madison Sq West
    68  -74.000 40.748 31  East Chelsea
    246 -74.005 40.753 25  West Chelsea/Hudson Yards
    100 -73.988 40.754 20  Garment District
    233 -73.970 40.750 20  UN/Turtle Bay South
    229 -73.965 40.757 23  Sutton Place/Turtle Bay North
    162 -73.972 40.757 41  Midtown East
    161 -73.977 40.758 53  Midtown Center
    230 -73.984 40.760 39  Times Sq/Theatre District
    48  -73.990 40.762 35  Clinton East
    50  -73.996 40.766 11  Clinton West
    163 -73.977 40.764 33  Midtown North
    141 -73.959 40.767 33  Lenox Hill West
    140 -73.954 40.765 24  Lenox Hill East
    237 -73.965 40.769 57  Upper East Side South
    236 -73.957 40.780 51  Upper East Side North
    263 -73.951 40.779 24  Yorkville West
    262 -73.946 40.777 16  Yorkville East
    43  -73.965 40.782 18  Central Park
    142 -73.982 40.772 36  Lincoln Square East
    143 -73.988 40.776 14  Lincoln Square West
    239 -73.978 40.784 36  Upper West Side South
    238 -73.972 40.792 25  Upper West Side North
    151 -73.968 40.798 10  Manhattan Valley
    24  -73.965 40.802  4  Bloomingdale
    75  -73.945 40.790 10  East Harlem South
    74  -73.938 40.801  8  East Harlem North
    41  -73.951 40.804  6  Central Harlem
    166 -73.961 40.810  6  Morningside Heights
    42  -73.942 40.818  4  Central Harlem North
    152 -73.954 40.818  2  Manhattanville
    116 -73.949 40.827  3  Hamilton Heights
    244 -73.941 40.841  3  Washington Heights South
    120 -73.932 40.846  1  Highbridge Park
    243 -73.936 40.857  2  Washington Heights North
    127 -73.919 40.866  1  Inwood
    128 -73.926 40.873  1  Inwood Hill Park
    """,
)
BEYOND = (
    *_zones("EWR", "1 -74.175 40.690 1 Newark Airport"),
    *_zones(
        "Queens",
        """
        132 -73.786 40.644 48 JFK Airport
        138 -73.873 40.774 36 LaGuardia Airport
        7   -73.920 40.762  4 Astoria
        145 -73.948 40.747  3 Long Island City/Hunters Point
        129 -73.886 40.755  2 Jackson Heights
        """,
    ),
    *_zones(
        "Brooklyn",
        """
        255 -73.957 40.718  3 Williamsburg (North Side)
        65  -73.986 40.693  3 Downtown Brooklyn/MetroTech
        33  -73.994 40.695  2 Brooklyn Heights
        181 -73.980 40.671  2 Park Slope
        37  -73.922 40.694  1 Bushwick South
        """,
    ),
    *_zones("Bronx", "168 -73.917 40.811 2 Mott Haven/Port Morris"),
    *_zones("Staten Island", "206 -74.100 40.640 1 Saint George/New Brighton"),
)
ZONES = (*MANHATTAN, *BEYOND)

# Clockwise from the Battery: up the Hudson, around Inwood, down the Harlem and East Rivers.
MANHATTAN_OUTLINE: Ring = [
    [-74.017, 40.702], [-74.019, 40.707], [-74.016, 40.718], [-74.013, 40.728],
    [-74.011, 40.735], [-74.010, 40.742], [-74.009, 40.750], [-74.006, 40.757],
    [-74.001, 40.765], [-73.994, 40.773], [-73.988, 40.781], [-73.981, 40.791],
    [-73.973, 40.802], [-73.965, 40.813], [-73.959, 40.822], [-73.953, 40.832],
    [-73.948, 40.842], [-73.946, 40.850], [-73.939, 40.859], [-73.933, 40.869],
    [-73.927, 40.877], [-73.920, 40.876], [-73.912, 40.873], [-73.911, 40.867],
    [-73.920, 40.857], [-73.929, 40.847], [-73.933, 40.837], [-73.935, 40.828],
    [-73.934, 40.818], [-73.932, 40.808], [-73.929, 40.801], [-73.930, 40.796],
    [-73.937, 40.789], [-73.943, 40.782], [-73.943, 40.776], [-73.949, 40.769],
    [-73.957, 40.759], [-73.963, 40.752], [-73.969, 40.746], [-73.972, 40.740],
    [-73.973, 40.733], [-73.972, 40.727], [-73.974, 40.718], [-73.977, 40.711],
    [-73.989, 40.709], [-73.999, 40.707], [-74.005, 40.703], [-74.010, 40.701],
]  # fmt: skip


def zones_csv() -> str:
    """The sample as CSV text with the columns of the real file; always the same text."""
    lines = [HEADER]
    for zone in sorted(ZONES, key=lambda zone: zone.id):
        outline = _outline(zone)
        points = ", ".join(f"{x:.6f} {y:.6f}" for x, y in [*outline, outline[0]])
        shape = f'{_length(outline):.9f},"MULTIPOLYGON ((({points})))",{_area(outline):.12f}'
        lines.append(f"{OBJECT_ID},{shape},{zone.name},{zone.id},{zone.borough}")
    return "\n".join(lines) + "\n"


def _outline(zone: Zone) -> Ring:
    """The outline of a zone: in Manhattan its part of the island, elsewhere an octagon.

    The part of a zone is nearer to its middle than to any other zone's.
    """
    if zone not in MANHATTAN:
        return [
            [zone.longitude + 0.014 * math.cos(turn), zone.latitude + 0.010 * math.sin(turn)]
            for turn in (math.pi * (2 * eighth + 1) / 8 for eighth in range(8))
        ]
    outline = MANHATTAN_OUTLINE
    for other in MANHATTAN:
        if other != zone:
            outline = _nearer(outline, zone, other)
    return outline


def _nearer(outline: Ring, zone: Zone, other: Zone) -> Ring:
    """The part of `outline` that is nearer to `zone` than to `other`."""

    def surplus(point: list[float]) -> float:
        """How much nearer the point is to `zone`; negative on the other side."""
        return _squared(point, other) - _squared(point, zone)

    kept: Ring = []
    for start, end in zip(outline, outline[1:] + outline[:1], strict=True):
        here, there = surplus(start), surplus(end)
        if here >= 0:
            kept.append(start)
        if (here >= 0) != (there >= 0):
            way = here / (here - there)
            kept.append([a + way * (b - a) for a, b in zip(start, end, strict=True)])
    return kept


def _squared(point: list[float], zone: Zone) -> float:
    return ((point[0] - zone.longitude) * LONGITUDE_SCALE) ** 2 + (point[1] - zone.latitude) ** 2


def _length(ring: Ring) -> float:
    return sum(math.dist(a, b) for a, b in zip(ring, ring[1:] + ring[:1], strict=True))


def _area(ring: Ring) -> float:
    pairs = zip(ring, ring[1:] + ring[:1], strict=True)
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairs)) / 2
