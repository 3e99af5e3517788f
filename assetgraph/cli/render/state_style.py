"""The look of states: always a glyph, a word and a colour together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.terminal.styled_text import Line, clean_lines, joined, wrapped
from assetgraph.records import AssetState, RunStatus, StepState

if TYPE_CHECKING:
    from assetgraph.queries.asset_views import AssetView
    from assetgraph.records import RunRecord

ENDED_WELL = (StepState.SUCCESS, StepState.UNCHANGED)
# The glyph and style of each state of a step or a run. The theme has those of an asset.
_LOOKS: dict[str, tuple[str, str]] = {
    StepState.WAITING: ("·", "muted"),
    StepState.RUNNING: ("▶", "running"),
    StepState.SUCCESS: ("✓", "success"),
    StepState.FAILURE: ("✕", "failure"),
    StepState.SKIPPED: ("–", "muted"),
    StepState.UNCHANGED: ("=", "success"),
    StepState.CANCELED: ("■", "warning"),
    RunStatus.STARTED: ("▶", "running"),
    RunStatus.SUCCESS: ("✓", "success"),
    RunStatus.FAILURE: ("✕", "failure"),
    RunStatus.CANCELED: ("■", "warning"),
    RunStatus.INTERRUPTED: ("!", "failure"),
}

_ASSET_STYLES = {
    AssetState.RUNNING: "running",
    AssetState.FAILED: "failure",
    AssetState.MISSING: "muted",
    AssetState.STALE: "warning",
    AssetState.FRESH: "success",
    AssetState.EXTERNAL: "external",
}

CHECK_MARKS = {"ERROR": ("✕", "failure"), "WARNING": ("!", "warning")}  # of one that failed
LEVELS = {"WARNING": "warning", "ERROR": "failure", "CRITICAL": "error", "DEBUG": "muted"}


def glyph(state: StepState | RunStatus) -> Line:
    return Line(_LOOKS[state])


def style_of(state: StepState | RunStatus | AssetState) -> str:
    return _ASSET_STYLES[state] if isinstance(state, AssetState) else _LOOKS[state][1]


def warned(text: str, width: int | None) -> list[Line]:
    """A warning with a mark at its start, wrapped to `width`; no line without text."""
    if not text:
        return []
    parts = clean_lines(text) if width is None else wrapped(text, width - 2)
    return [Line(("  " if i else "! ", "warning"), (p, "warning")) for i, p in enumerate(parts)]


def run_state_line(status: RunStatus) -> Line:
    mark, style = _LOOKS[status]
    return Line((f"{mark} {status}", style))


def step_counts(run: RunRecord) -> Line:
    """`3 success   1 failure`, in the order of a step's life."""
    return joined(
        (Line(glyph(state), f" {run.step_counts[state]} {state}") for state in StepState
         if run.step_counts.get(state)), "   ",
    )  # fmt: skip


def asset_state_line(view: AssetView) -> Line:
    if view.partitions is not None and not view.partitions:
        return Line(("– no partitions yet", "muted"))
    return target_state_line(view.state, made=view.made)


def target_state_line(state: AssetState, *, made: bool) -> Line:
    """The state of an asset, or of one partition; `made` says whether it has been materialized."""
    from assetgraph.pictures.theme import LOOKS, state_word

    word = state_word(state, made=made)
    return Line((f"{LOOKS[state].glyph} {word}", _ASSET_STYLES[state]))
