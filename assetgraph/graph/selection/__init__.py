"""The selection language, which selects assets by text. `syntax` has the grammar."""

from assetgraph.graph.selection.evaluate import Selectable, names_partitions, select
from assetgraph.graph.selection.syntax import Expression, parse

__all__ = ["Expression", "Selectable", "names_partitions", "parse", "select"]
