"""Has child programs that a step starts through `subprocess` or `os.system` write to a pipe of that
step alone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from assetgraph.process.current_step import current_sink
from assetgraph.process.streams import Redirect

if TYPE_CHECKING:
    from assetgraph.process.descriptors import Descriptors


def watch_children(descriptors: Descriptors) -> Callable[[], None]:
    """Watch them until the call of what this returns."""
    begin = subprocess.Popen.__init__

    def begin_for_step(
        child: Any,
        args: Any,
        bufsize: int = -1,
        executable: Any = None,
        stdin: Any = None,
        stdout: Any = None,
        stderr: Any = None,
        *more: Any,
        **options: Any,
    ) -> None:
        with suppress(LookupError):
            if _is_standard(stdout, 1):
                stdout = descriptors.of_step("out")
            if _is_standard(stderr, 2):
                stderr = descriptors.of_step("err")
        begin(child, args, bufsize, executable, stdin, stdout, stderr, *more, **options)

    def run_for_step(command: Any) -> int:
        if current_sink() is None:
            return run(command)
        code = subprocess.Popen(command, shell=True).wait()
        return -code if code < 0 else code << 8  # as `os.system` gives it

    run = os.system
    # A pickle names it, as in `pool.map(os.system, commands)`.
    run_for_step.__module__, run_for_step.__qualname__ = "os", "system"
    subprocess.Popen.__init__ = begin_for_step  # type: ignore[method-assign, assignment]
    os.system = run_for_step

    def undo() -> None:
        subprocess.Popen.__init__ = begin  # type: ignore[method-assign]
        os.system = run

    return undo


def _is_standard(stream: Any, number: int) -> bool:
    """Whether a child would write to our descriptor `number`."""
    if isinstance(stream, Redirect):
        return stream.fileno() == number
    return stream is None or stream == number
