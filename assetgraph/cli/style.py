"""How states look: always a glyph, a word and a colour together."""

from __future__ import annotations

from assetgraph.cli.text import Line, clean_lines, wrapped
from assetgraph.records import AssetState, RunStatus, StepState

# Glyph and style of each state of a step or a run; those of an asset are in the theme.
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
}

LEVELS = {"WARNING": "warning", "ERROR": "failure", "CRITICAL": "error", "DEBUG": "muted"}


def glyph(state: StepState | RunStatus) -> Line:
    return Line(_LOOKS[state])


def style_of(state: StepState | AssetState) -> str:
    return _ASSET_STYLES[state] if isinstance(state, AssetState) else _LOOKS[state][1]


def warned(text: str, width: int | None) -> list[Line]:
    """A warning, marked at its start and broken to `width`; no line for no text."""
    if not text:
        return []
    parts = clean_lines(text) if width is None else wrapped(text, width - 2)
    return [Line(("  " if i else "! ", "warning"), (p, "warning")) for i, p in enumerate(parts)]


def state_line(state: RunStatus | AssetState) -> Line:
    if isinstance(state, AssetState):
        from assetgraph.theme import LOOKS

        look = LOOKS[state]
        return Line((f"{look.glyph} {look.word}", _ASSET_STYLES[state]))
    mark, style = _LOOKS[state]
    return Line((f"{mark} {state}", style))
