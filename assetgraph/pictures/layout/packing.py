"""Where rectangles of different size stand, so that together they have the shape of the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

Size = tuple[float, float]
TRIES = 24


class Packed(NamedTuple):
    corners: list[tuple[float, float]]
    width: float
    height: float


def pack(sizes: Sequence[Size], aspect: float, gap: float) -> Packed:
    """The upper left corner of each rectangle, at least `gap` from all others; tall ones first, in
    shelves. The width is tried out so that a window of `aspect` (width / height) shows them
    largest."""
    widest = max((width for width, _ in sizes), default=0.0)
    area = sum((width + gap) * (height + gap) for width, height in sizes)
    longest = max(widest, 2 * (area * aspect) ** 0.5)
    tries = [widest + (longest - widest) * n / TRIES for n in range(TRIES + 1)]
    shelved = (_shelves(sizes, limit, gap) for limit in tries)
    return min(shelved, key=lambda packed: max(packed.width, packed.height * aspect))


def _shelves(sizes: Sequence[Size], limit: float, gap: float) -> Packed:
    """Shelves of at most `limit` in width, each as high as its first rectangle; lower ones are
    stacked on it while there is room under one another."""
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
