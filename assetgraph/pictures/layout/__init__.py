"""Computes positions for the cards of a graph and routes for its edges.

framing       puts each group into a frame, with a layout of its own
layered       lays out each component on its own, then packs them to the shape of the window
├── ranking   the column of each card
├── ordering  the order of the cards in each column, with few crossing edges
├── alignment the height of each card, with straight edges
├── wrapping  the columns in bands, where one row of them would be too long
└── packing   the positions of the components
"""

from assetgraph.pictures.layout.framing import arranged, worth_frames
from assetgraph.pictures.layout.layered import Box, Edge, Layout, Point, layout
from assetgraph.pictures.layout.wrapping import scale

__all__ = ["Box", "Edge", "Layout", "Point", "arranged", "layout", "scale", "worth_frames"]
