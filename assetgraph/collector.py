"""Python's garbage collector, kept from walking the heap again and again while it grows.

A graph of many assets, or a syntax tree, is a hundred thousand objects that are all alive: each
collection looks at all of them and frees none, so the cost would grow faster than their number.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collector() -> Iterator[None]:
    """What is made meanwhile counts as old afterwards: as young it would be walked at once."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()  # into the oldest generation
        gc.enable()


@contextmanager
def heap_left_alone() -> Iterator[None]:
    """What lives already is not looked at: a run's steps make their own garbage, and the graph and
    the plan, which stay until its end, would be walked again and again to find it."""
    if gc.get_freeze_count():  # the program, or a run around this one, does so itself
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
