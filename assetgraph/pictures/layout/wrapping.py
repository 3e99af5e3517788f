"""Breaks a long row of columns into bands, one below the other, like lines of text.

An edge from one band to the next turns down at the right end of its band, runs back through the
channel between the bands, and turns into the next band at its left end. The turns are nested, so
that they add no crossing.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

TRIES = 24
LANE = 8  # between edges in a channel
TURN = 16  # from the end of a band to the first edge that turns there
CHANNEL = 28  # above and below the edges in a channel


class Column(NamedTuple):
    """A column of the unbroken row.

    `leaving` is the number of vertices in it with edges to the right.
    """

    left: float
    right: float
    top: float
    bottom: float
    leaving: int


class Band(NamedTuple):
    """Columns `first` to `last` (exclusive), moved by (`dx`, `dy`).

    `channel` is the height of the first edge in the channel below.
    """

    first: int
    last: int
    dx: float
    dy: float
    channel: float


def best_bands(
    columns: Sequence[Column], window: tuple[float, float]
) -> tuple[list[Band], float, float]:
    """The bands that a window of this size shows at the largest scale, and their whole size."""
    widest = max(column.right - column.left for column in columns)
    whole = columns[-1].right
    tries = [widest + (whole - widest) * n / TRIES for n in range(TRIES + 1)]
    found = (_placed(columns, _broken(columns, limit)) for limit in tries)
    return max(found, key=lambda bands: scale(bands[1], bands[2], window))


def scale(width: float, height: float, window: tuple[float, float]) -> float:
    """The scale at which a window shows a picture of this size as a whole."""
    return min(window[0] / max(width, 1), window[1] / max(height, 1))


def _broken(columns: Sequence[Column], limit: float) -> list[tuple[int, int]]:
    starts = [0]
    for n, column in enumerate(columns):
        if column.right - columns[starts[-1]].left > limit and n > starts[-1]:
            starts.append(n)
    return [*pairwise([*starts, len(columns)])]


def _placed(
    columns: Sequence[Column], parts: Sequence[tuple[int, int]]
) -> tuple[list[Band], float, float]:
    leaving = [columns[last - 1].leaving for _, last in parts[:-1]]
    gutter = TURN + LANE * max(leaving, default=0) if leaving else 0.0
    bands: list[Band] = []
    width = y = 0.0
    for n, (first, last) in enumerate(parts):
        those = columns[first:last]
        top, bottom = min(c.top for c in those), max(c.bottom for c in those)
        bottom += y - top
        bands.append(Band(first, last, gutter - those[0].left, y - top, bottom + CHANNEL))
        width = max(width, gutter + those[-1].right - those[0].left + gutter)
        y = bottom
        if n < len(leaving):
            y += 2 * CHANNEL + LANE * max(0, leaving[n] - 1)
    return bands, width, y
