"""The command line: thin commands over the library, and the text that they print."""

from __future__ import annotations

import os
import sys


def main() -> None:
    _open_closed_streams()
    from assetgraph.process.garbage_collector import pause_collector

    pause_collector()
    from assetgraph.cli.app import run
    from assetgraph.process.signals import raise_on_termination

    raise_on_termination()
    code = run(sys.argv[1:])
    steps = sys.modules.get("assetgraph.process.current_step")  # there if the command was a run
    if steps is not None and steps.running():
        from assetgraph.process.ending import end

        end(code)
    sys.exit(code)


def _open_closed_streams() -> None:
    """Replace closed streams. Otherwise the next file that is opened would get their descriptor,
    and what a library prints would end up in the store."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
