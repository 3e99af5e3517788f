"""`observe`: makes the recorder of a step, and has its process watched while steps run."""

from __future__ import annotations

import assetgraph.process.reads.forks  # noqa: F401 - watches forks
from assetgraph.process.reads.audit_hook import add_hook
from assetgraph.process.reads.libraries import stop_libraries, watch_libraries
from assetgraph.process.reads.looks import stop_looks, watch_looks
from assetgraph.process.reads.recorder import Recorder
from assetgraph.process.reads.rules import Rules

_watching = False


def observe(rules: Rules) -> Recorder:
    """A recorder for a step that begins."""
    if not _watching:
        _watch()
    return Recorder(rules)


def _watch() -> None:
    global _watching
    _watching = True
    add_hook()
    watch_looks()
    watch_libraries()


def stop_watching() -> None:
    """Leave the process as it was. The hook of Python stays, and does nothing."""
    global _watching
    if _watching:
        _watching = False
        stop_looks()
        stop_libraries()
