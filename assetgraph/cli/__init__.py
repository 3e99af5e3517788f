"""The command line: thin commands over the library, and the text that they print."""

from __future__ import annotations

import os
import sys


def main() -> None:
    _open_closed_streams()
    from assetgraph.cli.app import run
    from assetgraph.process.signals import raise_on_sigterm

    raise_on_sigterm()
    code = run(sys.argv[1:])
    if "assetgraph.process.current_step" in sys.modules:  # the command was a run
        from assetgraph.process.ending import end_run

        end_run(code)
    sys.exit(code)


def _open_closed_streams() -> None:
    """Replace closed streams. Otherwise the next file that is opened would get their descriptor,
    and what a library prints would end up in the store."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
