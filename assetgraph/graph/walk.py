"""What can be reached in a graph, up or down, and around."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
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


def cycle_through(start: T, part: Container[T], children: Mapping[T, Iterable[T]]) -> list[T]:
    """A shortest path from `start` back to itself inside a strongly connected part."""
    before: dict[T, T] = {}
    row = [start]
    while row:
        following = []
        for key in row:
            for child in children[key]:
                if child == start:
                    path = [key]
                    while path[-1] != start:
                        path.append(before[path[-1]])
                    return [*reversed(path), start]
                if child in part and child not in before:
                    before[child] = key
                    following.append(child)
        row = following
    raise AssertionError("a strongly connected part has a cycle")  # pragma: no cover
