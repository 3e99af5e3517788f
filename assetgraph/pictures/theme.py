"""The glyph, word and colours of each asset state, shared by terminal, pictures and page."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from assetgraph.records import AssetState

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Look:
    """The look of a state: its glyph, its word and its colour always appear together.

    `terminal` is the name of an ANSI colour. `light` and `dark` are colours that are readable on
    their tints.
    """

    glyph: str
    word: str
    terminal: str
    light: str
    light_tint: str
    dark: str
    dark_tint: str


LOOKS: Mapping[AssetState, Look] = MappingProxyType(
    {
        AssetState.RUNNING: Look(
            "▶", "running", "blue", "#1d4ed8", "#e8f0fe", "#7fb0ff", "#14233f"
        ),
        AssetState.FAILED: Look("✕", "failed", "red", "#b91f1f", "#fdecec", "#ff8080", "#341619"),
        AssetState.MISSING: Look(
            "–", "never materialized", "bright_black", "#5b6472", "#f1f3f6", "#9aa4b2", "#1d222b"
        ),
        AssetState.STALE: Look("!", "stale", "yellow", "#955500", "#fff4dc", "#f5b94a", "#2e2410"),
        AssetState.FRESH: Look(
            "✓", "materialized", "green", "#166e37", "#e9f7ee", "#4ade80", "#12281b"
        ),
        AssetState.EXTERNAL: Look(
            "↗", "external", "cyan", "#0f5f73", "#e3f5f9", "#67d3e8", "#0f2b33"
        ),
    }
)


def state_word(state: AssetState, made: bool) -> str:
    """The word for the state of an asset.

    `made` says that it was materialized before: if so, a missing value is "missing", not "never
    materialized".
    """
    return str(state) if made and state is AssetState.MISSING else LOOKS[state].word


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of everything that is not the state of an asset, as CSS colours."""

    background: str
    surface: str
    text: str
    muted: str
    line: str
    edge: str
    accent: str


LIGHT = Palette("#f7f8fa", "#ffffff", "#1b1f27", "#5b6472", "#e2e5ea", "#a9b1bd", "#4f46e5")
DARK = Palette("#0e1116", "#161a21", "#e7eaf0", "#9aa4b2", "#2a303a", "#4b5563", "#8b86ff")
