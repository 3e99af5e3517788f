"""The selection language, which selects assets by text. Its grammar is in
`definitions/selection/syntax.py`."""

from assetgraph.definitions.selection.syntax import Expression, parse
from assetgraph.graph.selection.evaluate import Selectable, names_partitions, select

__all__ = ["Expression", "Selectable", "names_partitions", "parse", "select"]
