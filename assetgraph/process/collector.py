"""Python's garbage collector, kept from walking the heap again and again while it grows.

A graph of many assets, or a syntax tree, is a hundred thousand objects that are all alive: each
collection looks at all of them and frees none, so the cost would grow faster than their number.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_paused = False


@contextmanager
def paused_collector() -> Iterator[None]:
    """Until the end, or until a run begins."""
    global _paused
    if not gc.isenabled():
        yield
        return
    gc.disable()
    _paused = True
    try:
        yield
    finally:
        _paused = False
        gc.enable()


@contextmanager
def heap_left_alone() -> Iterator[None]:
    """What lives already is not looked at: a run's steps make their own garbage, and the graph and
    the plan, which stay until its end, would be walked again and again to find it."""
    frozen = gc.get_freeze_count()  # by the program, or by a run around this one
    if not frozen:
        gc.freeze()
    if _paused:
        gc.enable()
    try:
        yield
    finally:
        if not frozen:
            gc.unfreeze()
