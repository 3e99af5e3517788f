"""Which recorder a thread tells of what it reads."""

from __future__ import annotations

import threading

from assetgraph.process.current_step import active, current_sink
from assetgraph.process.reads.recorder import Recorder, silent

_of_child: Recorder | None = None


def current_recorder() -> Recorder | None:
    """The recorder of the step that this thread works for."""
    if not active and _of_child is None:
        return None
    if silent and threading.get_ident() in silent:
        return None
    sink = current_sink()
    return _of_child if sink is None else sink.reads


def reads_asset(target: str, data_version: str) -> None:
    """The current value of an asset is loaded; `target` is the text of it."""
    recorder = current_recorder()
    if recorder is not None:
        recorder.assets.setdefault(target, data_version)


def record_all(recorder: Recorder | None) -> None:
    """In a forked child: record what any of its threads reads."""
    global _of_child
    _of_child = recorder
    silent.clear()
