"""Pauses Python's garbage collector while many objects are created that all stay alive.

A graph of many assets, or a syntax tree, may have a hundred thousand objects. Each collection would
visit all of them and free none, so its cost would grow faster than their number.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_paused = False


@contextmanager
def paused_collector() -> Iterator[None]:
    """Disable the garbage collector until the block ends or a run starts in it."""
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


def pause_collector() -> None:
    """Disable the garbage collector until `heap_left_alone`: what a command imports and makes stays
    until its process ends, unless the command is one that goes on."""
    global _paused
    gc.disable()
    _paused = True


@contextmanager
def heap_left_alone() -> Iterator[None]:
    """Make the garbage collector ignore all objects that exist now until the block ends.

    The graph and the plan stay alive for a whole run: collections during the run need not visit
    them. Enables a collector that `paused_collector` disabled.
    """
    frozen = gc.get_freeze_count()  # nonzero if the program or an enclosing run froze the heap
    if not frozen:
        gc.freeze()
    if _paused:
        gc.enable()
    try:
        yield
    finally:
        if not frozen:
            gc.unfreeze()
