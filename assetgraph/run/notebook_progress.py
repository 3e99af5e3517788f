"""`NotebookProgress`: the progress of a run, as one line that a notebook updates in place."""

from __future__ import annotations

import sys
from collections import Counter
from html import escape
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

from assetgraph.records import STATE_AFTER, EventType, StepState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.records import Event

_EVERY_S = 0.2
_MOST_NAMES = 3
_ENDS = {
    EventType.RUN_SUCCESS: "✓ succeeded",
    EventType.RUN_FAILURE: "✕ failed",
    EventType.RUN_CANCELED: "canceled",
}
_OPEN = (StepState.WAITING, StepState.RUNNING)


def notebook_progress(step_ids: Sequence[str]) -> NotebookProgress | None:
    """The observer that shows a run in the notebook of this process, or None outside of one."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or getattr(shell, "kernel", None) is None:  # a terminal has no kernel
        return None
    from importlib import import_module

    return NotebookProgress(step_ids, import_module("IPython.display").display)


class _Shown:
    """A line for a notebook, and the same as text for a view that shows no HTML."""

    def __init__(self, text: str, done: int, total: int) -> None:
        self._text, self._done, self._total = text, done, total

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        bar = f'<progress value="{self._done}" max="{self._total}"></progress>'
        return f"<div>{bar} {escape(self._text)}</div>"


class NotebookProgress:
    """Counts the steps of a run, and shows the counts five times a second at most."""

    def __init__(self, step_ids: Sequence[str], display: Any) -> None:
        self._states = dict.fromkeys(step_ids, StepState.WAITING)
        self._display = display
        self._handle: Any = None
        self._reached: dict[str, str] = {}
        self._started = self._shown_at = monotonic()
        self._lock = Lock()
        self._works = True

    def event(self, event: Event) -> None:
        with self._lock:
            state = STATE_AFTER.get(event.type)
            if state is not None and event.step:
                self._states[event.step] = state
                self._reached.pop(event.step, None)
            end = _ENDS.get(event.type)
            if end or (state is not None and self._is_due()):
                self._show(end)

    def output(self, step: str, stream: str, text: str) -> None:
        pass  # the notebook shows what steps print

    def progress(self, step: str, done: float, total: float | None, unit: str) -> None:
        with self._lock:
            self._reached[step] = f"{done / total:.0%}" if total else f"{done:g} {unit}".rstrip()
            if self._is_due():
                self._show(None)

    def _is_due(self) -> bool:
        return self._handle is None or monotonic() - self._shown_at >= _EVERY_S

    def _show(self, end: str | None) -> None:
        if not self._works:
            return
        self._shown_at = monotonic()
        done = sum(state not in _OPEN for state in self._states.values())
        shown = _Shown(self._text(done, end), done, len(self._states))
        try:
            if self._handle is None:
                self._handle = self._display(shown, display_id=True)
            else:
                self._handle.update(shown)
        except Exception:
            self._works = False  # a view that is lost must not stop the run

    def _text(self, done: int, end: str | None) -> str:
        counts = Counter(self._states.values())
        parts = [f"{done} of {len(self._states)} steps"]
        running = [key for key, state in self._states.items() if state is StepState.RUNNING]
        if end:
            parts.insert(0, end)
        elif running:
            more = ", …" if len(running) > _MOST_NAMES else ""
            parts.append(", ".join(map(self._named, running[:_MOST_NAMES])) + more)
        for state in (StepState.FAILURE, StepState.SKIPPED, StepState.UNCHANGED):
            if counts[state]:
                word = "failed" if state is StepState.FAILURE else state.value
                parts.append(f"{counts[state]} {word}")
        return " · ".join([*parts, f"{monotonic() - self._started:.1f}s"])

    def _named(self, step_id: str) -> str:
        return f"{step_id} {self._reached.get(step_id, '')}".rstrip()
