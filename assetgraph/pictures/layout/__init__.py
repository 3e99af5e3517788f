"""Computes positions for the cards of a graph and routes for its edges.

layered       lays out each component on its own, then packs them to the shape of the window
├── ranking   the column of each card
├── ordering  the order of the cards in each column, with few crossing edges
├── alignment the height of each card, with straight edges
└── packing   the positions of the components
"""

from assetgraph.pictures.layout.layered import Edge, Layout, Point, layout

__all__ = ["Edge", "Layout", "Point", "layout"]
