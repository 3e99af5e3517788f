"""The command line: thin commands over the library, and how their answers look."""

from __future__ import annotations

import sys


def main() -> None:
    from assetgraph.cli.app import run
    from assetgraph.signals import raise_on_sigterm

    raise_on_sigterm()
    sys.exit(run(sys.argv[1:]))
