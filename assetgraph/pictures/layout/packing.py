"""Packs rectangles of different sizes into the shape of a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

Size = tuple[float, float]
TRIES = 24


class Packed(NamedTuple):
    """The upper left corners of rectangles in the given order, and the size of the whole."""

    corners: list[tuple[float, float]]
    width: float
    height: float


def pack(sizes: Sequence[Size], aspect: float, gap: float) -> Packed:
    """Pack rectangles of (width, height) in shelves, tall ones first, at least `gap` apart.

    Of several widths, the one is chosen that a window with ratio `aspect` (width / height) shows
    at the largest scale.
    """
    widest = max((width for width, _ in sizes), default=0.0)
    area = sum((width + gap) * (height + gap) for width, height in sizes)
    longest = max(widest, 2 * (area * aspect) ** 0.5)
    tries = [widest + (longest - widest) * n / TRIES for n in range(TRIES + 1)]
    shelved = (_shelves(sizes, limit, gap) for limit in tries)
    return min(shelved, key=lambda packed: max(packed.width, packed.height * aspect))


def _shelves(sizes: Sequence[Size], limit: float, gap: float) -> Packed:
    """Pack rectangles in shelves that are at most `limit` wide.

    A shelf is as high as its first rectangle. Lower rectangles are stacked in it if they fit.
    """
    corners = [(0.0, 0.0)] * len(sizes)
    shelf_top = shelf_bottom = stack_left = stack_right = stack_bottom = widest = 0.0
    for n in sorted(range(len(sizes)), key=lambda n: (-sizes[n][1], -sizes[n][0], n)):
        width, height = sizes[n]
        start = stack_right + gap
        if stack_bottom + gap + height <= shelf_bottom and stack_left + width <= limit:
            top = stack_bottom + gap
        elif stack_right and start + width <= limit:
            stack_left, top = start, shelf_top
        else:
            shelf_top = top = shelf_bottom + gap if shelf_bottom else 0.0
            shelf_bottom = top + height
            stack_left = stack_right = 0.0
        stack_right = max(stack_right, stack_left + width)
        stack_bottom = top + height
        widest = max(widest, stack_right)
        corners[n] = (stack_left, top)
    return Packed(corners, widest, shelf_bottom)
