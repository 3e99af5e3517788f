"""The selection language: which assets a text names. `syntax` has its grammar."""

from assetgraph.graph.selection.evaluate import Selectable, select
from assetgraph.graph.selection.syntax import Expression, parse

__all__ = ["Expression", "Selectable", "parse", "select"]
