"""Code versions: a hash of all code of the project that a function can reach by name."""

from assetgraph.code.definition_table import Node, Table
from assetgraph.code.versions import CodeVersions, Definition

__all__ = ["CodeVersions", "Definition", "Node", "Table"]
