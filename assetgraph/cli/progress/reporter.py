"""Progress of a run for a person: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

from assetgraph.cli.terminal.output import Output
from assetgraph.process.capture import step_aside
from assetgraph.process.streams import not_captured
from assetgraph.run.channel import Observer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assetgraph.cli.render.run_summary import RunHighlights
    from assetgraph.cli.terminal.styled_text import Line


class Reporter(Observer, Protocol):
    """An observer that owns the terminal for one run, until it stops."""

    highlights: RunHighlights

    def give_way(self) -> None:
        """Free the terminal for a debugger."""

    def stop(self) -> None: ...

    @property
    def run_id(self) -> str | None:
        """The id of the run, or None before it starts."""


@contextmanager
def reporting(
    out: Output, keys: Sequence[str], notes: Sequence[Line] = (), *, quiet: bool = False
) -> Iterator[Reporter]:
    """Yield the reporter that suits `out`, for a run of the steps `keys`. It prints `notes` when
    the run starts; a quiet one prints nothing."""
    with not_captured(out.stream) as stream:
        reporter = _reporter(Output(stream), keys, notes, quiet)
        try:
            with _terminal_for_debuggers(reporter):
                yield reporter
        finally:
            reporter.stop()


def _reporter(out: Output, keys: Sequence[str], notes: Sequence[Line], quiet: bool) -> Reporter:
    if out.is_terminal and not quiet:
        from assetgraph.cli.progress.live_display import LiveReporter

        return LiveReporter(out, keys, notes)
    from assetgraph.cli.progress.plain_display import PlainReporter

    return PlainReporter(out, keys, notes, quiet=quiet)


@contextmanager
def _terminal_for_debuggers(reporter: Reporter) -> Iterator[None]:
    """Let `breakpoint()` in an asset use the terminal: during a run its output is captured."""

    def hook(*args: Any, **kwargs: Any) -> Any:
        wanted = os.environ.get("PYTHONBREAKPOINT")
        if wanted == "0":
            return None
        reporter.give_way()
        if wanted or sys.__stdout__ is None:
            step_aside()  # the debugger that the person chose writes to the standard streams
            sys.stdout = sys.__stdout__
            return sys.__breakpointhook__(*args, **kwargs)
        from pdb import Pdb

        return Pdb(stdout=terminal).set_trace(sys._getframe(1))

    before = sys.breakpointhook
    with not_captured(sys.__stdout__) if sys.__stdout__ else nullcontext(None) as terminal:
        sys.breakpointhook = hook
        try:
            yield
        finally:
            sys.breakpointhook = before
