"""The graph of the assets as text: a tree for a terminal, or the format of another tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.terminal.styled_text import Line
from assetgraph.queries.asset_views import card

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.pictures.picture_card import Card
    from assetgraph.queries.asset_views import AssetView

_STYLES = {
    "branch": "muted",
    "name": "name",
    "reference": "muted",
    "group": "path",
    "description": "muted",
    "failed_check": "failure",
}


def lineage(
    views: Sequence[AssetView], edges: Sequence[tuple[str, str]], form: str, width: int | None
) -> list[Line]:
    """The graph in the format `form`: tree, mermaid, dot or svg."""
    cards = [card(view) for view in views]
    if form != "tree":
        return [Line(line) for line in _exported(cards, edges, form).splitlines()]
    from assetgraph.cli.render.state_style import style_of
    from assetgraph.pictures.tree import tree

    states = {str(view.state): style_of(view.state) for view in views}
    styles = {**_STYLES, **states}
    return [
        Line(*((span.text, styles.get(str(span.role), "")) for span in spans))
        for spans in tree(cards, edges, columns=width)
    ]


def _exported(cards: Sequence[Card], edges: Sequence[tuple[str, str]], form: str) -> str:
    if form == "svg":
        from assetgraph.pictures.svg import graph_svg

        return graph_svg(cards, edges)
    from assetgraph.pictures import exports

    return exports.mermaid(cards, edges) if form == "mermaid" else exports.dot(cards, edges)
