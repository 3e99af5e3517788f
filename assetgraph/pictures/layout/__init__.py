"""Where the cards of a graph stand and how its edges run: graph in, positions out.

layout        components, each laid out alone, packed to the shape of the window
├── ranking   which column each card stands in
├── ordering  the order in each column, so that few edges cross
├── alignment how high each card stands, so that edges run straight
└── packing   where the components stand
"""

from assetgraph.pictures.layout.layered import Edge, Layout, Point, layout

__all__ = ["Edge", "Layout", "Point", "layout"]
