"""The map of trips as a slide, with the zones to scale, the busiest ones, a legend, the source."""

from __future__ import annotations

import calendar
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import PathPatch

Collection = Mapping[str, Any]
Features = Sequence[Mapping[str, Any]]
Zones = Sequence[Mapping[str, Any]]

SLIDE_INCHES = (13.33, 7.5)
DOTS_AN_INCH = 150
PAPER, INK, QUIET, EMPTY, ALARM = "#FBFAF7", "#22252B", "#6F747D", "#E4E3DE", "#B3261E"
COLOURS = ("#FFF3C4", "#FFD75E", "#F9A825", "#DD5F1E", "#A32C2C", "#571339")
NUMBER_LOOKS: dict[str, Any] = {"ha": "center", "va": "center", "size": 7.5, "weight": "bold"}
BUSIEST = 10
LONGEST_NAME = 30
MILES_A_DEGREE = 69.0  # of latitude


def draw_map(stats: Collection, file: IO[bytes]) -> None:
    """Write a PNG of the zones in `stats`, the GeoJSON of the asset `manhattan_stats`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    zones = [feature["properties"] for feature in stats["features"]]
    figure = Figure(figsize=SLIDE_INCHES, facecolor=PAPER)
    FigureCanvasAgg(figure)
    colour = _Scale(max((zone["num_trips"] for zone in zones), default=0))
    _write_words(figure, stats, zones)
    busiest = sorted(zones, key=lambda zone: (-zone["num_trips"], zone["zone_id"]))[:BUSIEST]
    _draw_busiest(figure.add_axes((0.27, 0.20, 0.24, 0.50)), busiest, colour)
    _draw_legend(figure.add_axes((0.05, 0.115, 0.46, 0.022)), colour)
    _draw_zones(figure.add_axes((0.60, 0.03, 0.38, 0.94)), stats["features"], busiest, colour)
    figure.savefig(file, format="png", dpi=DOTS_AN_INCH, metadata={"Software": None})


class _Scale:
    """Maps a number of trips to a colour, by its square root so that quiet zones differ too."""

    def __init__(self, most: int) -> None:
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import LinearSegmentedColormap, PowerNorm

        self.most = most
        self.colours = LinearSegmentedColormap.from_list("taxi", COLOURS)
        self.norm = PowerNorm(0.5, 0, max(most, 1))
        self.mappable = ScalarMappable(self.norm, self.colours)

    def __call__(self, trips: int) -> Any:
        return self.colours(self.norm(trips)) if trips else EMPTY

    def ticks(self) -> list[int]:
        """Round numbers, spread about evenly along the legend."""
        inner = {_rounded(self.most * (part / 5) ** 2, 5) for part in range(5)}
        return sorted(inner | {_rounded(self.most, 1)})

    def ink_on(self, trips: int) -> str:
        return PAPER if self.norm(trips) > 0.45 else INK


def _rounded(number: float, step: int) -> int:
    """`number` rounded down to two digits, the second a multiple of `step`.

    Below ten it is rounded to the nearest whole number.
    """
    if number < 10:
        return round(number)
    unit = step * 10 ** (int(math.log10(number)) - 1)
    return int(number // unit * unit)


def _write_words(figure: Figure, stats: Collection, zones: Zones) -> None:
    trips = sum(zone["num_trips"] for zone in zones)
    figure.text(0.05, 0.885, "Where Manhattan hails its taxis", size=30, weight="bold", color=INK)
    figure.text(
        0.05,
        0.828,
        f"{trips:,} trips began in its {len(zones)} taxi zones {_period(stats['months'])}",
        size=15,
        color=QUIET,
    )
    figure.text(0.05, 0.735, "The busiest zones, by pick-ups", size=12, weight="bold", color=INK)
    sampled = "sample" in stats["source"]
    figure.text(
        0.05,
        0.035,
        f"Source: {stats['source']}",
        size=10,
        color=ALARM if sampled else QUIET,
        weight="bold" if sampled else "normal",
    )


def _period(months: Sequence[str]) -> str:
    """The time of months in order: from ["2023-01", "2023-02"], "from January to February 2023"."""
    if not months:
        return "in no month"
    (year, first), (last_year, last) = (month.split("-") for month in (months[0], months[-1]))
    end = f"{calendar.month_name[int(last)]} {last_year}"
    if len(months) == 1:
        return f"in {end}"
    start = calendar.month_name[int(first)]
    return f"from {start} to {end}" if year == last_year else f"from {start} {year} to {end}"


def _draw_busiest(axes: Axes, busiest: Zones, colour: _Scale) -> None:
    """Draw bars from the top down, each with the number that its zone has on the map."""
    counts = [zone["num_trips"] for zone in busiest]
    axes.barh(range(len(busiest)), counts, height=0.68, color=[colour(n) for n in counts])
    looks: dict[str, Any] = {"va": "center_baseline", "size": 11, "color": INK}
    across = axes.get_yaxis_transform()
    for place, zone in enumerate(busiest):
        axes.text(zone["num_trips"], place, f" {zone['num_trips']:,}", **looks)
        axes.text(-0.92, place, str(place + 1), transform=across, weight="bold", **looks)
        axes.text(-0.825, place, _shortened(zone["zone"]), transform=across, **looks)
    axes.set_ylim(BUSIEST - 0.5, -0.5)
    axes.set_xlim(0, max([1, *counts]))
    axes.set_axis_off()


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"


def _draw_legend(axes: Axes, colour: _Scale) -> None:
    bar = axes.figure.colorbar(colour.mappable, cax=axes, orientation="horizontal")
    ticks = colour.ticks()
    bar.set_ticks(ticks, labels=[f"{tick:,}" for tick in ticks])
    bar.outline.set_visible(False)
    axes.tick_params(length=0, labelsize=10, labelcolor=QUIET)
    axes.set_title("Pick-ups in a zone (grey: none)", loc="left", size=10, color=QUIET, pad=5)


def _draw_zones(axes: Axes, features: Features, busiest: Zones, colour: _Scale) -> None:
    numbers = {zone["zone_id"]: str(place) for place, zone in enumerate(busiest, start=1)}
    for feature in features:
        zone, polygons = feature["properties"], feature["geometry"]["coordinates"]
        axes.add_patch(_patch(polygons, facecolor=colour(zone["num_trips"])))
        if zone["zone_id"] in numbers:
            x, y = _middle(max((polygon[0] for polygon in polygons), key=len))
            ink = colour.ink_on(zone["num_trips"])
            axes.text(x, y, numbers[zone["zone_id"]], color=ink, **NUMBER_LOOKS)
    axes.autoscale_view()
    south, north = axes.get_ylim()
    axes.set_aspect(1 / math.cos(math.radians((south + north) / 2)))
    axes.set_axis_off()
    _draw_mile(axes)


def _draw_mile(axes: Axes) -> None:
    """Draw a scale of one mile in the free south-eastern corner."""
    south, north = axes.get_ylim()
    _, east = axes.get_xlim()
    mile = 1 / (MILES_A_DEGREE * math.cos(math.radians((south + north) / 2)))
    y = south + 0.04 * (north - south)
    axes.plot([east - mile, east], [y, y], color=QUIET, linewidth=1.5, solid_capstyle="butt")
    axes.text(east - mile / 2, y, "1 mile\n", ha="center", va="center", size=9, color=QUIET)


def _middle(ring: Sequence[Sequence[float]]) -> tuple[float, float]:
    """The centroid of the area inside a ring."""
    x0, y0 = ring[0]
    area = x = y = 0.0
    for (ax, ay), (bx, by) in pairwise([(px - x0, py - y0) for px, py in ring]):
        cross = ax * by - bx * ay
        area, x, y = area + cross, x + (ax + bx) * cross, y + (ay + by) * cross
    return (x0 + x / (3 * area), y0 + y / (3 * area)) if area else (x0, y0)


def _patch(polygons: Sequence[Any], **looks: Any) -> PathPatch:
    """The shape of one zone, with its holes."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    rings = [Path(ring, closed=True) for polygon in polygons for ring in polygon]
    return PathPatch(
        Path.make_compound_path(*rings), edgecolor=PAPER, linewidth=0.8, joinstyle="round", **looks
    )
