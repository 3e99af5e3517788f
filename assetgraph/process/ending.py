"""The end of a process that may have steps which still run, or what they left running."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from contextlib import suppress
from typing import NoReturn

from assetgraph.process.current_step import running

LEAVE_S = 1.0  # a worker's executor waits longer before it kills all that the worker started


def end(code: int) -> NoReturn:
    """End as a plain program does: libraries end the processes that they keep for later steps, and
    remove their temporary files. What steps left running gets no more than a moment: nobody waits
    for an abandoned step, and the interpreter would wait for its pools."""
    threading.Thread(target=_leave_soon, args=(code,), daemon=True).start()
    with suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    _leave(code)  # the kernel is faster than the interpreter at freeing modules


def _leave_soon(code: int) -> None:
    time.sleep(LEAVE_S)
    if running() and "multiprocessing" in sys.modules:
        for child in sys.modules["multiprocessing"].active_children():
            with suppress(Exception):  # it has ended
                child.terminate()
    _leave(code)


def _leave(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # the reader is gone
            stream.flush()
    os._exit(code)
