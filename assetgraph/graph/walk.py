"""`walk`: what can be reached in a graph, up or down."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def walk(
    start: Iterable[T], neighbours: Callable[[T], Iterable[T]], levels: int | None = None
) -> dict[T, None]:
    """`start` and everything within `levels` steps of it (None: any distance), nearest first."""
    found = dict.fromkeys(start)
    row = list(found)
    while row and levels != 0:
        following: dict[T, None] = {}
        for one in row:
            for other in neighbours(one):
                if other not in found:
                    following[other] = None
        found.update(following)
        row = list(following)
        levels = None if levels is None else levels - 1
    return found
